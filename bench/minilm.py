# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 8: the published MiniLM encoder, f32: 1000 short and 1000 long sentences, and one sentence alone.

Sentences are sorted by length, in batches of 32. The peers get the same batches, padded to the longest sentence of each, with its mask. The
limit counts the products of the real tokens.
"""

import pathlib
import sys

import numpy

from harness.case import Case, Contestant, Peer

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

NUMBER = 8
BATCH = 32
LAYERS, D, F = 6, 384, 1536
LONG = 6  # sentences of the example in one long one: some 120 tokens
EVERY = 4  # of the long ones' batches each round takes every fourth, which keeps their mix of lengths


def tokenized(count, joined):
    """Batches of (ids, lengths), longest first, made of the example's 200 sentences."""
    from tokenize_sentences import tokenize

    own = (ROOT / "examples" / "minilm" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    texts = [" ".join(own[(i * joined + j) % len(own)] for j in range(joined)) for i in range(count)]
    texts.sort(key=len, reverse=True)
    return [tokenize(texts[at : at + BATCH]) for at in range(0, count, BATCH)]


def flop_of(batches):
    """Twelve D^2 weights a layer and token, and attention over the sentence's own tokens."""
    tokens = sum(int(lengths.sum()) for _, lengths in batches)
    pairs = sum(int((lengths.astype(numpy.int64) ** 2).sum()) for _, lengths in batches)
    return LAYERS * (2 * tokens * (4 * D * D + 2 * D * F) + 4 * pairs * D)


def openvino_encoder(threads):
    """The same ONNX model, compiled by OpenVINO."""
    import openvino
    import peers

    core = openvino.Core()
    model = core.read_model(peers.onnx_model())
    request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()

    def encode(ids, lengths):
        mask = (numpy.arange(ids.shape[1]) < lengths[:, None]).astype(numpy.float32)
        given = {"ids": ids, "types": numpy.zeros_like(ids), "lengths": lengths, "mask": mask[:, :, None]}
        return request.infer({port.any_name: given[port.any_name] for port in model.inputs})[0].copy()

    return encode


def of_library(name, threads):
    """An encoder of examples/minilm/peers.py."""
    import peers

    return getattr(peers, name)(threads).encode


def contestant(encode, batches):
    """All batches, one after the other."""

    def run():
        return [encode(ids, lengths) for ids, lengths in batches]

    return Contestant(run, lambda: [numpy.concatenate(run())])


def cases(setting):
    """One row for each set of sentences."""
    import checkpoint

    library = setting.library(ROOT / "examples" / "minilm" / "minilm.nacre", "MiniLM", checkpoint.folder() / "model.safetensors")
    context = library.context(setting.threads)
    count = 64 if setting.quick else 1000
    sets = [(f"{count} short", tokenized(count, 1), 1.5), (f"{count} long, every fourth batch", tokenized(count, LONG)[::EVERY], 1.5),
            ("B=1", tokenized(1, 1), 2.0)]
    for name, batches, target in sets:
        calls = [library.call(context, "encode", [ids, lengths]) for ids, lengths in batches]

        def ours(calls=calls):
            return Contestant(lambda: [call.run() for call in calls], lambda: [numpy.concatenate([call.run()[0] for call in calls])])

        encoders = {"onnxruntime": lambda: of_library("OnnxEncoder", setting.threads),
                    "openvino": lambda: openvino_encoder(setting.threads)}
        yield Case(name, ours, [Peer(peer, lambda make=make, batches=batches: contestant(make(), batches), target)
                                for peer, make in encoders.items()],
                   setting.flop_s(flop_of(batches)), tolerance=1e-3,
                   peak_bytes=lambda calls=calls: max(call.peak_bytes(setting.threads) for call in calls))
