#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what Nacre needs from Debian 12's own packages, and nothing when all of it is there. Asks no question.
# `setup.sh bench` adds what bench/ measures against.
#
# This is the one list of dependencies. LLVM and MLIR are pinned to one major version (NACRE_LLVM_MAJOR in CMakeLists.txt
# must say the same); every other package is the one version that Debian 12 carries.
set -euo pipefail

llvm=22
packages=(
  "libmlir-$llvm-dev:the compiler is built from MLIR's dialects, passes and vector lowering"
  "mlir-$llvm-tools:mlir-tblgen makes the dialects' C++ from their definitions"
  "llvm-$llvm-dev:code generation for the CPU and the object writer"
  "llvm-$llvm-tools:lit, FileCheck and not run the tests"
  "lld-$llvm:links the library that 'nacre compile' writes"
  "g++:compiles the C++ of the compiler"
  "gcc:compiles the C of the runtime, and a C program against a compiled model"
  "libc6-dev:the only library that a compiled model needs"
  "binutils:nm and ar, for the compiled library's archive and for its symbol test"
  "cmake:describes the build"
  "ninja-build:runs the build"
  "libgtest-dev:unit tests of what has no text form"
  "python3:lit, the test runner and the layering test"
  "python3-venv:the MiniLM example and the peers of bench/ live in environments of their own"
)

# Only for `setup.sh bench`.
bench_packages=("libopenblas0-pthread:the peer of the contraction kernels")

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Packages of the list that are not installed, one a line.
missing() {
  local entry
  for entry in "${packages[@]}"; do
    installed "${entry%%:*}" || printf '%s\n' "${entry%%:*}"
  done
}

list_with_reasons() {
  local entry
  for entry in "${packages[@]}"; do
    case " $* " in *" ${entry%%:*} "*) printf '  %-20s %s\n' "${entry%%:*}" "${entry#*:}" ;; esac
  done
}

# True when a build can go on without Debian's packages: somebody put the tools and LLVM/MLIR elsewhere.
found_elsewhere() {
  local tool
  for tool in cmake ninja c++ cc python3; do command -v "$tool" >/dev/null || return 1; done
  [ -n "${MLIR_DIR:-}" ] && [ -e "$MLIR_DIR/MLIRConfig.cmake" ] && return 0
  local folder
  for folder in "/usr/lib/llvm-$llvm" ${CMAKE_PREFIX_PATH//[:;]/ }; do
    [ -e "$folder/lib/cmake/mlir/MLIRConfig.cmake" ] && return 0
  done
  return 1
}

# Prints the word to put before a command that needs root: nothing, or sudo where it asks no password.
root_prefix() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && echo sudo && return 0
  return 1
}

explain_no_root() {
  echo "setup: these need root, and neither root nor a sudo without a password is at hand. Ask for:" >&2
  echo "  apt-get install --no-install-recommends $*" >&2
}

# run_apt PREFIX LOG ARGUMENT...: apt-get without questions, everything it says kept in the log.
run_apt() {
  local prefix=$1 log=$2
  shift 2
  $prefix env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null >>"$log" 2>&1
}

# The package lists are read again only where they are absent or too old to know or to fetch what is wanted.
install_packages() {
  local prefix=$1 log=$2
  shift 2
  local wanted=(install -y --no-install-recommends "$@")
  if ! run_apt "$prefix" "$log" --simulate "${wanted[@]}"; then
    echo "setup: reading the package lists"
    run_apt "$prefix" "$log" update || true
    run_apt "$prefix" "$log" --simulate "${wanted[@]}" || fail_missing "$log" "$@"
  fi
  echo "setup: installing (about 2 GB on a fresh machine, a few minutes)"
  run_apt "$prefix" "$log" "${wanted[@]}" && return 0
  echo "setup: some packages were not to be had; reading the package lists and trying once more"
  run_apt "$prefix" "$log" update || true
  run_apt "$prefix" "$log" "${wanted[@]}" && return 0
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; the whole log is $log" >&2
  exit 1
}

fail_missing() {
  local log=$1 name
  shift
  echo "setup: this system's package lists lack:" >&2
  for name in "$@"; do apt-cache show "$name" >/dev/null 2>&1 || echo "  $name" >&2; done
  echo "Nacre is set up for Debian 12 with its security updates on (LLVM $llvm comes from there); the log is $log" >&2
  exit 1
}

main() {
  [ "${1:-}" = bench ] && packages+=("${bench_packages[@]}")
  if ! command -v dpkg-query >/dev/null; then
    found_elsewhere && return 0
    echo "setup: this is not a Debian system. Provide LLVM/MLIR $llvm, a C++17 compiler, cmake, ninja, GoogleTest," >&2
    echo "python3, and set MLIR_DIR=<prefix>/lib/cmake/mlir." >&2
    exit 1
  fi
  local wanted
  mapfile -t wanted < <(missing)
  [ "${#wanted[@]}" = 0 ] && return 0
  echo "setup: ${#wanted[@]} packages are missing"
  list_with_reasons "${wanted[@]}"
  local prefix
  if ! prefix=$(root_prefix); then
    explain_no_root "${wanted[@]}"
    found_elsewhere || exit 1
    echo "setup: going on: the tools and LLVM/MLIR $llvm are found elsewhere" >&2
    return 0
  fi
  local folder log
  folder=$(cd "$(dirname "$0")" && pwd)/build
  mkdir -p "$folder"
  log=$folder/setup.log
  : >"$log"
  install_packages "$prefix" "$log" "${wanted[@]}"
  echo "setup: done"
}

main "$@"
