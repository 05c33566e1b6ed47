# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""taps.py make FOLDER: x.npy [3, 4], row.npy [4], wide.npy [5]. taps.py same A B, taps.py compare A B INDEX VALUE: checks arrays."""

import ast
import pathlib
import struct
import sys


def write(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}f", *values))


def read(path):
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    count = (len(data) - 10 - length) // 4
    kind = "f" if "f4" in header["descr"] else "i"
    return header["shape"], struct.unpack(f"<{count}{kind}", data[10 + length:])


command, *rest = sys.argv[1:]
if command == "make":
    folder = pathlib.Path(rest[0])
    write(folder / "x.npy", [3, 4], [0.25 * i - 1 for i in range(12)])
    write(folder / "row.npy", [4], [1, 0, 2, 0])
    write(folder / "wide.npy", [5], [1] * 5)
elif command == "print":
    shape, values = read(rest[0])
    print(list(shape), *(f"{value:g}" for value in values))
