# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mixture of experts by its chosen experts against all of its experts, both compiled: 8 experts, 2 a token, 512 tokens.

Contestants take turns, medians decide, results are compared first. The work is 2/8, so the best ratio is 4.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent
ROUNDS = 15


def measure(build):
    """A row for one and two threads."""
    import numpy
    from library import Library

    subprocess.run([build / "bin" / "nacre", "compile", ROOT / "experts.nacre", "-o", f"{build / 'bench'}/"], check=True,
                   stdout=subprocess.DEVNULL)
    library = Library(build / "bench" / "libexperts.so", "experts", None)
    draw = numpy.random.Generator(numpy.random.PCG64(0))
    shapes = ((512, 256), (256, 8), (8, 256, 1024), (8, 1024, 256))
    inputs = [draw.standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.1) for shape in shapes]
    for threads in (1, 2):
        context = library.context(threads)
        outputs = {name: numpy.empty((512, 256), numpy.float32) for name in ("chosen", "all")}
        times = {name: [] for name in outputs}
        for name, output in outputs.items():
            library.call(context, name, inputs, output)
        if not float(numpy.abs(outputs["chosen"] - outputs["all"]).max()) <= 1e-4:
            raise SystemExit("experts: the two ways differ: not timed")
        for _ in range(ROUNDS):
            for name, output in outputs.items():
                start = time.perf_counter()
                library.call(context, name, inputs, output)
                times[name].append(time.perf_counter() - start)
        chosen, every = (statistics.median(times[name]) for name in ("chosen", "all"))
        yield {"threads": threads, "chosen_ms": round(1e3 * chosen, 2), "all_ms": round(1e3 * every, 2), "ratio": round(every / chosen, 2)}


if __name__ == "__main__":
    for row in measure(pathlib.Path(sys.argv[1])):
        print(json.dumps(row), flush=True)
