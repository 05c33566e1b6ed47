# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 9: an AdamW step of a transformer encoder: 6 layers, D = 384, B = 32, T = 128."""

import numpy

from harness.case import Case, Peer
from harness.steps import OurStep, our_losses, torch_losses, torch_with

NUMBER = 9
LAYERS, D, HEADS, F, CLASSES = 6, 384, 12, 1536, 10
RATE = 1e-3


def block(torch, x, p):
    """Pre-norm; p: parameters of one layer by name."""
    functional = torch.nn.functional

    def dense(value, name):
        return functional.linear(value, p["w" + name].T, p["b" + name])

    def split(value):
        return value.unflatten(-1, (HEADS, D // HEADS)).transpose(1, 2)

    h = functional.layer_norm(x, (D,), p["g1"], p["c1"])
    a = functional.scaled_dot_product_attention(*(split(dense(h, name)) for name in "qkv"))
    x = x + dense(a.transpose(1, 2).flatten(2), "o")
    return x + dense(functional.gelu(dense(functional.layer_norm(x, (D,), p["g2"], p["c2"]), "1")), "2")


def torch_step(threads, x, y, parameters, compiled):
    """The same weights in PyTorch."""
    torch = torch_with(threads)
    leaves = {name: torch.nn.Parameter(torch.from_numpy(value.copy())) for name, value in parameters.items()}
    layers = [{name.rsplit(".", 1)[1]: leaf for name, leaf in leaves.items() if name.startswith(f"blocks.{i}.")} for i in range(LAYERS)]
    rows, labels = torch.from_numpy(x), torch.from_numpy(y.astype(numpy.int64))

    def loss():
        h = rows
        for p in layers:
            h = block(torch, h, p)
        return torch.nn.functional.cross_entropy(torch.nn.functional.linear(h.mean(1), leaves["head"].T, leaves["bias"]), labels)

    return torch_losses(threads, list(leaves.values()), loss, RATE, {"weight_decay": 0.01}, compiled)


def flop_of(batch, tokens):
    """Six for each weight and token, and attention's two products, forward and twice backward."""
    weights = LAYERS * (4 * D * D + 2 * D * F)
    return batch * tokens * (6 * weights + 12 * LAYERS * tokens * D)


def cases(setting):
    """Compared by the losses of the first three steps."""
    batch, tokens = (8, 64) if setting.quick else (32, 128)
    x, y = setting.normal(batch, tokens, D), setting.draw.integers(0, CLASSES, batch).astype(numpy.int32)
    step = OurStep(setting.library("training.nacre"), setting.threads, [x, y])
    names = [f"blocks.{i}.{name}" for i in range(LAYERS) for name in
             ("g1", "c1", "g2", "c2", "wq", "wk", "wv", "wo", "bq", "bk", "bv", "bo", "w1", "b1", "w2", "b2")] + ["head", "bias"]
    parameters = {name: step.library.parameter(name).copy() for name in names}
    peers = [Peer(name, lambda compiled=compiled: torch_step(setting.threads, x, y, parameters, compiled), 1.3)
             for name, compiled in (("torch", False), ("torch.compile", True))]
    yield Case(f"B={batch} T={tokens}", lambda: our_losses(step, RATE), peers, setting.flop_s(flop_of(batch, tokens)), tolerance=1e-3,
               peak_bytes=step.peak_bytes)
