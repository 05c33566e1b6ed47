#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cuts the digits into five tasks of two classes: 0 and 1, then 2 and 3, and so on to 8 and 9. Needs no numpy.

usage: tasks.py DIGITS_FOLDER OUT_FOLDER
Writes images.npy and labels.npy (all rows), and task-0.npy .. task-4.npy: the training rows of each task, ascending.
"""

import pathlib
import struct
import sys
import zipfile

TASKS = 5
HEADER_BYTES = 10  # of an npy file of version 1, before its text


def integers(npy):
    """The values of a one-dimensional i32 array, given the bytes of its npy file."""
    begin = HEADER_BYTES + struct.unpack_from("<H", npy, 8)[0]
    if b"'<i4'" not in npy[:begin]:
        raise SystemExit(f"expected an array of i32, but got {npy[HEADER_BYTES:begin].decode()}")
    return [value for (value,) in struct.iter_unpack("<i", npy[begin:])]


def npy_of(values):
    """The bytes of an npy file that holds i32 values."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header += " " * (-(len(header) + HEADER_BYTES + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}i", *values)


def main():
    """Writes the files."""
    digits, out = map(pathlib.Path, sys.argv[1:3])
    with zipfile.ZipFile(digits / "digits.npz") as archive:
        for name in ("images.npy", "labels.npy"):
            (out / name).write_bytes(archive.read(name))
    labels = integers((out / "labels.npy").read_bytes())
    train = integers((digits / "train.npy").read_bytes())
    for task in range(TASKS):
        (out / f"task-{task}.npy").write_bytes(npy_of([row for row in train if labels[row] // 2 == task]))


if __name__ == "__main__":
    main()
