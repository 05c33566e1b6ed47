# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a result needs to be read later: the machine, its limits, the versions of the peers."""

import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess

PEERS = ["numpy", "torch", "onnxruntime", "openvino", "faiss-cpu", "vector-quantize-pytorch", "sentence-transformers", "eai-sparsify"]


def cpu_field(name):
    """A line of the system's account of the first CPU, or None."""
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return None


def has_avx512():
    """Whether kernels for Skylake's server cores run here."""
    return "avx512f" in (cpu_field("flags") or "").split()


def version(name):
    """Of an installed package, or why there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def limits(build, threads):
    """FMA peak and streaming read of so many threads at once."""
    command = [build / "bin" / "nacre-bench-limits", str(threads)]
    return json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)


def describe(build):
    """{"machine": .., "limits": [one thread, all], "peers": ..}."""
    cores = len(os.sched_getaffinity(0))
    machine = {"processor": cpu_field("model name") or platform.processor(), "cores": cores,
               "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "system": platform.platform(),
               "load": round(os.getloadavg()[0], 1)}
    return {"machine": machine, "limits": [limits(build, threads) for threads in sorted({1, cores})],
            "peers": {name: version(name) for name in PEERS}}
