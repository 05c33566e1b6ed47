#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Computes reference.npy (f32 [B, 384]) from ids.npy and lengths.npy with another framework.

usage: reference.py FOLDER [onnxruntime|torch]
"""

import pathlib
import sys

import numpy

import peers


def main():
    """Runs the peer on the whole batch, two threads."""
    folder = pathlib.Path(sys.argv[1])
    chosen = sys.argv[2] if len(sys.argv) > 2 else "onnxruntime"
    encoder = {"onnxruntime": peers.OnnxEncoder, "torch": peers.TorchEncoder}[chosen](threads=2)
    result = encoder.encode(numpy.load(folder / "ids.npy"), numpy.load(folder / "lengths.npy"))
    numpy.save(folder / "reference.npy", result.astype(numpy.float32))
    print(f"reference by {encoder.name}: {result.shape[0]} embeddings of {result.shape[1]}")


if __name__ == "__main__":
    main()
