#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws the forgetting curves. Needs matplotlib (examples/plot.sh has it).

usage: picture.py FOLDER        reads curves.json, writes forgetting.svg
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

LOOKS = {"bottleneck": ("key-value bottleneck", "#1b6ca8", "o"), "linear": ("linear head", "#c8553d", "s")}
CLASSES = ["0–1", "0–3", "0–5", "0–7", "0–9"]


def main():
    """One line a method: the mean of the seeds, the area between the least and the most, dashed what training on all at once gives."""
    folder = pathlib.Path(sys.argv[1])
    curves = json.loads((folder / "curves.json").read_text(encoding="utf-8"))
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "forgetting", "font.size": 11})
    figure, axes = pyplot.subplots(figsize=(6.4, 3.9), layout="constrained")
    for method, (label, colour, marker) in LOOKS.items():
        seeds = list(zip(*curves[method]["seen"]))
        middle = [sum(values) / len(values) for values in seeds]
        at_once = sum(curves[method]["all"]) / len(curves[method]["all"])
        axes.fill_between(CLASSES, [min(v) for v in seeds], [max(v) for v in seeds], color=colour, alpha=0.2, linewidth=0)
        axes.plot(CLASSES, middle, color=colour, marker=marker, label=label)
        axes.annotate(f"{middle[-1]:.2f}", (CLASSES[-1], middle[-1]), xytext=(-10, -18), textcoords="offset points", color=colour)
        axes.axhline(at_once, color=colour, linestyle=":", linewidth=1, label=f"{label}, all classes at once")
    axes.set(xlabel="classes seen so far, two a task", ylabel="test accuracy on them", ylim=(0, 1.03))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left", fontsize=9.5)
    figure.savefig(folder / "forgetting.svg", metadata={"Date": None})
    print(f"the curves are in {folder / 'forgetting.svg'}")


if __name__ == "__main__":
    main()
