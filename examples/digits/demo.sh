#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The tour: compile the model, train it on real digits, evaluate every width, call the library from C.
#
# usage: demo.sh BUILD        (./x demo calls it)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1#"$PWD"/}
here=examples/digits
out=$build/digits
mkdir -p "$out"

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n%s\n' "$*"; }

# Shows a command, then runs it.
show() {
  printf '$ %s\n' "$*"
  "$@"
}

title "1. Compile: one text file becomes a library, a header and a manifest"
show "$build/bin/nacre" compile $here/digits.nacre -o "$out/"

title "2. Train: 1,437 hand-written digits, five nested widths at once"
show "$build/bin/nacre" train $here/digits.nacre --data $here/digits.npz --out "$out/digits.safetensors"

title "3. Evaluate: 360 digits it has not seen, at every width"
show "$build/bin/nacre" eval $here/digits.nacre --data $here/digits.npz --weights "$out/digits.safetensors"

title "4. Call it from C: main.c, the generated header, and nothing else"
show cc -std=c11 -O2 -I"$out" -Iruntime/include $here/main.c "$out/libdigits.a" -lm -pthread -o "$out/digits"
show "$out/digits" "$out/digits.safetensors"

title "The library, its header and its weights are in $out/"
