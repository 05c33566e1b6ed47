#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes the hidden states of the words out of the padded batches: one token a row, in the order of the groups.

usage: gather.py FOLDER
Reads sentences.json and hidden-T.npy of each group; writes tokens.npy (f32 [tokens, 384], without [CLS] and [SEP]), origin.npy (i32
[tokens, 3]: group, sentence, place), and train.npy and test.npy (i32): rows by sentence, every tenth one held out. Needs numpy.
"""

import json
import pathlib
import sys

import numpy

HELD_OUT = 10  # every tenth sentence


def main():
    """Writes the four files and says how many tokens there are."""
    folder = pathlib.Path(sys.argv[1])
    groups = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
    states, origins = [], []
    for most, sentences in groups.items():
        hidden = numpy.load(folder / f"hidden-{most}.npy", mmap_mode="r")
        for row, sentence in enumerate(sentences):
            places = numpy.arange(1, len(sentence["pieces"]) - 1)
            states.append(hidden[row, places])
            origins.append(numpy.stack([numpy.full_like(places, int(most)), numpy.full_like(places, row), places], 1))
    held_out = numpy.concatenate([numpy.full(len(o), i % HELD_OUT == HELD_OUT - 1) for i, o in enumerate(origins)])
    tokens = numpy.concatenate(states)
    numpy.save(folder / "tokens.npy", tokens)
    numpy.save(folder / "origin.npy", numpy.concatenate(origins).astype(numpy.int32))
    numpy.save(folder / "train.npy", numpy.flatnonzero(~held_out).astype(numpy.int32))
    numpy.save(folder / "test.npy", numpy.flatnonzero(held_out).astype(numpy.int32))
    print(f"{len(tokens)} tokens, {held_out.sum()} of them held out")


if __name__ == "__main__":
    main()
