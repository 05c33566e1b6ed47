# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 3: nested in-batch contrastive loss, forward and backward, against MatryoshkaLoss around MultipleNegativesRankingLoss."""

from harness.case import Case, Peer
from harness.steps import OurStep, our_gradients, torch_gradients

NUMBER = 3
WIDTHS = [384, 256, 128, 64, 32]
TEMPERATURE = 0.05
D = 384


def published(threads, values):
    """The loss of sentence-transformers; its model is one that hands on the embeddings that it is given."""
    import torch
    from sentence_transformers import losses, util

    class Given(torch.nn.Module):
        """What the losses need of a sentence encoder."""

        def forward(self, features):
            return dict(features)

        def get_embedding_dimension(self):
            return D

        get_sentence_embedding_dimension = get_embedding_dimension

    model = Given()
    ranking = losses.MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE, similarity_fct=util.cos_sim)
    loss = losses.MatryoshkaLoss(model, ranking, WIDTHS)
    return torch_gradients(threads, values, lambda a, b: loss([{"sentence_embedding": a}, {"sentence_embedding": b}], None), False)


def by_torch(threads, values, compiled):
    """The same written out for PyTorch."""

    def loss(a, b):
        import torch

        total = 0.0
        for m in WIDTHS:
            x, y = (torch.nn.functional.normalize(side[:, :m]) for side in (a, b))
            total = total + torch.nn.functional.cross_entropy(x @ y.T / TEMPERATURE, torch.arange(len(a)))
        return total

    return torch_gradients(threads, values, loss, compiled)


def cases(setting):
    """The limit counts each width's products: forward two, backward two with the scores again."""
    rows = 512 if setting.quick else 2048
    values = [setting.normal(rows, D), setting.normal(rows, D)]
    names = ["pairs.a", "pairs.b"]
    step = OurStep(setting.library("contrastive.nacre", f"Contrastive{rows}"), setting.threads, parameters=dict(zip(names, values)))
    yield Case(f"N={rows} d={D}", lambda: our_gradients(step, names),
               [Peer("MatryoshkaLoss", lambda: published(setting.threads, values), 3.0),
                Peer("torch.compile", lambda: by_torch(setting.threads, values, True), None)],
               setting.flop_s(8 * rows * rows * sum(WIDTHS)), peak_bytes=step.peak_bytes)
