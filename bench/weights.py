# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One product with a weight of 768 x 768, in five forms that take turns: packed in every call, packed once, bf16, int8, and NumPy's BLAS.

`weights.py BUILD THREADS [LEVEL]` compiles bench/weights.nacre in every form and prints one JSON object a line: seconds are medians, ratios
are times of "packed in every call" over times of the form, errors are those of the least cosine between rows of a form and of f32.
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
ROWS = (1, 2, 4, 8, 64, 256, 4096)
FORMS = {"every_call": ["--no-packing"], "once": [], "bf16": ["--precision", "bf16"], "int8": ["--precision", "int8"]}


def seconds(call, least=0.01):
    """Seconds of one call, over as many as fill `least`."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < least:
        call()
        count += 1
    return (time.perf_counter() - start) / count


def compiled(build, form):
    """The library of a form, with the weights of seed 1."""
    import ctypes
    from library import Library

    folder = build / "bench" / f"weights-{form}"
    subprocess.run([build / "bin" / "nacre", "compile", ROOT / "weights.nacre", "-o", folder, *FORMS[form]], check=True, stdout=subprocess.DEVNULL)
    library = Library(folder / "libweights.so", "weights", None)
    library.api.parameters_init(library.parameters, 1, ctypes.byref(library.error))
    return library


def measure(build, threads):
    import numpy

    libraries = {form: compiled(build, form) for form in FORMS}
    contexts = {form: library.context(threads) for form, library in libraries.items()}
    draw = numpy.random.Generator(numpy.random.PCG64(0))
    weight = numpy.empty((768, 768), numpy.float32)
    libraries["every_call"].call(contexts["every_call"], "product", [numpy.eye(768, dtype=numpy.float32)], weight)
    for rows in ROWS:
        x = draw.standard_normal((rows, 768), dtype=numpy.float32)
        results = {form: numpy.empty((rows, 768), numpy.float32) for form in [*FORMS, "numpy"]}
        calls = {form: (lambda form=form: libraries[form].call(contexts[form], "product", [x], results[form])) for form in FORMS}
        calls["numpy"] = lambda: numpy.matmul(x, weight, out=results["numpy"])
        for call in calls.values():
            call()
        if (results["every_call"] != results["once"]).any():
            raise SystemExit(f"weights: {rows} rows: packing once changes bits: not timed")
        if abs(results["numpy"] - results["once"]).max() > 1e-6 * 768:
            raise SystemExit(f"weights: {rows} rows: the product differs from NumPy's: not timed")
        times = {form: [] for form in calls}
        for _ in range(ROUNDS):
            for form, call in calls.items():
                times[form].append(seconds(call))
        medians = {form: statistics.median(taken) for form, taken in times.items()}
        exact = results["numpy"].astype(numpy.float64)
        cosine = lambda y: float(((y * exact).sum(1) / numpy.sqrt((y * y).sum(1, dtype=numpy.float64) * (exact * exact).sum(1))).min())
        yield {"rows": rows, "threads": threads, "gflops_once": round(2e-9 * rows * 768 * 768 / medians["once"], 1),
               **{f"ratio_{form}": round(medians["every_call"] / taken, 2) for form, taken in medians.items() if form != "every_call"},
               **{f"cosine_{form}": round(cosine(results[form]), 7) for form in ("bf16", "int8")}}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.update(OPENBLAS_NUM_THREADS=sys.argv[2], OPENBLAS_CORETYPE="SkylakeX")
    for row in measure(pathlib.Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(row), flush=True)
