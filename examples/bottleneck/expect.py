#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Holds the figures of this example, each the mean of three seeds, to their ranges; exit status 1 outside one.

usage: expect.py curves.json

The ranges, and why: a linear head that sees two classes alone learns to answer one of them, so it ends near 0.2, the share of the
last task, and has lost what it knew of the others, nearly 1. The bottleneck changes only the values that a task fetches: measured
0.926 in the end and 0.036 lost; seeds lie within 0.02. It must stay near what it reaches when it sees all classes at once, which
is below the linear head's, for a code of 32 times 7 bits is all that it keeps of an image.
"""

import json
import pathlib
import sys


def main():
    """Prints each figure beside its range."""
    curves = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    mean = lambda values: sum(values) / len(values)
    last = {method: mean([seen[-1] for seen in curves[method]["seen"]]) for method in curves}
    figures = {
        "bottleneck, all ten classes after the last task": (last["bottleneck"], 0.88, 1.0),
        "bottleneck, average forgetting": (mean(curves["bottleneck"]["forgetting"]), -1.0, 0.08),
        "bottleneck, below training on all at once by": (mean(curves["bottleneck"]["all"]) - last["bottleneck"], -1.0, 0.04),
        "linear head, all ten classes after the last task": (last["linear"], 0.1, 0.3),
        "linear head, average forgetting": (mean(curves["linear"]["forgetting"]), 0.9, 1.0),
        "linear head, all classes at once": (mean(curves["linear"]["all"]), 0.94, 1.0),
    }
    wrong = False
    for name, (value, least, most) in figures.items():
        wrong |= not least <= value <= most
        print(f"{name}: {value:.3f}, expected {least} to {most}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
