#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Explained variance, dead latents, and the tokens at which some latents fire most.

usage: report.py FOLDER [LATENT...]        latents to show; default: eight, spread evenly over the living by how often they fire
Reads what run.sh made; writes figures.json. Exit status 1 when a figure is outside its range. Needs numpy.

Explained variance is 1 - sum (x - y)^2 / sum (x - mean)^2 over the held-out tokens. A latent is dead when it fires at none of the
training tokens. Ranges: measured 0.810 and none; the level of the CPU changes the rounding, and with it the course of the training, but
neither figure by as much as a hundredth.
"""

import collections
import json
import pathlib
import sys

import numpy

LEAST_EXPLAINED, MOST_DEAD = 0.79, 0.02
SHOWN_LATENTS, SHOWN_TOKENS, SAME_WORD, AROUND = 8, 6, 2, 9  # AROUND: word pieces to each side


def explained_variance(x, y):
    """Of rows x by rows y, in f64."""
    x, y = x.astype(numpy.float64), y.astype(numpy.float64)
    return 1 - numpy.square(x - y).sum() / numpy.square(x - x.mean(0)).sum()


def join(pieces):
    """Word pieces as text."""
    return " ".join(pieces).replace(" ##", "")


def word_start(pieces, place):
    """The first piece of the word at a place."""
    while pieces[place].startswith("##"):
        place -= 1
    return place


def word_end(pieces, place):
    """The piece behind the word that ends before a place, or goes on there."""
    while pieces[place].startswith("##"):
        place += 1
    return place


def in_context(sentence, place):
    """The word that a piece belongs to, and the pieces around it with the word between marks."""
    pieces = sentence["pieces"]
    first, last = word_start(pieces, place), word_end(pieces, place + 1)
    begin, end = word_start(pieces, max(1, first - AROUND)), word_end(pieces, min(len(pieces) - 1, last + AROUND))
    left = ("… " if begin > 1 else "") + join(pieces[begin:first])
    right = join(pieces[last:end]) + (" …" if end < len(pieces) - 1 else "")
    word = join(pieces[first:last])
    return word, f"{left} **{word}** {right}".strip()


class Firing:
    """Which latents fire at which tokens, sorted by latent."""

    def __init__(self, codes, latents):
        indices, values = codes["result_indices"], codes["result_values"]
        rows = numpy.repeat(numpy.arange(len(indices)), indices.shape[1])
        used = indices.ravel() < latents
        order = numpy.argsort(indices.ravel()[used], kind="stable")
        self.rows, self.values = rows[used][order], values.ravel()[used][order]
        self.counts = numpy.bincount(indices.ravel()[used], minlength=latents)
        self.starts = numpy.concatenate([[0], numpy.cumsum(self.counts)])

    def strongest(self, latent):
        """(value, token) of a latent, the largest first."""
        part = slice(self.starts[latent], self.starts[latent + 1])
        order = numpy.argsort(-self.values[part], kind="stable")
        return zip(self.values[part][order], self.rows[part][order])


def show(latent, firing, origins, groups):
    """Prints a latent's strongest tokens: one a sentence, two a word."""
    print(f"\nlatent {latent}: fires at {firing.counts[latent]} tokens")
    sentences, words = set(), collections.Counter()
    for value, token in firing.strongest(latent):
        group, row, place = map(int, origins[token])
        word, text = in_context(groups[str(group)][row], place)
        if (group, row) in sentences or words[word] == SAME_WORD:
            continue
        sentences.add((group, row))
        words[word] += 1
        print(f"  {value:5.2f}  {text}")
        if len(sentences) == SHOWN_TOKENS:
            break


def main():
    """Prints the figures and the latents."""
    folder = pathlib.Path(sys.argv[1])
    tokens = numpy.load(folder / "tokens.npy", mmap_mode="r")
    reconstruction = numpy.load(folder / "reconstruction.npy", mmap_mode="r")
    train, test = numpy.load(folder / "train.npy"), numpy.load(folder / "test.npy")
    codes = numpy.load(folder / "codes.npz")
    latents = json.loads((folder / "lib" / "sae.json").read_text(encoding="utf-8"))["parameters"][0]["shape"][0]
    fired = numpy.bincount(codes["result_indices"][train].ravel(), minlength=latents + 1)[:latents]
    figures = {
        "explained_variance": explained_variance(tokens[test], reconstruction[test]),
        "explained_variance_of_training_tokens": explained_variance(tokens[train], reconstruction[train]),
        "dead_share": float((fired == 0).mean()),
        "training_tokens": len(train), "held_out_tokens": len(test), "latents": int(latents), "fired": fired.tolist(),
    }
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    print(f"explained variance of {len(test)} held-out tokens: {figures['explained_variance']:.4f}, at least {LEAST_EXPLAINED}")
    print(f"  of the {len(train)} training tokens: {figures['explained_variance_of_training_tokens']:.4f}")
    print(f"dead latents: {(fired == 0).sum()} of {latents}, {figures['dead_share']:.2%}, at most {MOST_DEAD:.0%}")

    firing = Firing(codes, latents)
    living = [latent for latent in numpy.argsort(-firing.counts, kind="stable") if firing.counts[latent] >= SHOWN_TOKENS]
    spread = [living[(2 * i + 1) * len(living) // (2 * SHOWN_LATENTS)] for i in range(SHOWN_LATENTS)]
    groups = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
    origins = numpy.load(folder / "origin.npy")
    for latent in [int(word) for word in sys.argv[2:]] or spread:
        show(latent, firing, origins, groups)
    return int(figures["explained_variance"] < LEAST_EXPLAINED or figures["dead_share"] > MOST_DEAD)


if __name__ == "__main__":
    sys.exit(main())
