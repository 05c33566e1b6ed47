#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings what bench/ measures against: OpenBLAS (a system package, see setup.sh) and, into BUILD/peers/venv, the checkpoint and
# onnxruntime; PyTorch only when asked for, since it is large. Does nothing that is done already.
#
# usage: setup-peers.sh BUILD [torch]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1/peers/venv
log=$1/peers/setup.log
lists=("$here/../examples/minilm/requirements.txt")
[ "${2:-}" = torch ] && lists+=("$here/requirements-torch.txt")

mkdir -p "$1/peers"
"$here/../setup.sh" bench || echo "peers: without OpenBLAS the contraction has nothing to stand beside"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
for list in "${lists[@]}"; do
  copy=$venv/$(basename "$list")
  cmp -s "$list" "$copy" && continue
  echo "peers: installing $(grep -c '^[a-z]' "$list") packages of $(basename "$list")"
  if ! "$venv/bin/python" -m pip install -q --disable-pip-version-check --timeout 30 -r "$list" >"$log" 2>&1; then
    echo "peers: $(grep -m1 '^ERROR' "$log" || tail -n 1 "$log")"
    exit 77
  fi
  cp "$list" "$copy"
done
