# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases in the golden format for operators that the golden cases leave out: formulas in NumPy, written from their sources.

usage: make.py [FOLDER]     writes one file a case; needs NumPy, which no build and no test does: the files are in the tree.

Gradients are exact to rounding without a derivative being written: f(x + i h) = f(x) + i h f'(x) + O(h^2) with h = 1e-200.
"""
import json
import pathlib
import struct
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
rng = np.random.default_rng(20)
STEP = 1e-200


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def gradient(function, inputs, name, cotangent):
    """Of sum(function(**inputs) * cotangent) with respect to one input."""
    result = np.zeros(inputs[name].shape)
    for place in np.ndindex(*result.shape):
        moved = {key: value.astype(complex) if value.dtype == np.float32 else value for key, value in inputs.items()}
        moved[name][place] += 1j * STEP
        result[place] = np.sum(function(**moved) * cotangent).imag / STEP
    return result


def write(path, op, attributes, tensors):
    header, data, kinds = {"__metadata__": {"op": op, "attrs": json.dumps(attributes)}}, b"", {"f4": "F32", "f8": "F64", "i4": "I32"}
    for name, array in tensors.items():
        header[name] = {"dtype": kinds[array.dtype.str[1:]], "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def case(name, op, function, inputs, output="y", attributes=None, varied=None):
    """`varied`: the inputs with a gradient; by default all of f32."""
    as_double = {key: value.astype(np.float64) if value.dtype == np.float32 else value for key, value in inputs.items()}
    wanted = np.asarray(function(**as_double))
    wanted = wanted.astype(np.int32) if wanted.dtype.kind == "i" else wanted.reshape(wanted.shape or (1,)).astype(np.float64)
    tensors = {"in." + key: value for key, value in inputs.items()} | {"out." + output: wanted}
    if wanted.dtype == np.float64:
        cotangent = normal(*wanted.shape)
        tensors["cot." + output] = cotangent
        for key in [key for key, value in inputs.items() if value.dtype == np.float32] if varied is None else varied:
            tensors["grad." + key] = gradient(lambda **moved: np.reshape(function(**moved), wanted.shape), inputs, key, cotangent.astype(np.float64))
    write(FOLDER / f"{name}.safetensors", op, attributes or {}, tensors)


def magnitude(x):
    return np.where(x.real < 0, -x, x)


def log_sum_exp(x, axis=-1):
    top = x.real.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=axis)) + np.squeeze(top, axis)


def losses():
    a, b = normal(5, 7), normal(5, 7)
    case("mse", "mse", lambda a, b: np.mean((a - b) ** 2), {"a": a, "b": b}, "loss")
    case("l1", "l1", lambda a, b: np.mean(magnitude(a - b)), {"a": a, "b": b}, "loss")
    signs = np.sign(normal(9)).astype(np.float32)
    case("hinge", "hinge", lambda x, y: np.mean(np.where((1 - x * y).real > 0, 1 - x * y, 0)), {"x": normal(9), "y": signs}, "loss", varied=["x"])
    cosine = lambda a, b: np.sum(a * b, -1) / np.sqrt(np.sum(a * a, -1) * np.sum(b * b, -1))
    case("cosine_loss", "cosine_loss", lambda a, b: np.mean(1 - cosine(a, b)), {"a": a, "b": b}, "loss")
    codes = rng.integers(0, 6, (4, 3)).astype(np.int32)
    case("rate_shared", "rate", lambda codes, logits: np.mean(log_sum_exp(logits) - logits[codes]) / np.log(2), {"codes": codes, "logits": normal(6)}, "loss")
    taken = lambda logits, codes: np.take_along_axis(logits, codes[..., None], -1)[..., 0]
    case("rate", "rate", lambda codes, logits: np.mean(log_sum_exp(logits) - taken(logits, codes)) / np.log(2), {"codes": codes, "logits": normal(4, 3, 6)}, "loss")
    # Van den Oord et al. 2017: what is stopped is given as a number, so that nothing reaches it.
    stopped_a, stopped_b = a.astype(np.float64), b.astype(np.float64)
    case("commitment", "commitment", lambda x, e: np.mean((x - stopped_b) ** 2), {"x": a, "e": b}, "loss")
    case("codebook_loss", "codebook_loss", lambda x, e: np.mean((stopped_a - e) ** 2) + 0.3 * np.mean((x - stopped_b) ** 2), {"x": a, "e": b},
         "loss", {"beta": 0.3})


def rotary(x, base=10000.0, pairs="interleaved", grid=None):
    length, width = x.shape[-2:]
    half = width // 2
    place = np.arange(length)[:, None]
    if grid is None:
        angle = place * base ** (-2 * np.arange(half) / width)
    else:
        step = base ** (-4 * (np.arange(half) // 2) / width)
        angle = np.where(np.arange(half) % 2 == 0, place // grid, place % grid) * step
    first, second = (x[..., 0::2], x[..., 1::2]) if pairs == "interleaved" else (x[..., :half], x[..., half:])
    turned = first * np.cos(angle) - second * np.sin(angle), first * np.sin(angle) + second * np.cos(angle)
    result = np.empty_like(x)
    if pairs == "interleaved":
        result[..., 0::2], result[..., 1::2] = turned
    else:
        result[..., :half], result[..., half:] = turned
    return result


def positions():
    case("rotary_grid", "rotary_grid", lambda x: rotary(x, grid=3), {"x": normal(2, 7, 8)}, attributes={"grid": 3})
    case("rotary_base", "rotary_base", lambda x: rotary(x, base=50.0, pairs="halves"), {"x": normal(2, 5, 6)}, attributes={"base": 50.0})


def parameters():
    case("coalesce", "coalesce", lambda w: w.reshape(4, 3, 2).mean(-1), {"w": normal(4, 6)}, attributes={"factor": 2})
    case("coalesce_sum", "coalesce_sum", lambda w: w.reshape(2, 3, 5).sum(1), {"w": normal(6, 5)}, attributes={"factor": 3})
    case("decoalesce", "decoalesce", lambda w: np.repeat(w, 3, -1) / 3, {"w": normal(4, 5)}, attributes={"factor": 3})
    case("interpolate", "interpolate", lambda a, b: 0.3 * b + 0.7 * a, {"a": normal(3, 4), "b": normal(3, 4)}, attributes={"t": 0.3})


def algebra():
    a = normal(2, 4, 4) + 4 * np.eye(4, dtype=np.float32)
    case("solve", "solve", lambda a, b: np.linalg.solve(a, b), {"a": a, "b": normal(2, 4, 3)})
    lower = np.tril(a)
    case("triangular_solve", "triangular_solve", lambda a, b: np.linalg.solve(np.tril(a), b), {"a": lower, "b": normal(2, 4, 3)})
    square = lambda g: g @ np.swapaxes(g, -1, -2) + 3 * np.eye(4)
    case("cholesky", "cholesky_of_square", lambda g: cholesky(square(g)), {"g": normal(4, 4)})
    case("log_softmax", "log_softmax", lambda x: x - log_sum_exp(x)[..., None], {"x": normal(3, 5)})
    case("conv1d", "conv1d", conv1d, {"x": normal(2, 3, 9), "W": normal(4, 3, 3), "b": normal(4)}, attributes={"stride": [2], "dilation": [2]})


def cholesky(a):
    """Column by column, for complex numbers too, as if they were real."""
    result = np.zeros_like(a)
    for j in range(a.shape[0]):
        result[j, j] = np.sqrt(a[j, j] - np.sum(result[j, :j] ** 2))
        for i in range(j + 1, a.shape[0]):
            result[i, j] = (a[i, j] - np.sum(result[i, :j] * result[j, :j])) / result[j, j]
    return result


def conv1d(x, W, b):
    """Stride 2, dilation 2, no padding."""
    count = (x.shape[2] - 2 * (W.shape[2] - 1) - 1) // 2 + 1
    result = np.zeros((x.shape[0], W.shape[0], count), dtype=np.result_type(x, W, b))
    for o in range(count):
        for k in range(W.shape[2]):
            result[:, :, o] += x[:, :, 2 * o + 2 * k] @ W[:, :, k].T
    return result + b[:, None]


def codes():
    x = normal(6, 40)
    words = lambda x: np.pad(x.real > 0, ((0, 0), (0, 24))).reshape(6, 2, 32) @ (np.uint64(1) << np.arange(32, dtype=np.uint64))
    case("pack_bits", "pack_bits", lambda x: words(x).astype(np.uint32).view(np.int32).astype(np.int32).reshape(6, 2), {"x": x})
    values = np.sort(normal(5, 4), -1)
    case("scalar_code", "scalar_code", lambda x, v: np.argmin(np.abs(x[..., None] - v), -1), {"x": normal(7, 5), "v": values})


for family in (losses, positions, parameters, algebra, codes):
    family()
