# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""random_matrix.py FILE SIZE...: an npy file of f32 with numbers in [-0.5, 0.5), the same each time."""

import math
import pathlib
import random
import struct
import sys

shape = [int(size) for size in sys.argv[2:]]
count = math.prod(shape)
draws = random.Random(1)
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}".encode()
header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
data = struct.pack(f"<{count}f", *(draws.random() - 0.5 for _ in range(count)))
pathlib.Path(sys.argv[1]).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
