# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 11: one token through a feed-forward layer of which some neurons count: named ones, and the k that fire most."""

import numpy

from harness.case import Case, Contestant, Peer
from harness.steps import torch_with

NUMBER = 11
D, F = 2048, 8192
KEPT = 3277  # 40 % of F


def torch_layer(threads, x, w1, w2, keep, compiled):
    """All neurons of PyTorch; `keep`: which activations stay, for the comparison only."""
    torch = torch_with(threads)
    token, up, down, mask = (torch.from_numpy(value) for value in (x, w1, w2.T.copy(), keep))
    functional = torch.nn.functional

    def layer(value):
        return functional.linear(functional.linear(value, up).relu(), down)

    function = torch.compile(layer) if compiled else layer

    def run():
        with torch.inference_mode():
            return function(token)

    return Contestant(run, lambda: [functional.linear(functional.linear(token, up).relu() * mask, down)])


def torch_core(threads, x, w1, w2, chosen):
    """The weights of the chosen neurons, gathered in every call."""
    torch = torch_with(threads)
    token, up, down, rows = (torch.from_numpy(value) for value in (x, w1, w2, chosen.astype(numpy.int64)))

    def run():
        with torch.inference_mode():
            return (token @ up[rows].T).relu() @ down[rows]

    return Contestant(run)


def cases(setting):
    """The limit: the kept bytes at the read bandwidth."""
    library = setting.library("feedforward.nacre")
    context = library.context(setting.threads)
    w1, w2, x = library.parameter("w1"), library.parameter("w2"), setting.normal(1, D)
    chosen = numpy.sort(setting.draw.permutation(F)[:KEPT]).astype(numpy.int32)
    activations = numpy.maximum(x @ w1.T, 0)
    core, top, everything = (numpy.zeros(F, numpy.float32) for _ in range(3))
    core[chosen], everything[:] = 1, 1
    top[numpy.argsort(-activations[0], kind="stable")[:KEPT]] = 1
    # The top form must see all of w1 to choose; of w2 it reads the rows that fire.
    fired = int(min(KEPT, numpy.count_nonzero(activations)))
    forms = [("dense", [x], everything, 2 * F, None), ("core", [x, chosen], core, 2 * KEPT, 2.0), ("top", [x], top, F + fired, None)]
    for form, inputs, keep, rows, target in forms:
        call = library.call(context, form, inputs)
        peers = [Peer(name, lambda keep=keep, compiled=compiled: torch_layer(setting.threads, x, w1, w2, keep, compiled), target)
                 for name, compiled in (("torch, dense", False), ("torch.compile, dense", True))]
        if form == "core":
            peers.append(Peer("torch, gathered", lambda: torch_core(setting.threads, x, w1, w2, chosen), None))
        yield Case(f"{form} {rows / (2 * F):.0%} of the rows", lambda call=call: Contestant(call.run), peers, setting.read_s(4 * D * rows),
                   tolerance=1e-3, peak_bytes=lambda call=call: call.peak_bytes(setting.threads))
