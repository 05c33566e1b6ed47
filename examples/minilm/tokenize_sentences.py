#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns sentences, one a line, into ids.npy (i32 [B, T], padded with 0) and lengths.npy (i32 [B]).

usage: tokenize_sentences.py SENTENCES OUT_FOLDER
The ids come from the checkpoint's own tokenizer.json; [CLS] and [SEP] are counted in the lengths.
"""

import pathlib
import sys

import numpy
from tokenizers import Tokenizer

import checkpoint


def tokenize(sentences, most=512):
    """Token ids of each sentence, cut at `most`, as (ids [B, T], lengths [B])."""
    tokenizer = Tokenizer.from_file(str(checkpoint.folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    rows = [encoding.ids for encoding in tokenizer.encode_batch(sentences)]
    lengths = numpy.array([len(row) for row in rows], numpy.int32)
    ids = numpy.zeros((len(rows), lengths.max()), numpy.int32)
    for target, row in zip(ids, rows):
        target[: len(row)] = row
    return ids, lengths


def main():
    """Writes the two files and says what is in them."""
    sentences = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    out = pathlib.Path(sys.argv[2])
    ids, lengths = tokenize(sentences)
    numpy.save(out / "ids.npy", ids)
    numpy.save(out / "lengths.npy", lengths)
    print(f"{len(ids)} sentences of {lengths.min()} to {lengths.max()} tokens, {lengths.sum()} in all")


if __name__ == "__main__":
    main()
