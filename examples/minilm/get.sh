#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings the checkpoint, its tokenizer and the reference framework into BUILD/minilm/venv, then makes ids.npy, lengths.npy and
# reference.npy in BUILD/minilm. Does nothing that is done already. Exit status 77: they cannot be had here, with the reason.
#
# usage: get.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1/minilm
stamp=$out/venv/requirements.txt # a copy of the list that was installed
mkdir -p "$out"
exec 9>"$out/lock" # two examples may ask at once
flock 9

if ! cmp -s "$here/requirements.txt" "$stamp"; then
  rm -rf "$out/venv"
  echo "minilm: fetching the checkpoint, the tokenizer and onnxruntime (about 150 MB) into ${out##*/}/venv"
  if ! { python3 -m venv "$out/venv" && "$out/venv/bin/pip" install -q --disable-pip-version-check --timeout 20 --retries 2 \
    -r "$here/requirements.txt"; } >"$out/get.log" 2>&1; then
    echo "minilm: the checkpoint cannot be had here: $(grep -m1 '^ERROR' "$out/get.log" || tail -n 1 "$out/get.log")"
    exit 77
  fi
  cp "$here/requirements.txt" "$stamp"
fi

if [ ! -e "$out/reference.npy" ] || [ "$here/sentences.txt" -nt "$out/reference.npy" ]; then
  "$out/venv/bin/python" "$here/tokenize_sentences.py" "$here/sentences.txt" "$out"
  "$out/venv/bin/python" "$here/reference.py" "$out"
fi
PYTHONPATH=$here "$out/venv/bin/python" -c 'import checkpoint; print(checkpoint.folder() / "model.safetensors")' >"$out/checkpoint.path"
