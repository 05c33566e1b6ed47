#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws how often the latents fire. Needs matplotlib (examples/plot.sh has it).

usage: picture.py FOLDER        reads figures.json, writes latents.svg
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402


def main():
    """A histogram of the shares of training tokens at which each living latent fires, on a logarithmic axis."""
    folder = pathlib.Path(sys.argv[1])
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    shares = [count / figures["training_tokens"] for count in figures["fired"] if count]
    least, most, bins = min(shares), 1.0, 40
    edges = [least * (most / least) ** (i / bins) for i in range(bins + 1)]
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "latents", "font.size": 11})
    figure, axes = pyplot.subplots(figsize=(6.4, 3.4), layout="constrained")
    axes.hist(shares, bins=edges, color="#1b6ca8")
    axes.set(xscale="log", xlabel="share of training tokens at which a latent fires", ylabel="latents")
    title = f"{figures['latents']} latents, {figures['dead_share']:.1%} dead, {figures['explained_variance']:.1%} of the variance explained"
    axes.set_title(title, fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / "latents.svg", metadata={"Date": None})
    print(f"the histogram is in {folder / 'latents.svg'}")


if __name__ == "__main__":
    main()
