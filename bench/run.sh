#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings the peers, then measures. A peer that cannot be had is named as missing in the table; it stops nothing.
#
# usage: run.sh BUILD [--torch] [SECTION...]       sections: kernels contraction experts minilm sizes compile (default: all)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
torch=
[ "${1:-}" = --torch ] && torch=torch && shift
python=$build/peers/venv/bin/python
bash "$here/setup-peers.sh" "$build" $torch || python=python3
exec "$python" "$here/run.py" "$build" "$@"
