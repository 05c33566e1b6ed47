# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A whole compiled product against NumPy's OpenBLAS on the same arrays: the call's checks and the packing are inside the timing.

Contestants take turns, medians decide, results are compared first. One process a thread count, since BLAS reads it once.
`contraction.py BUILD THREADS` prints one JSON object a line.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent
ROUNDS = 15
SHAPES = [(1024, 1024, 1024), (256, 1536, 384), (4096, 768, 768), (1000, 500, 300), *((m, 768, 768) for m in (1, 2, 4, 8, 9))]


def seconds(call, least=0.02):
    """Seconds of one call, over as many as fill `least`."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < least:
        call()
        count += 1
    return (time.perf_counter() - start) / count


def measure_here(build, threads):
    """Rows of one thread count; BLAS was told the count before it was loaded."""
    import numpy
    from library import Library

    library = Library(build / "bench" / "libcontraction.so", "contraction", None)
    context = library.context(threads)
    draw = numpy.random.Generator(numpy.random.PCG64(0))
    for m, n, k in SHAPES:
        a, b = (draw.standard_normal(shape, dtype=numpy.float32) for shape in ((m, k), (k, n)))
        ours, theirs = numpy.empty((m, n), numpy.float32), numpy.empty((m, n), numpy.float32)
        calls = [lambda: library.call(context, "product", [a, b], ours), lambda: numpy.matmul(a, b, out=theirs)]
        for call in calls:
            call()
        bound = 1e-6 * k  # c * eps * k for sums of k products of order 1
        if not float(numpy.abs(ours - theirs).max()) <= bound:
            raise SystemExit(f"contraction: {m}x{n}x{k} differs by more than {bound:.1e}: not timed")
        times = [[], []]
        for _ in range(ROUNDS):
            for taken, call in zip(times, calls):
                taken.append(seconds(call))
        ours_s, peer_s = map(statistics.median, times)
        yield {"shape": f"{m}x{n}x{k}", "threads": threads, "gflops": round(2e-9 * m * n * k / ours_s, 1),
               "openblas_gflops": round(2e-9 * m * n * k / peer_s, 1), "ratio": round(peer_s / ours_s, 2)}


def measure(build):
    """Rows for one and two threads."""
    subprocess.run([build / "bin" / "nacre", "compile", ROOT / "contraction.nacre", "-o", f"{build / 'bench'}/"], check=True,
                   stdout=subprocess.DEVNULL)
    for threads in (1, 2):
        environment = dict(os.environ, OPENBLAS_NUM_THREADS=str(threads), OPENBLAS_CORETYPE="SkylakeX")
        done = subprocess.run([sys.executable, __file__, str(build), str(threads)], env=environment, stdout=subprocess.PIPE,
                              check=True, text=True)
        yield from map(json.loads, done.stdout.splitlines())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for row in measure_here(pathlib.Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(row), flush=True)
