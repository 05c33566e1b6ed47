#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings the peers, measures, draws the picture. A peer that cannot be had is named as missing; it stops nothing.
#
# usage: run.sh BUILD [OPTIONS] [WORKLOAD...]       `run.sh BUILD --help` explains them
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
python=$build/peers/venv/bin/python
case " $* " in
  *" --help "* | *" -h "* | *" --list "*) ;;
  *) bash "$here/setup-peers.sh" "$build" ;;
esac
[ -x "$python" ] || python=python3
"$python" "$here/run.py" "$build" "$@"
[ -e "$build/bench.json" ] || exit 0
bash "$here/../examples/plot.sh" "$build" "$here/picture.py" "$build" || [ $? -eq 77 ]
