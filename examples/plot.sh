#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs a script that draws a picture, in an environment with a plotting library (about 60 MB, fetched once into BUILD/plotting).
# Exit status 77: the library cannot be had here, with the reason.
#
# usage: plot.sh BUILD SCRIPT [ARGUMENTS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1/plotting
shift
mkdir -p "$out"
if ! cmp -s "$here/plot-requirements.txt" "$out/plot-requirements.txt"; then
  if ! { python3 -m venv "$out" && "$out/bin/pip" install -q --disable-pip-version-check --timeout 20 --retries 2 \
    -r "$here/plot-requirements.txt"; } >"$out/pip.log" 2>&1; then
    echo "no picture: matplotlib cannot be had here: $(grep -m1 '^ERROR' "$out/pip.log" || tail -n 1 "$out/pip.log")"
    exit 77
  fi
  cp "$here/plot-requirements.txt" "$out/"
fi
exec "$out/bin/python" "$@"
