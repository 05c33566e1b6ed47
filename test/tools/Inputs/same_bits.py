# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""same_bits.py NACRE FOLDER LEVEL NAME...: libraries of products.nacre in FOLDER/NAME give the bits of the first, at sizes around blocks."""

import os
import pathlib
import subprocess
import sys

nacre, folder, level, *names = sys.argv[1:]
inputs = {"wide": ["x", "w", "bias"], "encode": ["x", "w", "bias"], "turned": ["x", "y"]}
if level not in ("v3", "v4") or (level == "v4" and " avx512bw" not in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")):
    sys.exit(0)  # the machine lacks the level
for function, arrays in inputs.items():
    results = []
    for name in names:
        out = f"{folder}/{name}-{function}-{level}.npz"
        given = [word for array in arrays for word in ("--in", f"{array}={folder}/{array}.npy")]
        subprocess.run([nacre, "run", f"{folder}/{name}/libproducts.so", "--fn", function, *given, "--out", out],
                       check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, NACRE_CPU=level))
        results.append(pathlib.Path(out).read_bytes())
    assert all(result == results[0] for result in results), f"{function} at {level}: bits depend on the schedule"
