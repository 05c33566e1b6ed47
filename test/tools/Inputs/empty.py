# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""empty.py FILE ROWS COLUMNS: an npy file of f32 without an element, or of ones."""

import pathlib
import struct
import sys

rows, columns = int(sys.argv[2]), int(sys.argv[3])
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}".encode()
header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
data = struct.pack("<f", 1.0) * (rows * columns)
pathlib.Path(sys.argv[1]).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
