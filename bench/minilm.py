# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MiniLM throughput against onnxruntime and PyTorch, float32, the same batches for all, in one process.

Candidates take turns (A B C A B C ...), the median of each decides, and each agrees with the others before it is timed.
"""

import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

ROUNDS = 7
BATCH = 32
MOST_ERROR = 2e-5  # as in examples/minilm/compare.py


class Ours:
    """The compiled library."""

    name = "nacre"

    def __init__(self, library, threads):
        self.library, self.at = library, library.context(threads)

    def encode(self, ids, lengths):
        import numpy

        return self.library.call(self.at, "encode", [ids, lengths], numpy.empty((len(ids), 384), numpy.float32))


def workloads():
    """(name, batches) where a batch is (ids, lengths): sentences sorted by length, as encoders' own front ends do; full rows."""
    import numpy
    from tokenize_sentences import tokenize

    sentences = (ROOT / "examples" / "minilm" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    mixed = sorted((sentences + sentences)[:256], key=len, reverse=True)
    parts = [mixed[at : at + BATCH] for at in range(0, len(mixed), BATCH)]
    full = numpy.random.Generator(numpy.random.PCG64(0)).integers(1000, 30000, (BATCH, 128)).astype(numpy.int32)
    yield "256 sentences, mixed lengths", [tokenize(part) for part in parts]
    yield f"{BATCH} rows of 128 tokens", [(full, numpy.full(BATCH, 128, numpy.int32))]


def candidates(build, threads):
    """Ours first, then every peer that is installed."""
    import checkpoint
    import peers
    from library import Library

    out = build / "bench"
    subprocess.run([build / "bin" / "nacre", "compile", ROOT / "examples" / "minilm" / "minilm.nacre", "-o", f"{out}/"],
                   check=True, stdout=subprocess.DEVNULL)
    path = next(out.glob("libminilm*.so"))
    yield Ours(Library(path, "minilm", checkpoint.folder() / "model.safetensors"), threads)
    for peer in (peers.OnnxEncoder, peers.TorchEncoder):
        try:
            yield peer(threads)
        except ImportError as error:
            print(f"  {peer.name} is not installed ({error.name}); bench/setup-peers.sh brings it", file=sys.stderr)


def timed(encoder, batches):
    """Seconds of one pass."""
    start = time.perf_counter()
    for ids, lengths in batches:
        encoder.encode(ids, lengths)
    return time.perf_counter() - start


def measure(build):
    """Rows of {workload, threads, candidate, sentences_per_second, ratio}; the ratio is ours over that peer."""
    import numpy

    for threads in (1, 2):
        encoders = list(candidates(build, threads))
        for name, batches in workloads():
            ids, lengths = batches[0]
            results = [encoder.encode(ids, lengths) for encoder in encoders]
            for encoder, result in zip(encoders, results):
                error = float(numpy.abs(result - results[-1]).max())
                if not error <= MOST_ERROR:
                    raise SystemExit(f"minilm: {encoder.name} differs from {encoders[-1].name} by {error:.1e}: not timed")
            times = {encoder.name: [] for encoder in encoders}
            for _ in range(ROUNDS):
                for encoder in encoders:
                    times[encoder.name].append(timed(encoder, batches))
            count = sum(len(ids) for ids, _ in batches)
            medians = {name: statistics.median(values) for name, values in times.items()}
            for candidate, median in medians.items():
                yield {"workload": name, "threads": threads, "candidate": candidate, "sentences_per_second": round(count / median, 1),
                       "ratio": round(median / medians["nacre"], 3)}
