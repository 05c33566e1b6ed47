#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What the tests of examples share: runs an example and says in TAP how it went. A run.sh that ends with 77 is skipped, with its last line as
# the reason.
#
# usage: tap.sh FOLDER BUILD NAME
output=$(bash "$1/run.sh" "$2" 2>&1)
status=$?
echo "$output"
case $status in
  0) echo "ok $3" ;;
  77) echo "ok $3 # SKIP $(tail -n 1 <<<"$output")" ;;
  *) echo "not ok $3" ;;
esac
