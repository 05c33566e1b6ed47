# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 1: a product against NumPy's OpenBLAS and PyTorch: with the weights known beforehand, and with the packing inside the timing."""

import numpy

from harness.case import Case, Contestant, Peer
from harness.steps import torch_with

NUMBER = 1
THREADS = (1, 2)
# (M, N, K) and the function that holds such weights.
SQUARE = [(1024, 1024, 1024, "by1024"), (4096, 768, 768, "by768"), (256, 1536, 384, "by384"), (1000, 500, 300, "by300")]
THIN = [(m, 768, 768, "by768") for m in (1, 2, 4, 8)]


def openblas(a, b):
    """NumPy's own library; OPENBLAS_CORETYPE is set by the run. Its result array is made once."""
    result = numpy.empty((len(a), b.shape[1]), numpy.float32)
    return Contestant(lambda: numpy.matmul(a, b, out=result))


def torch_product(threads, a, b):
    """PyTorch's library (oneDNN or MKL)."""
    torch = torch_with(threads)
    left, right = torch.from_numpy(a), torch.from_numpy(b)
    result = torch.empty(len(a), b.shape[1])

    def run():
        with torch.inference_mode():
            return torch.mm(left, right, out=result)

    return Contestant(run)


def cases(setting):
    """At M <= 4 the limit is the weights at the read bandwidth, else the FMA peak."""
    library = setting.library("contraction.nacre")
    context = library.context(setting.threads)
    for m, n, k, weights in SQUARE[2:] + THIN[:1] if setting.quick else SQUARE + THIN:
        a, b = setting.normal(m, k), library.parameter("w" + weights[2:])
        limit_s = setting.read_s(4 * n * k) if m <= 4 else setting.flop_s(2 * m * n * k)
        for kind, call, target in (("weights", library.call(context, weights, [a]), 1.03 if m > 8 else 1.2),
                                   ("packing inside", library.call(context, "product", [a, b]), 1.0)):
            yield Case(f"{m}x{n}x{k} {kind}", lambda call=call: Contestant(call.run),
                       [Peer("OpenBLAS", lambda a=a, b=b: openblas(a, b), target),
                        Peer("torch", lambda a=a, b=b: torch_product(setting.threads, a, b), target)],
                       limit_s, peak_bytes=lambda call=call: call.peak_bytes(setting.threads), rounds=15)
