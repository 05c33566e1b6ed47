# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 2: nested head and summed cross entropy, forward and backward, against a loop over the widths."""

import numpy

from harness.case import Case, Peer
from harness.steps import OurStep, our_gradients, torch_gradients

NUMBER = 2
WIDTHS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
D, CLASSES = 2048, 1000
NAMES = ["head.x", "head.w"]


def torch_loss(labels, widths):
    """The loop of the published MRL-E head: one product and one cross entropy a width."""
    import torch

    y = torch.from_numpy(labels.astype(numpy.int64))
    return lambda x, w: sum(torch.nn.functional.cross_entropy(x[:, :m] @ w[:m], y) for m in widths)


def cases(setting):
    """Nested against PyTorch, then against our own loss of one width: at most 1.3 times as long."""
    for rows in (256,) if setting.quick else (256, 4096):
        x, w = setting.normal(rows, D), setting.normal(D, CLASSES) * numpy.float32(0.02)
        labels = setting.draw.integers(0, CLASSES, rows)
        values = {"head.x": x, "head.w": w, "head.y": labels}
        nested, one = (OurStep(setting.library("nested_head.nacre", f"{kind}{rows}"), setting.threads, parameters=values)
                       for kind in ("Nested", "One"))

        def peer(widths, compiled, x=x, w=w, labels=labels):
            return torch_gradients(setting.threads, [x, w], torch_loss(labels, widths), compiled)

        limit_s = setting.flop_s(6 * rows * CLASSES * D)
        yield Case(f"nested N={rows}", lambda step=nested: our_gradients(step, NAMES),
                   [Peer("torch", lambda peer=peer: peer(WIDTHS, False), 2.0),
                    Peer("torch.compile", lambda peer=peer: peer(WIDTHS, True), 1.6)],
                   limit_s, peak_bytes=nested.peak_bytes)
        yield Case(f"one width N={rows}", lambda step=one: our_gradients(step, NAMES),
                   [Peer("torch.compile", lambda peer=peer: peer([D], True), None)], limit_s, peak_bytes=one.peak_bytes)
        yield Case(f"nested N={rows}, by one width", lambda step=nested: our_gradients(step, NAMES),
                   [Peer("ours, one width", lambda step=one: our_gradients(step, NAMES), 1 / 1.3)], limit_s, peak_bytes=nested.peak_bytes,
                   disagreement=lambda ours, theirs: None if ours[0] > theirs[0] else "the loss of nine widths is not above that of one")
