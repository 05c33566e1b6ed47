#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The whole example: hidden states of MiniLM through a tap, the autoencoder trained on them, and what its latents stand for.
#
# usage: run.sh BUILD        Exit status 0: done and within its figures, 1: not, 77: the checkpoint cannot be had here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=$build/sae
nacre=$build/bin/nacre
tap=blocks.3.hidden # after the fourth of six blocks
mkdir -p "$out"

bash "$here/../minilm/get.sh" "$build"
python=$build/minilm/venv/bin/python

# Hidden states, one run a group of sentences of like length; kept for the next time.
if [ ! -e "$out/tokens.npy" ] || [ "$here/corpus.txt" -nt "$out/tokens.npy" ]; then
  PYTHONPATH=$here/../minilm "$python" "$here/prepare.py" "$here/corpus.txt" "$out"
  "$nacre" compile "$here/../minilm/minilm.nacre" --taps -o "$out/lib/" | tail -n 1
  for ids in "$out"/ids-*.npy; do
    group=${ids##*/ids-}
    "$nacre" run "$out/lib/libminilm.so" --fn encode --weights "$(cat "$build/minilm/checkpoint.path")" --in "ids=$ids" \
      --in "n=$out/lengths-$group" --tap "$tap=read:$out/hidden-$group" --out "$out/encoding.npy" >/dev/null
  done
  "$python" "$here/gather.py" "$out"
  rm "$out"/hidden-*.npy
fi

"$nacre" compile "$here/sae.nacre" -o "$out/lib/" | tail -n 1
"$nacre" train "$out/lib/libsae.so" --data "tokens=$out/tokens.npy" --rows "$out/train.npy" --out "$out/sae.safetensors" --model-only
for result in encode:codes.npz reconstruct:reconstruction.npy; do
  "$nacre" run "$out/lib/libsae.so" --fn "${result%%:*}" --weights "$out/sae.safetensors" --in "x=$out/tokens.npy" \
    --out "$out/${result##*:}" >/dev/null
done
"$python" "$here/report.py" "$out"
