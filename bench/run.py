#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs workloads, each in processes of its own, and keeps rows, method and machine in BUILD/bench.json (`./x bench`; see README.md)."""

import argparse
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time

from harness import report
from harness.machine import describe, has_avx512

BENCH = pathlib.Path(__file__).resolve().parent
WORKLOADS = ["contraction", "nested_head", "contrastive", "sae", "codebook", "attention", "minilm", "training", "retrieval", "feedforward",
             "compile_times", "growth", "experts", "plain"]
ALSO = {"5": "sae"}  # two workloads of one model
METHOD = ("Results are compared before anything is timed; a contestant that disagrees is left out. Contestants take turns in one "
          "process; a sample repeats what is shorter than 20 ms; medians of the rounds decide, quartiles are kept. ratio = peer / "
          "ours, of the peer that is hardest to satisfy. peak_bytes: arena, scratch, parameters, inputs and outputs of the call, "
          "as the library's own table states them; extra_bytes: by how much one call raised the process's resident memory. "
          "limit_fraction: the time at the FMA peak (counted in the threads' own running time) or the read bandwidth, measured "
          "just before in a process of its own, over ours.")


def number_of(name):
    """Of the table; imported only for this, so a missing peer does not matter."""
    return importlib.import_module(name).NUMBER


def chosen(names):
    """Module names in the table's order."""
    by_number = {**{str(number_of(name)): name for name in WORKLOADS}, **ALSO}
    found = [by_number.get(name, name) for name in names] or WORKLOADS
    for name in found:
        if name not in WORKLOADS:
            raise SystemExit(f"bench: expected workloads among {', '.join(WORKLOADS)} or their numbers, but got '{name}'")
    return [name for name in WORKLOADS if name in found]


def environment_for(build, threads):
    """Thread counts and kernels that peers read when they are loaded."""
    caches = {"TORCHINDUCTOR_CACHE_DIR": str(build / "peers" / "inductor"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore",
              "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
    kernels = {"OPENBLAS_CORETYPE": "SkylakeX"} if has_avx512() else {}  # half as fast on this kind of core without it
    return {**kernels, **os.environ, **caches, **counts}


def rows_of(build, name, threads, manner):
    """Rows of one workload as they come. One that fails ends with a row that says so; the run goes on."""
    command = [sys.executable, BENCH / "harness" / "worker.py", build, name, str(threads), manner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment_for(build, threads)) as worker:
        for line in worker.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    if worker.returncode:
        print(f"    {name} ended with status {worker.returncode}", file=sys.stderr)
        yield {"workload": name, "number": number_of(name), "threads": threads, "case": "failed", "failed": worker.returncode}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="./x bench", description="Measures workloads side by side with their peers.")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="a name or a number of --list; default: all of them")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and three rounds: does everything work?")
    parser.add_argument("--threads", type=int, metavar="N", help="in place of the workload's own thread counts")
    parser.add_argument("--results", action="store_true", help="also write the table into bench/RESULTS.md, between its two marks")
    parser.add_argument("--list", action="store_true", help="the workloads, and nothing else")
    return parser.parse_args()


def main():
    """Every row reaches the file as soon as it is measured."""
    options, start = arguments(), time.monotonic()
    if options.list:
        for name in WORKLOADS:
            print(f"{number_of(name):3} {name:14} {importlib.import_module(name).__doc__.splitlines()[0]}")
        return
    build, manner, rows = options.build.resolve(), "quick" if options.quick else "full", []
    result = {**describe(build), "method": METHOD, "manner": manner, "rows": rows}
    print(f"{result['machine']['processor']}, {result['machine']['cores']} cores, load {result['machine']['load']}")
    for name in chosen(options.workloads):
        counts = [options.threads] if options.threads else getattr(importlib.import_module(name), "THREADS", (2,))
        for threads in counts:
            print(f"[{time.monotonic() - start:5.0f} s] {name}, {threads} threads", file=sys.stderr, flush=True)
            for row in rows_of(build, name, threads, manner):
                rows.append(row)
                (build / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    report.print_table(rows)
    if options.results:
        report.write_results(BENCH / "RESULTS.md", result)
    print(f"\n{len(rows)} rows in {time.monotonic() - start:.0f} s, kept in bench.json in the build folder")


if __name__ == "__main__":
    main()
