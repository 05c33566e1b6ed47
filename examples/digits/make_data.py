#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes digits.npz, train.npy, test.npy and test_images.h. They are in the tree; this script says how they came to be.

Needs numpy and scikit-learn, whose package carries the 1,797 test images of the UCI set "Optical Recognition of
Handwritten Digits". Pixels 0..16 become f32 in [0, 1] by an exact division by 16. The split is one permutation of the
rows, drawn with SEED: the first 1,437 rows train, the other 360 test, each list in ascending order.
"""

import pathlib

import numpy
from sklearn.datasets import load_digits

SEED = 20250521
TRAIN_ROWS = 1437
SHOWN = 16

HEADER = """/* The first {count} test images, made by make_data.py: grey values 0 (paper) to 16 (ink), row by row. */
#ifndef TEST_IMAGES_H
#define TEST_IMAGES_H

#define TEST_IMAGE_COUNT {count}

static const unsigned char test_images[TEST_IMAGE_COUNT][64] = {{
{rows}
}};

static const int test_labels[TEST_IMAGE_COUNT] = {{{labels}}};

#endif
"""


def main():
    """Writes the four files beside this script."""
    folder = pathlib.Path(__file__).resolve().parent
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(numpy.float32)
    numpy.savez_compressed(folder / "digits.npz", images=images, labels=labels.astype(numpy.int32))

    order = numpy.random.Generator(numpy.random.PCG64(SEED)).permutation(len(images)).astype(numpy.int32)
    test = numpy.sort(order[TRAIN_ROWS:])
    numpy.save(folder / "train.npy", numpy.sort(order[:TRAIN_ROWS]))
    numpy.save(folder / "test.npy", test)

    rows = ",\n".join("  {" + ", ".join(str(int(value)) for value in pixels[i]) + "}" for i in test[:SHOWN])
    listed = ", ".join(str(labels[i]) for i in test[:SHOWN])
    (folder / "test_images.h").write_text(HEADER.format(count=SHOWN, rows=rows, labels=listed), encoding="utf-8")


if __name__ == "__main__":
    main()
