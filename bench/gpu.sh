#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What only a machine with an NVIDIA GPU can show: every golden case and the training of digits through the real driver. Builds nothing.
# Ends with status 1 and the driver's words where there is no device.
#
# usage: gpu.sh BUILD        (./x gpu calls it; NACRE_LIBCUDA names another driver than libcuda.so.1)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1#"$PWD"/}
out=$build/gpu
digits=examples/digits
export NACRE_LIBCUDA=${NACRE_LIBCUDA:-libcuda.so.1}
mkdir -p "$out"

echo "== digits: compiled for GPUs, trained and evaluated on one"
"$build/bin/nacre" compile $digits/digits.nacre --target=nvptx -o "$out/"
cp $digits/*.npy "$out/"
"$build/bin/nacre" train "$out/libdigits.so" --data $digits/digits.npz --device cuda --out "$out/digits.safetensors"
"$build/bin/nacre" eval "$out/libdigits.so" --data $digits/digits.npz --weights "$out/digits.safetensors" --device cuda

echo "== golden cases on the device"
"$build/bin/nacre-golden" --device test/golden
"$build/bin/nacre-golden" --device test/golden/own
