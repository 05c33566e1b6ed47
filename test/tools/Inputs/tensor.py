# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints what a safetensors file holds: FILE lists names, FILE NAME prints values, FILE NAME COLUMNS the norm of each row."""
import json
import math
import struct
import sys

data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
if len(sys.argv) == 2:
    print("\n".join(sorted(name for name in header if name != "__metadata__")))
else:
    begin, end = header[sys.argv[2]]["data_offsets"]
    values = struct.unpack("<%df" % ((end - begin) // 4), data[8 + size + begin:8 + size + end])
    if len(sys.argv) > 3:
        columns = int(sys.argv[3])
        values = [math.hypot(*values[i:i + columns]) for i in range(0, len(values), columns)]
    print(" ".join("%.5f" % value for value in values))
