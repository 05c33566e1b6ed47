# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 10: nested retrieval against faiss: its flat search, and inverted files searched as wide as our recall asks.

Data: rows and queries around 2,000 centres, each column scaled by 1 / sqrt(1 + its number / 8), so that the first 64 numbers hold most of a
row, as nested training makes them; then brought to length 1. Recall is the share of the flat search's 10 best that are found.
"""

import numpy

from harness.case import Case, Contestant, Peer

NUMBER = 10
D, PREFIX, BEST, CENTRES = 768, 64, 10, 2000
LISTS = 512


def data(setting, rows):
    """Rows of length 1 around shared centres."""
    scale = (1 / numpy.sqrt(1 + numpy.arange(D) / 8)).astype(numpy.float32)
    centres = numpy.random.Generator(numpy.random.PCG64(1)).standard_normal((CENTRES, D), dtype=numpy.float32)
    found = (centres[setting.draw.integers(0, CENTRES, rows)] + setting.normal(rows, D)) * scale
    return found / numpy.linalg.norm(found, axis=1, keepdims=True)


def recall(found, exact):
    """Mean share of each query's exact rows that were found."""
    return float(numpy.mean([len(numpy.intersect1d(a, b)) / BEST for a, b in zip(found, exact)]))


def searcher(threads, index, queries):
    """A faiss index as a contestant."""
    import faiss

    faiss.omp_set_num_threads(threads)
    return Contestant(lambda: index.search(queries, BEST)[1])


def flat(gallery):
    """All scores of all rows."""
    import faiss

    index = faiss.IndexFlatIP(D)
    index.add(gallery)
    return index


def inverted(gallery, queries, exact, least):
    """An inverted file with the fewest probes (doubling) that reach a recall."""
    import faiss

    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(D), D, LISTS, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 5
    index.cp.max_points_per_centroid = 64
    index.train(gallery)
    index.add(gallery)
    index.nprobe = 1
    while index.nprobe < LISTS and recall(index.search(queries, BEST)[1], exact) < least:
        index.nprobe *= 2
    return index


def refined(gallery, queries, shortlist):
    """Our own way in faiss: flat on the prefix, then the shortlist again on all numbers."""
    import faiss

    rows, asked = (numpy.ascontiguousarray(part[:, :PREFIX]) for part in (gallery, queries))
    index = faiss.IndexFlatIP(PREFIX)
    index.add(rows)

    def run():
        near = index.search(asked, shortlist)[1]
        scores = numpy.einsum("qd,qsd->qs", queries, gallery[near])
        return numpy.take_along_axis(near, numpy.argsort(-scores, axis=1)[:, :BEST], 1)

    return Contestant(run)


def cases(setting):
    """The limit is the product with the prefixes."""
    rows, asked = (20000, 200) if setting.quick else (200000, 1000)
    gallery, queries = data(setting, rows), data(setting, asked)
    library = setting.library("retrieval.nacre")
    call = library.call(library.context(setting.threads), "search", [queries, gallery])
    found = call.run()[0].copy()
    try:
        exact = searcher(setting.threads, flat(gallery), queries).run()
    except ImportError:
        exact = found
    reached = recall(found, exact)

    def less_recall(ours, theirs):
        share = recall(theirs[0].reshape(asked, BEST), exact)
        return None if share >= reached - 0.01 and len(ours) else f"recall {share:.3f} is below ours, {reached:.3f}"

    def faiss_inverted():
        return searcher(setting.threads, inverted(gallery, queries, exact, reached), queries)

    peers = [Peer("faiss flat", lambda: searcher(setting.threads, flat(gallery), queries), 8.0),
             Peer(f"faiss IVF{LISTS}", faiss_inverted, 1.0),
             Peer("faiss prefix + NumPy", lambda: refined(gallery, queries, 100), None)]
    yield Case(f"{rows}x{D}, {asked} queries, recall {reached:.3f}", lambda: Contestant(call.run), peers,
               setting.flop_s(2 * asked * rows * PREFIX), disagreement=less_recall,
               peak_bytes=lambda: call.peak_bytes(setting.threads))
