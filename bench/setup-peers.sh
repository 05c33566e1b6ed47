#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings what bench/ measures against: OpenBLAS (a system package, see setup.sh) and, into an environment of its own in BUILD/peers/venv,
# NumPy, the MiniLM checkpoint and the peers of requirements.txt, one by one: what cannot be had is named with the reason, and its rows
# say "no peer". Does nothing that is done already. Exit status 77: not even NumPy can be had, so nothing can be measured.
#
# usage: setup-peers.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1/peers/venv
log=$1/peers/setup.log

# Installs what stands behind pip's options; a sentence and a failure when that cannot be had.
bring() {
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --timeout 30 "$@" >"$log" 2>&1 && return 0
  echo "peers: ${!#} cannot be had: $(grep -m1 '^ERROR' "$log" || tail -n 1 "$log")"
  return 1
}

# The installed packages as name==version lines, names as the requirements spell them.
installed() { "$venv/bin/python" -m pip list --disable-pip-version-check --format=freeze 2>/dev/null; }

mkdir -p "$1/peers"
"$here/../setup.sh" bench || echo "peers: without OpenBLAS the kernel benchmarks have nothing to stand beside"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
present=$(installed)
base=$here/../examples/minilm/requirements.txt
if ! cmp -s "$base" "$1/peers/base.txt"; then
  bring -r "$base" || exit 77
  cp "$base" "$1/peers/base.txt"
fi
while read -r package _; do
  case $package in '' | '#'*) continue ;; esac
  grep -qixF "$package" <<<"${present//_/-}" && continue
  echo "peers: installing $package"
  bring "$package" || true
done <"$here/requirements.txt"
