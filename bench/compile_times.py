# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 12: from text to library with nothing cached, sizes on disk, and the time from a mapped library to its first result."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from harness.case import Bound

NUMBER = 12
ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = [("MiniLM encode", ROOT / "examples" / "minilm" / "minilm.nacre", 5.0), ("training step", ROOT / "bench" / "training.nacre", 20.0)]
# Of a library that is already mapped: a context, and one sentence of 16 tokens. Weights are drawn before; a checkpoint is mapped, not read.
FIRST = """
import sys, time, pathlib
sys.path.insert(0, sys.argv[1])
import numpy
from library import Library
library = Library(sys.argv[2], "minilm")
start = time.perf_counter()
call = library.call(library.context(int(sys.argv[3])), "encode", [numpy.ones((1, 16), numpy.int32), numpy.full(1, 16, numpy.int32)])
call.run()
print(time.perf_counter() - start)
"""


def compiled(setting, source, folder):
    """Seconds of one compilation into a folder; the cache of kernels is empty."""
    environment = dict(os.environ, XDG_CACHE_HOME=f"{folder}/cache")
    start = time.perf_counter()
    subprocess.run([setting.build / "bin" / "nacre", "compile", source, "-o", f"{folder}/"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def stripped(path):
    """Bytes of a file without its symbols."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / path.name
        subprocess.run(["strip", "--strip-debug", "-o", out, path], check=True)
        return out.stat().st_size


def first_result(setting, library):
    """Median seconds over fresh processes."""
    command = [sys.executable, "-c", FIRST, str(ROOT / "bench"), str(library), str(setting.threads)]
    return statistics.median(float(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout) for _ in range(7))


def cases(setting):
    """Bounds, no peers."""
    rounds = 1 if setting.quick else 3
    for name, source, bound in MODELS:
        seconds = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(compiled(setting, source, folder))
                library = next(pathlib.Path(folder).glob("lib*.so"))
                size = library.stat().st_size
                if source == MODELS[0][1]:
                    first = first_result(setting, library)
        yield Bound(f"compile {name}", statistics.median(seconds), bound, "s")
        yield Bound(f"library of {name}", size, 2e6, "bytes")
        if source == MODELS[0][1]:
            yield Bound("first result", first, 0.020, "s")
    yield Bound("runtime, stripped", sum(stripped(path) for path in setting.build.glob("runtime/*.a")), 250e3, "bytes")
