# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 7: attention, forward and with its backward, plain, with factors by distance (URPE) and with a learned bias by distance."""

import math

from harness.case import Case, Contestant, Peer
from harness.steps import OurStep, our_gradients, torch_gradients, torch_with

NUMBER = 7
SIZES = {"Short": (8, 12, 512, 64), "Long": (1, 16, 4096, 64)}
# The least ratio to PyTorch: 1.3 to its fused form, 3 where it has none (a bias that learns is no part of the fused backward).
TARGETS = {"Plain": 1.3, "Factors": 3.0, "Relative": 3.0}


def torch_form(kind):
    """attention(q, k, v, c) of PyTorch; c: [H, 2 T - 1], one number a distance i - j + T - 1."""
    import torch

    def strip(c, t):
        at = torch.arange(t)
        return c[:, at[:, None] - at[None, :] + t - 1]

    def factors(q, k, v, c):
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        return (weights * strip(c, q.shape[2])) @ v

    def relative(q, k, v, c):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=strip(c, q.shape[2])[None])

    return {"Plain": torch.nn.functional.scaled_dot_product_attention, "Factors": factors, "Relative": relative}[kind]


def forward_of(threads, values, kind, compiled):
    """PyTorch without gradients."""
    torch = torch_with(threads)
    tensors = [torch.from_numpy(value) for value in values]
    function = torch.compile(torch_form(kind)) if compiled else torch_form(kind)

    def run():
        with torch.inference_mode():
            return function(*tensors)

    return Contestant(run)


def backward_of(threads, values, g, kind, compiled):
    """PyTorch with gradients of the sum of g * result."""
    torch = torch_with(threads)
    function, cotangent = torch_form(kind), torch.from_numpy(g)
    return torch_gradients(threads, values, lambda *leaves: (function(*leaves) * cotangent).sum(), compiled)


def cases(setting):
    """Forward counts 4 B H T^2 d, forward and backward 14 (the scores once more)."""
    for size in ("Short",) if setting.quick else SIZES:
        shape = SIZES[size]
        _, heads, tokens, width = shape
        values = {f"x.{name}": setting.normal(*shape) for name in "qkv"}
        g = setting.normal(*shape)
        flop = 4 * shape[0] * heads * tokens**2 * width
        for kind, target in TARGETS.items():
            given = values if kind == "Plain" else {**values, "x.c": setting.normal(heads, 2 * tokens - 1)}
            step = OurStep(setting.library("attention.nacre", kind + size), setting.threads, parameters={**given, "x.g": g})
            forward = step.library.call(step.library.context(setting.threads), "forward", [])
            arrays, names = list(given.values()), list(given)

            def peers(make, target=target, kind=kind):
                ways = (("torch", False),) if kind == "Plain" else (("torch", False), ("torch.compile", True))
                return [Peer(name, lambda compiled=compiled: make(compiled), target) for name, compiled in ways]

            yield Case(f"{kind.lower()} forward T={tokens}", lambda forward=forward: Contestant(forward.run),
                       peers(lambda compiled, arrays=arrays, kind=kind: forward_of(setting.threads, arrays, kind, compiled)),
                       setting.flop_s(flop), peak_bytes=lambda forward=forward: forward.peak_bytes(setting.threads))
            yield Case(f"{kind.lower()} forward + backward T={tokens}", lambda step=step, names=names: our_gradients(step, names),
                       peers(lambda compiled, arrays=arrays, g=g, kind=kind: backward_of(setting.threads, arrays, g, kind, compiled)),
                       setting.flop_s(3.5 * flop), tolerance=1e-3, peak_bytes=step.peak_bytes)
