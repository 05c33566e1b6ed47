# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""slices.py FOLDER: w.safetensors for nested.nacre, x8.npy [3, 8] and its first four columns x4.npy."""

import json
import pathlib
import struct
import sys

folder = pathlib.Path(sys.argv[1])
header, data = {}, b""
for seed, (name, shape) in enumerate({"w1": [8, 8], "b1": [8], "w2": [8, 8], "head": [8, 3]}.items()):
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
    data += struct.pack(f"<{count}f", *(((i * 37 + seed * 11) % 23 - 11) / 8 for i in range(count)))
text = json.dumps(header).encode()
(folder / "w.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)

rows = [[((r * 8 + c) * 5 % 17 - 8) / 4 for c in range(8)] for r in range(3)]
for width in (8, 4):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (3, {width}), }}".encode()
    head += b" " * (63 - (len(head) + 10) % 64) + b"\n"
    values = [value for row in rows for value in row[:width]]
    (folder / f"x{width}.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(values)}f", *values))
