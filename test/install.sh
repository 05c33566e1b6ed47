#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The installed package serves a project of its own: find_package, a compiled model, a linked program. Prints TAP.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${NACRE_BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

serves() {
  cmake --install "$build" --prefix "$work/prefix" &&
    cmake -S "$root/test/install" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" -DEXAMPLE="$root/examples/digits" &&
    cmake --build "$work/consumer" && test -x "$work/consumer/app" && test -s "$work/prefix/lib/pkgconfig/nacre.pc"
}

if serves >"$work/log" 2>&1; then
  echo "ok install: a project outside the tree finds, compiles and links"
else
  tail -n 30 "$work/log"
  echo "not ok install: a project outside the tree finds, compiles and links"
fi
