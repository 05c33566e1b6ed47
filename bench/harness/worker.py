# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One workload in a process of its own (thread pools read their size once): a row a line on standard output, as JSON.

usage: worker.py BUILD WORKLOAD THREADS full|quick
"""

import importlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness.contest import measure, say  # noqa: E402
from harness.setting import Setting  # noqa: E402


def main():
    """Measures every case in order; each row leaves at once, so that a later failure keeps it."""
    build, name, threads, manner = sys.argv[1:]
    setting = Setting(build, int(threads), manner == "quick")
    workload = importlib.import_module(name)
    for case in workload.cases(setting):
        row = {"workload": name, "number": workload.NUMBER, "threads": setting.threads, **measure(case, setting.quick),
               "fma_flop_s": setting.limits["fma_flop_s"], "read_bytes_s": setting.limits["read_bytes_s"]}
        say(summary(row))
        print(json.dumps(row), flush=True)


def summary(row):
    """One line of progress."""
    ratio = f"{row['ratio']:.2f} of {row['peer']}" if row["ratio"] else "no peer"
    return f"{row['case']}: {row['ours_s']:.4g} {row['unit']}, {ratio} (target {row['target']})"


if __name__ == "__main__":
    main()
