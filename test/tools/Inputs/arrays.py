# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the arrays of the tool's tests into a folder, without numpy.

usage: arrays.py FOLDER

points.npy f32 [130, 3] and classes.npy i32 [130] (two separable classes), few.npy (5 of the points), fewer.npy (their classes), wide.npy f32 [5, 4],
odd.npy (the odd row numbers below 100), doubles.npy (the 5 points as f64), nan.npy (points with one NaN), labels.npy (classes with one 7), data.npz (points and classes).
"""

import pathlib
import random
import struct
import sys
import zipfile


def npy(kind, shape, values):
    """The bytes of an npy file of version 1."""
    shape_text = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    header = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': {shape_text}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"f4": "f", "f8": "d", "i4": "i"}[kind]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}{code}", *values)


def main():
    """Writes all files."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(1)
    points, classes = [], []
    for _ in range(130):
        label = draw.randrange(2)
        points += [draw.gauss(1.5 if label else -1.5, 0.6) for _ in range(3)]
        classes.append(label)
    files = {
        "points.npy": npy("f4", (130, 3), points),
        "classes.npy": npy("i4", (130,), classes),
        "few.npy": npy("f4", (5, 3), points[:15]),
        "doubles.npy": npy("f8", (5, 3), [struct.unpack("<f", struct.pack("<f", p))[0] for p in points[:15]]),
        "wide.npy": npy("f4", (5, 4), points[:20]),
        "nan.npy": npy("f4", (130, 3), points[:7] + [float("nan")] + points[8:]),
        "fewer.npy": npy("i4", (5,), classes[:5]),
        "odd.npy": npy("i4", (50,), range(1, 100, 2)),
        "labels.npy": npy("i4", (130,), classes[:9] + [7] + classes[10:]),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / "data.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("points.npy", files["points.npy"])
        archive.writestr("classes.npy", files["classes.npy"])


if __name__ == "__main__":
    main()
