#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the bottleneck example as it stands, and its figures.
#
# usage: test.sh BUILD
here=$(cd "$(dirname "$0")" && pwd)
out=$1/test/bottleneck
rm -rf "$out"
if bash "$here/run.sh" "$1" "$out" 2>&1; then echo "ok bottleneck: runs"; else echo "not ok bottleneck: runs"; fi
if python3 "$here/expect.py" "$out/curves.json" 2>&1; then
  echo "ok bottleneck: forgets little where a linear head forgets"
else
  echo "not ok bottleneck: forgets little where a linear head forgets"
fi
