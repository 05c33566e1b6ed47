#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tokenises the corpus and sorts its sentences into groups of like length, so that little of a batch is padding.

usage: prepare.py CORPUS OUT_FOLDER [MOST_SENTENCES]
Writes ids-T.npy (i32 [sentences, T], padded with 0) and lengths-T.npy of each group, T the longest sentence that it may hold, and
sentences.json: of each group the texts and the pieces that the ids stand for. With a bound, every n-th sentence is taken.
Needs numpy and tokenizers; the tokenizer is the checkpoint's own.
"""

import json
import pathlib
import sys

import numpy
from tokenizers import Tokenizer

import checkpoint

GROUPS = (16, 24, 32, 48, 64, 96, 128)


def read_sentences(path, most):
    """The sentences, one a line; lines with # before them name the book."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return lines[:: -(-len(lines) // most)]


def main():
    """Writes the groups."""
    out = pathlib.Path(sys.argv[2])
    sentences = read_sentences(pathlib.Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 30)
    tokenizer = Tokenizer.from_file(str(checkpoint.folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(GROUPS[-1])
    encodings = tokenizer.encode_batch(sentences)
    index = {}
    for least, most in zip((0, *GROUPS), GROUPS):
        chosen = [i for i, encoding in enumerate(encodings) if least < len(encoding.ids) <= most]
        ids = numpy.zeros((len(chosen), most), numpy.int32)
        for row, i in enumerate(chosen):
            ids[row, : len(encodings[i].ids)] = encodings[i].ids
        numpy.save(out / f"ids-{most}.npy", ids)
        numpy.save(out / f"lengths-{most}.npy", numpy.array([len(encodings[i].ids) for i in chosen], numpy.int32))
        index[most] = [{"text": sentences[i], "pieces": encodings[i].tokens} for i in chosen]
    (out / "sentences.json").write_text(json.dumps(index), encoding="utf-8")
    tokens = sum(len(encoding.ids) - 2 for encoding in encodings)
    print(f"{len(sentences)} sentences, {tokens} tokens; a group a length: " + ", ".join(f"{len(v)} to {k}" for k, v in index.items()))


if __name__ == "__main__":
    main()
