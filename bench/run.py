#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every measurement that exists, as tables and as BUILD/bench.json. Ratios are against a peer measured in the same run.

usage: run.py BUILD [kernels] [contraction] [experts] [minilm] [sizes] [compile]      (./x bench calls it)
"""

import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILE_ROUNDS = 3


def table(rows):
    """Prints rows (dicts with the same keys) in columns."""
    if not rows:
        return print("  nothing to measure")
    columns = list(rows[0])
    widths = {c: max(len(c), *(len(str(row.get(c, ""))) for row in rows)) for c in columns}
    print("  " + "  ".join(c.ljust(widths[c]) for c in columns))
    for row in rows:
        print("  " + "  ".join(str(row.get(c, "")).ljust(widths[c]) for c in columns))


def kernels(build):
    """Each build/bin/nacre-bench-*: its own table as it prints it, and its lines that are JSON objects."""
    rows = []
    for program in sorted((build / "bin").glob("nacre-bench-*")):
        print(f"  {program.name}", flush=True)
        done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{program.name} ended with status {done.returncode}\n{done.stdout}")
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                rows.append({"program": program.name, **json.loads(line)})
            else:
                print("    " + line)
    return rows


def minilm(build):
    """Throughput of the published encoder; see minilm.py."""
    import minilm as encoder

    return list(encoder.measure(build))


def contraction(build):
    """A compiled product against OpenBLAS, one and two threads; see contraction.py."""
    import contraction as product

    return list(product.measure(build))


def experts(build):
    """A mixture of experts by its chosen experts and by all of them; see experts.py."""
    import experts as mixture

    return list(mixture.measure(build))


def models():
    """The example models."""
    return sorted(ROOT.glob("examples/*/*.nacre"))


def sizes(build):
    """Bytes of the tool, the runtime and each example's library, stripped of nothing."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models():
            subprocess.run([build / "bin" / "nacre", "compile", model, "-o", f"{folder}/"], check=True, stdout=subprocess.DEVNULL)
        files = [build / "bin" / "nacre", *build.glob("runtime/*.a"), *pathlib.Path(folder).glob("lib*")]
        for path in files:
            rows.append({"file": path.name, "bytes": path.stat().st_size})
    return rows


def compile_times(build):
    """Seconds from text to library, each with an empty kernel cache."""
    rows = []
    for model in models():
        seconds = []
        for _ in range(COMPILE_ROUNDS):
            folder = tempfile.mkdtemp()
            environment = dict(os.environ, XDG_CACHE_HOME=folder)
            start = time.perf_counter()
            subprocess.run([build / "bin" / "nacre", "compile", model, "-o", f"{folder}/out/"], check=True, env=environment,
                           stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - start)
            shutil.rmtree(folder)
        rows.append({"model": model.name, "seconds": round(statistics.median(seconds), 2)})
    return rows


SECTIONS = {"kernels": kernels, "contraction": contraction, "experts": experts, "minilm": minilm, "sizes": sizes, "compile": compile_times}


def processor():
    """The CPU's name, as the system gives it."""
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    """Runs the chosen sections in order and keeps the JSON."""
    build, chosen = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        raise SystemExit(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    result = {"processor": processor(), "cores": os.cpu_count()}
    print(f"{result['processor']}, {result['cores']} cores")
    for name in chosen:
        print(f"\n{name}", flush=True)
        result[name] = SECTIONS[name](build)
        table(result[name])
    (build / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\nkept in bench.json in the build folder")


if __name__ == "__main__":
    main()
