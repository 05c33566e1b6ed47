#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the published checkpoint gives the reference's embeddings. Skipped, with the reason, where it cannot be had.
#
# usage: test.sh BUILD
here=$(cd "$(dirname "$0")" && pwd)
exec bash "$here/../tap.sh" "$here" "$1" "minilm agrees with the reference on 200 sentences"
