# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""buffers.py SHOW.json FUNCTION SIZE...: the kernels that a function launches, and those of its buffers that have axes of all the sizes."""
import json
import sys

manifest = json.load(open(sys.argv[1]))["manifest"]
skeletons = {kernel["name"]: kernel["skeleton"] for kernel in manifest["kernels"]}
functions = {function["name"]: function for function in manifest["functions"]}
if sys.argv[2] not in functions:  # a training step stands with its loss
    sys.exit("no function " + sys.argv[2] + " among " + ", ".join(functions))
function = functions[sys.argv[2]]
print("skeletons:", " ".join(skeletons[launch["kernel"]] for launch in function["launches"]))
wide = [buffer["name"] for buffer in function["buffers"]
        if set(sys.argv[3:]) <= set(map(str, buffer["shape"])) and any(str(size) not in (*sys.argv[3:], "1") for size in buffer["shape"])]
print("large:", " ".join(wide) or "none")
