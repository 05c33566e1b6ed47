#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The whole example: keys from images without labels, then five tasks one after the other for each method, then the figures.
#
# usage: run.sh BUILD [OUT]        OUT: where everything goes; default BUILD/bottleneck
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=${2:-$build/bottleneck}
nacre=$build/bin/nacre
digits=$here/../digits
mkdir -p "$out"
out=$(cd "$out" && pwd)

python3 "$here/tasks.py" "$digits" "$out"
for model in Keys Bottleneck Linear; do
  "$nacre" compile "$here/bottleneck.nacre" --model $model -o "$out/lib/" | tail -n 1
done

# train MODEL SEED ROWS START NAME: NAME.safetensors, learnt from those rows alone, beginning with START; then its predictions.
train() {
  "$nacre" train "$out/lib/lib$1.so" --data "$digits/digits.npz" --seed "$2" --rows "$3" --weights "$4" \
    --out "$out/$5.safetensors" --model-only >"$out/$5.log"
  "$nacre" run "$out/lib/lib$1.so" --fn predict --weights "$out/$5.safetensors" --in "x=$out/images.npy" --out "$out/$5.npy" >/dev/null
}

for seed in 0 1 2; do
  echo "seed $seed: keys, then five tasks with each method, then all classes at once"
  keys=$out/keys-$seed.safetensors
  "$nacre" train "$out/lib/libkeys.so" --data "$digits/digits.npz" --seed $seed --rows "$digits/train.npy" --out "$keys" >"$out/keys-$seed.log"
  for model in bottleneck linear; do
    start=Keys=$keys
    for task in 0 1 2 3 4; do
      train $model $seed "$out/task-$task.npy" "$start" $model-$seed-$task
      start=$out/$model-$seed-$task.safetensors
    done
    train $model $seed "$digits/train.npy" "Keys=$keys" $model-$seed-all
  done
done
python3 "$here/curves.py" "$digits" "$out"
