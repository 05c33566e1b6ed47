#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Exported kernels in projects of their own, outside the tree: through objects, through archives and CMake, from C++. Prints TAP.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${NACRE_BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kernels="norm:rows0 encode:contract_fold0 attend:attention0 center:columns0 look:gather0"

# $1: folder, $2: CPU levels
exports() {
  "$build/bin/nacre" export-kernel "$root/test/export/kernels.nacre" --fn mlp --kernel contract0 --name mlp --cpu "$2" -o "$1" || return 1
  for kernel in $kernels; do
    "$build/bin/nacre" export-kernel "$root/test/export/kernels.nacre" --fn "${kernel%:*}" --kernel "${kernel#*:}" --cpu "$2" -o "$1" || return 1
  done
}

# $1: levels, $2: what the program says about the level
objects_agree() {
  exports "$work/$1" "$1" &&
    cc -std=c11 -Wall -Wextra -Werror -pedantic -I"$work/$1" "$work/check.c" "$work/$1"/*.o -lm -pthread -o "$work/check-$1" &&
    "$work/check-$1" >"$work/said" && cat "$work/said" && grep -Eq "^level $2$" "$work/said" && [ "$(wc -l <"$work/said")" = 9 ]
}

cmake_agrees() {
  cmake -S "$work/consumer" -B "$work/consumer/build" -DKERNELS="$work/v3,v4" && cmake --build "$work/consumer/build" &&
    "$work/consumer/build/check"
}

headers_are_cpp() {
  for header in "$work/v3,v4"/*.h; do
    cc -std=c++11 -Wall -Wextra -Werror -pedantic -x c++ -fsyntax-only "$header" || return 1
  done
}

# The object needs the C library alone, and shows the functions of its header alone.
is_alone() {
  local name symbols
  for object in "$work/v3,v4"/*.o; do
    name=$(basename "$object" .o)
    nm -u "$object" | grep -Ev ' (strcmp|mem(set|cpy|move|cmp)|_GLOBAL_OFFSET_TABLE_)$' && return 1
    symbols=$(nm -g --defined-only "$object" | awk '{ print $3 }' | sort | xargs)
    [ "$symbols" = "$name ${name}_level ${name}_scratch_bytes ${name}_task ${name}_tasks" ] || { echo "$symbols" && return 1; }
  done
}

tap() {
  if "${@:2}" >"$work/log" 2>&1; then
    echo "ok export: $1"
  else
    tail -n 30 "$work/log"
    echo "not ok export: $1"
  fi
}

mkdir "$work/consumer" && cp "$root/test/export/check.c" "$root/test/export/CMakeLists.txt" "$work/consumer" && cp "$root/test/export/check.c" "$work"
tap "kernels agree with plain loops" objects_agree v3,v4 'v[34]'
tap "kernels of one level agree with plain loops" objects_agree v3 v3
tap "a CMake project outside the tree links archives" cmake_agrees
tap "headers are good C++" headers_are_cpp
tap "objects bring nothing of the runtime" is_alone
