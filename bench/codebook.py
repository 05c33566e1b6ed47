# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 6: vector quantisation: assignment alone, and the step with straight-through and exponential means."""

import numpy

from harness.case import Case, Contestant, Peer
from harness.steps import torch_with

NUMBER = 6
DECAY = 0.9
SIZES = [(16384, 1024, 64), (16384, 8192, 256)]


def faiss_assignment(threads, x, codes):
    """The flat index: exact."""
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatL2(codes.shape[1])
    index.add(codes)
    return Contestant(lambda: index.search(x, 1), lambda: [codes[index.search(x, 1)[1][:, 0]]])


def torch_assignment(threads, x, codes):
    """|c|^2 / 2 - x.c and argmin."""
    torch = torch_with(threads)
    rows, book = torch.from_numpy(x), torch.from_numpy(codes)
    norms = (book * book).sum(1) / 2

    def run():
        return torch.addmm(norms, rows, book.T, alpha=-1).argmin(1)

    return Contestant(run, lambda: [codes[run().numpy()]])


def published_step(threads, x, codes):
    """VectorQuantize in training: assignment, straight-through, exponential means."""
    torch = torch_with(threads)
    from vector_quantize_pytorch import VectorQuantize

    count, width = codes.shape
    quantizer = VectorQuantize(dim=width, codebook_size=count, decay=DECAY, eps=1e-5, commitment_weight=0.0,
                                threshold_ema_dead_code=0).train()
    book = quantizer._codebook  # its state has no public name
    book.embed.data.copy_(torch.from_numpy(codes)[None])
    book.embed_avg.data.copy_(torch.from_numpy(codes)[None])
    book.cluster_size.data.fill_(1)
    book.initted.data.fill_(True)
    rows = torch.from_numpy(x)[None]
    return Contestant(lambda: quantizer(rows), lambda: [quantizer(rows)[0].detach().numpy()[0], book.embed_avg.numpy()[0]])


def our_step(library, threads, x):
    """Compared by the quantised rows and the sums that the means are made of."""
    call = library.call(library.context(threads), "step", [x])
    return call, Contestant(call.run, lambda: [call.run()[0].copy(), library.parameter("book.m").copy()])


def different_rows(ours, theirs):
    """Distances that are equal up to rounding may go to another code: few rows may differ."""
    apart = float(numpy.mean(numpy.any(numpy.abs(ours[0] - theirs[0].reshape(ours[0].shape)) > 1e-5, axis=1)))
    return None if apart <= 1e-3 else f"{apart:.1%} of the rows have another code"


def cases(setting):
    """The limit is the product alone."""
    for rows, count, width in SIZES[:1] if setting.quick else SIZES:
        library = setting.library("codebook.nacre", f"Codes{count}")
        x, codes = setting.normal(rows, width), setting.normal(count, width)
        library.parameter("book.E")[...] = codes
        library.parameter("book.m")[...] = codes
        assign = library.call(library.context(setting.threads), "assign", [x])
        limit_s, at = setting.flop_s(2 * rows * count * width), f"{rows}x{count}x{width}"
        yield Case(f"assign {at}", lambda assign=assign, codes=codes: Contestant(assign.run, lambda: [codes[assign.run()[0]]]),
                   [Peer("faiss", lambda x=x, codes=codes: faiss_assignment(setting.threads, x, codes), 1.2),
                    Peer("torch", lambda x=x, codes=codes: torch_assignment(setting.threads, x, codes), None)],
                   limit_s, peak_bytes=lambda assign=assign: assign.peak_bytes(setting.threads), disagreement=different_rows)
        call, step = our_step(library, setting.threads, x)
        yield Case(f"step {at}", lambda step=step: step,
                   [Peer("VectorQuantize", lambda x=x, codes=codes: published_step(setting.threads, x, codes), 3.0)],
                   limit_s, peak_bytes=lambda call=call: call.peak_bytes(setting.threads), disagreement=different_rows)
