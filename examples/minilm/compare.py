#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares two files of embeddings row by row; exit status 1 when they disagree.

usage: compare.py REFERENCE.npy OURS.npy
Both compute in f32: six layers of sums over 384 and 1,536 products leave about 1e-6, and the bounds stand well above.
"""

import sys

import numpy

LEAST_COSINE = 0.99999
MOST_ERROR = 2e-5


def main():
    """Prints the worst cosine and the largest error, then decides."""
    reference, ours = (numpy.load(path).astype(numpy.float64) for path in sys.argv[1:3])
    if reference.shape != ours.shape:
        raise SystemExit(f"expected embeddings of shape {reference.shape}, but got {ours.shape}")
    if not numpy.isfinite(ours).all():
        raise SystemExit("expected finite embeddings, but got NaN or infinity")
    norms = numpy.linalg.norm(reference, axis=1) * numpy.linalg.norm(ours, axis=1)
    cosine = ((reference * ours).sum(1) / norms).min()
    error = numpy.abs(reference - ours).max()
    print(f"{len(ours)} sentences: least cosine {cosine:.9f} (bound {LEAST_COSINE}), max abs error {error:.2e} (bound {MOST_ERROR:.0e})")
    return 0 if cosine >= LEAST_COSINE and error <= MOST_ERROR else 1


if __name__ == "__main__":
    sys.exit(main())
