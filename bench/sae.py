# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workloads 4 and 5: a TopK sparse autoencoder: the training step with Adam and decoder rows of length 1, and the encoder alone."""

import os

import numpy

from harness.case import Case, Contestant, Peer
from harness.steps import OurStep, our_losses, torch_losses, torch_with

NUMBER = 4
K = 32
RATE = 1e-3
SIZES = [(1024, 384, 6144), (4096, 768, 24576)]
ENCODED = (1, 64, 1024, 4096)


class UnitRows:
    """Before a step the part of the gradient along each row goes, after it each row has length 1 again (Gao et al. 2024)."""

    def __init__(self, rows):
        self.rows = rows

    def before_step(self):
        """Of the gradient."""
        along = (self.rows.grad * self.rows.data).sum(1, keepdim=True)
        self.rows.grad -= along * self.rows.data

    def after_step(self):
        """Of the rows."""
        self.rows.data /= self.rows.data.norm(dim=1, keepdim=True)


def torch_encode(x, w_enc, b_enc, b_dec):
    """(values, indices) of the k largest."""
    import torch

    return torch.nn.functional.linear(x - b_dec, w_enc.T, b_enc).relu().topk(K, dim=1, sorted=False)


def dense_decode(values, indices, w_dec):
    """A dense code and a dense product."""
    code = values.new_zeros((len(values), len(w_dec))).scatter(1, indices, values)
    return code @ w_dec


def sparse_decode(values, indices, w_dec):
    """The decoder that the sparsify library uses on a CPU."""
    os.environ["SPARSIFY_DISABLE_TRITON"] = "1"
    from sparsify.utils import eager_decode

    return eager_decode(indices, values, w_dec.T)


def torch_step(threads, x, parameters, decode, compiled):
    """The whole training step in PyTorch."""
    torch = torch_with(threads)
    decode(torch.ones(1, 1), torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1))  # the library is here, or this raises ImportError
    rows = torch.from_numpy(x)
    w_dec, w_enc, b_enc, b_dec = leaves = [torch.nn.Parameter(torch.from_numpy(value.copy())) for value in parameters]

    def loss():
        values, indices = torch_encode(rows, w_enc, b_enc, b_dec)
        return torch.nn.functional.mse_loss(decode(values, indices, w_dec) + b_dec, rows)

    return torch_losses(threads, leaves, loss, RATE, {"weight_decay": 0.0}, compiled, UnitRows(w_dec))


def torch_encoder(threads, x, parameters, compiled):
    """The encoder alone; values in the order of their indices, as ours are."""
    torch = torch_with(threads)
    _, w_enc, b_enc, b_dec = map(torch.from_numpy, parameters)
    w_enc = w_enc.T.contiguous().T  # the layout of a linear layer's weight, which PyTorch's product likes best
    rows, encode = torch.from_numpy(x), torch.compile(torch_encode) if compiled else torch_encode

    def run():
        with torch.inference_mode():
            return encode(rows, w_enc, b_enc, b_dec)

    return Contestant(run, lambda: [ordered(*(part.numpy() for part in run()))])


def ordered(values, indices):
    """Values of each row by ascending index: at a tie of the last place the index may differ, the value may not."""
    del indices
    return numpy.sort(values, axis=1)


def encode_cases(setting, library, parameters, d, n):
    """Serving: one row to many."""
    for rows in (1, 64) if setting.quick else ENCODED:
        x = setting.normal(rows, d)
        call = library.call(library.context(setting.threads), "encode", [x])
        peers = [Peer(name, lambda x=x, compiled=compiled: torch_encoder(setting.threads, x, parameters, compiled), 2.0)
                 for name, compiled in (("torch", False), ("torch.compile", True))]
        limit_s = max(setting.flop_s(2 * rows * n * d), setting.read_s(4 * n * d))
        yield Case(f"encode N={rows} d={d} n={n}", lambda call=call: Contestant(call.run, lambda: [ordered(*call.run())]), peers, limit_s,
                   peak_bytes=lambda call=call: call.peak_bytes(setting.threads), number=5)


def cases(setting):
    """The limit of a step is the encoder's product and Adam's 28 bytes for each parameter."""
    for rows, d, n in SIZES[:1] if setting.quick else SIZES:
        library = setting.library("sae.nacre", f"Sae{d}")
        parameters = [library.parameter(f"sae.{name}") for name in ("W_dec", "W_enc", "b_enc", "b_dec")]
        parameters = [value.copy() for value in parameters]
        yield from encode_cases(setting, library, parameters, d, n) if setting.quick or d == 768 else ()
        x = setting.normal(rows, d)
        step = OurStep(library, setting.threads, [x])
        peers = [Peer("torch.compile, dense", lambda x=x, p=parameters: torch_step(setting.threads, x, p, dense_decode, True), 4.0),
                 Peer("sparsify", lambda x=x, p=parameters: torch_step(setting.threads, x, p, sparse_decode, False), 2.5)]
        yield Case(f"step N={rows} d={d} n={n}", lambda step=step: our_losses(step, RATE), peers,
                   setting.flop_s(2 * rows * n * d) + setting.read_s(28 * 2 * n * d), tolerance=1e-3, peak_bytes=step.peak_bytes)
