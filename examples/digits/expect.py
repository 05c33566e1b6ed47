#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds the mean accuracy of several seeds to what this example promises; exit status 1 below it.

usage: expect.py EVAL.json...        each from `nacre eval --json`: `metric` lists the accuracy at each width, ascending

The bounds stand below what the same recipe gives in PyTorch on this very split: 0.901, 0.970, 0.977, 0.979 and 0.980 from
narrow to wide, the mean of three seeds, whose values at width 4 lie 0.025 apart.
"""

import json
import pathlib
import sys

LEAST = {4: 0.85, 8: 0.925, 16: 0.955, 32: 0.955, 64: 0.955}


def main():
    """Prints each width's mean beside its bound."""
    runs = [json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["metric"] for path in sys.argv[1:]]
    low = False
    for (width, least), values in zip(LEAST.items(), zip(*runs, strict=True), strict=True):
        mean = sum(values) / len(values)
        low |= not mean >= least
        print(f"width {width:2}: {mean:.4f}, at least {least}")
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
