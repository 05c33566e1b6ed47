#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws every row as bars against the limit: how much of it ours and the best peer reach. Needs matplotlib (examples/plot.sh has it).

usage: picture.py BUILD        reads BUILD/bench.json, writes BUILD/bench.svg
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

OURS, THEIRS, MISSED = "#1b6ca8", "#b9c4cc", "#c0392b"


def label(row):
    """Number, workload, case, threads."""
    return f"{row['number']}  {row['workload']}: {row['case']}, {row['threads']} thr."


def note(row):
    """The ratio and its target at the end of a bar."""
    if not row["ratio"]:
        return "no peer"
    return f"{row['ratio']:.2f}x {row['peer']}" + (f" (target {row['target']:.2f})" if row["target"] else "")


def main():
    """One pair of bars a row; the dashed line is the limit."""
    build = pathlib.Path(sys.argv[1])
    result = json.loads((build / "bench.json").read_text(encoding="utf-8"))
    rows = [row for row in result["rows"] if row.get("limit_fraction")]
    if not rows:
        raise SystemExit("bench: no row has a limit to draw")
    rows.reverse()
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9})
    figure, axes = pyplot.subplots(figsize=(11, 1.2 + 0.36 * len(rows)), layout="constrained")
    places = range(len(rows))
    ours = [row["limit_fraction"] for row in rows]
    theirs = [row["limit_fraction"] / row["ratio"] if row["ratio"] else 0 for row in rows]
    axes.barh([at + 0.2 for at in places], ours, 0.4, color=OURS, label="ours")
    axes.barh([at - 0.2 for at in places], theirs, 0.4, color=THEIRS, label="best peer")
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    for at, row in zip(places, rows):
        missed = row["ratio"] and row["target"] and row["ratio"] < row["target"]
        axes.annotate(note(row), (max(ours[at], theirs[at]), at), (4, 0), textcoords="offset points", va="center", fontsize=8,
                      color=MISSED if missed else "black")
    axes.set(yticks=list(places), yticklabels=[label(row) for row in rows], ylim=(-0.7, len(rows) - 0.3),
             xlim=(0, max(1.35, 1.3 * max(ours + theirs))),
             xlabel="share of the machine's limit in the same run (1 = FMA peak or streaming read); red: target missed")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)
    machine = result["machine"]
    axes.set_title(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']} before the run", fontsize=10, loc="left")
    figure.savefig(build / "bench.svg", metadata={"Date": None})
    print("the picture is bench.svg in the build folder")


if __name__ == "__main__":
    main()
