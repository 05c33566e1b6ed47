#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The whole example: fetch, compile, encode the 200 sentences in one batch, compare with the reference.
#
# usage: run.sh BUILD        Exit status 0: they agree, 1: they do not, 77: the checkpoint cannot be had here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=$build/minilm

bash "$here/get.sh" "$build"
"$build/bin/nacre" compile "$here/minilm.nacre" -o "$out/lib/"
"$build/bin/nacre" run "$here/minilm.nacre" --fn encode --weights "$(cat "$out/checkpoint.path")" \
  --in "ids=$out/ids.npy" --in "n=$out/lengths.npy" --out "$out/embeddings.npy"
"$out/venv/bin/python" "$here/compare.py" "$out/reference.npy" "$out/embeddings.npy"
