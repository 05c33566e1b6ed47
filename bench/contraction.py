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
STREAMED = [(m, 8192, 4096, "by4096") for m in (1, 4)]  # 134 MB of weights: more than the caches hold


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
    """The limit is the FMA peak, or the weights at the read bandwidth; thin products of cached weights have neither."""
    library = setting.library("contraction.nacre")
    context = library.context(setting.threads)
    for m, n, k, weights in SQUARE[2:] + THIN[:1] if setting.quick else SQUARE + THIN + STREAMED:
        a, b = setting.normal(m, k), library.parameter("w" + weights[2:])
        limit_s = setting.flop_s(2 * m * n * k) if m > 8 else setting.read_s(4 * n * k) if weights == "by4096" else None
        for kind, call, target in (("weights", library.call(context, weights, [a]), 1.03 if m > 8 else 1.2),
                                   ("packing inside", library.call(context, "product", [a, b]), 1.0)):
            yield Case(f"{m}x{n}x{k} {kind}", lambda call=call: Contestant(call.run),
                       [Peer("OpenBLAS", lambda a=a, b=b: openblas(a, b), target),
                        Peer("torch", lambda a=a, b=b: torch_product(setting.threads, a, b), target)],
                       limit_s, peak_bytes=lambda call=call: call.peak_bytes(setting.threads), rounds=15)
