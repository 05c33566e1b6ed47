#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# TAP: the digits example from text to a running C program, and its expected figures.
#
# usage: test.sh BUILD
cd "$(dirname "$0")/../.." || exit 1
build=$1
here=examples/digits
out=$build/test/digits
nacre=$build/bin/nacre
rm -rf "$out"
mkdir -p "$out"

# check NAME COMMAND...: one TAP line, the command's output above it.
check() {
  local name=$1
  shift
  if "$@" 2>&1; then echo "ok digits: $name"; else echo "not ok digits: $name"; fi
}

train() { "$nacre" train $here/digits.nacre --data $here/digits.npz --seed "$1" --out "$out/$1.safetensors"; }
evaluate() { "$nacre" eval $here/digits.nacre --data $here/digits.npz --weights "$out/$1.safetensors" --json >"$out/$1.json"; }
train_and_evaluate() { train "$1" && evaluate "$1"; }
same_bits_again() { cp "$out/0.safetensors" "$out/first.safetensors" && train 0 && cmp "$out/0.safetensors" "$out/first.safetensors"; }
build_c() { cc -std=c11 -Wall -Wextra -Werror -O2 -I"$out" -Iruntime/include $here/main.c "$1" -lm -pthread -Wl,-rpath,"$out" -o "$2"; }
foreign_symbols() { nm -D --defined-only "$out/libdigits.so" | awk '$3 !~ /^digits_/ {print $3}'; }
only_own_symbols() { [ -z "$(foreign_symbols)" ] || { foreign_symbols; return 1; }; }
only_libc_and_libm() { ! readelf -d "$out/libdigits.so" | grep NEEDED | grep -vE '\[(libc|libm)\.so'; }
nothing_but_results() { [ -z "$(find "$out" -name '*.tmp*' -o -name '*.partial')" ]; }

check "compiles" "$nacre" compile $here/digits.nacre -o "$out/"
for seed in 0 1 2; do check "trains and evaluates with seed $seed" train_and_evaluate $seed; done
check "reaches its accuracies, mean of three seeds" python3 $here/expect.py "$out"/[0-2].json
check "the same seed gives the same bits" same_bits_again
check "the C program builds against the archive" build_c "$out/libdigits.a" "$out/digits-static"
check "the C program builds against the shared library" build_c "$out/libdigits.so" "$out/digits-shared"
check "the C program runs from the archive" "$out/digits-static" "$out/0.safetensors"
check "the C program runs from the shared library" "$out/digits-shared" "$out/0.safetensors"
check "the library exports the model's names alone" only_own_symbols
check "the library needs libc and libm alone" only_libc_and_libm
check "nothing is left behind" nothing_but_results
