#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the autoencoder reaches its figures on MiniLM's hidden states. Skipped, with the reason, where the checkpoint cannot be had.
#
# usage: test.sh BUILD
here=$(cd "$(dirname "$0")" && pwd)
name="sae explains what it promises, with few dead latents"
output=$(bash "$here/run.sh" "$1" 2>&1)
status=$?
echo "$output"
case $status in
  0) echo "ok $name" ;;
  77) echo "ok $name # SKIP $(tail -n 1 <<<"$output")" ;;
  *) echo "not ok $name" ;;
esac
