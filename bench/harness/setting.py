# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a workload finds around it: the build, the thread count, compiled models, the machine's limits."""

import os
import pathlib
import subprocess

import numpy

from harness.machine import limits
from library import Library

BENCH = pathlib.Path(__file__).resolve().parent.parent


class Setting:
    """`quick`: smaller sizes; `draw`: the one source of random inputs, seed 0."""

    def __init__(self, build, threads, quick):
        self.build, self.threads, self.quick = pathlib.Path(build), threads, quick
        self.draw = numpy.random.Generator(numpy.random.PCG64(0))
        self.limits = limits(self.build, threads)

    def normal(self, *shape):
        """Standard normal f32."""
        return self.draw.standard_normal(shape, dtype=numpy.float32)

    def flop_s(self, flop):
        """Seconds that so many f32 operations take at the FMA peak of all threads."""
        return flop / self.limits["fma_flop_s"]

    def read_s(self, read_bytes):
        """Seconds that so many bytes take at the read bandwidth of all threads."""
        return read_bytes / self.limits["read_bytes_s"]

    def library(self, source, model=None, weights=None):
        """The compiled model of a file (of bench/, unless it has a path), compiled anew when the file or the compiler is younger."""
        source = BENCH / source
        name = (model or source.stem).lower()
        out = self.build / "bench" / f"lib{name}.so"
        compiler = self.build / "bin" / "nacre"
        if not out.exists() or out.stat().st_mtime < max(source.stat().st_mtime, compiler.stat().st_mtime):
            choice = ["-m", model] if model else []
            subprocess.run([compiler, "compile", source, *choice, "-o", f"{out.parent}{os.sep}"], check=True, stdout=subprocess.DEVNULL)
        return Library(out, name, weights)
