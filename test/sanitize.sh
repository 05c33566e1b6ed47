#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the runtime's own tests once more, under AddressSanitizer and UndefinedBehaviorSanitizer. One test, since the cases are counted
# in nacre-runtime-test already.
#
# usage: sanitize.sh BUILD
cd "$(dirname "$0")/.." || exit 1
folder=$1/sanitize
log=$1/sanitize.log
name="the runtime is clean under AddressSanitizer and UndefinedBehaviorSanitizer"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

if cmake --preset sanitize -B "$folder" >"$log" 2>&1 && cmake --build "$folder" --target nacre-runtime-test --parallel 2 >>"$log" 2>&1 &&
  "$folder/bin/nacre-runtime-test" --gtest_brief=1 >>"$log" 2>&1; then
  echo "ok $name"
else
  tail -n 50 "$log"
  echo "not ok $name"
fi
