# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Beside the thirteen: a mixture of experts by its chosen experts against all of them, both compiled: 8 experts, 2 a token, 512 tokens."""

import numpy

from harness.case import Case, Contestant, Peer

NUMBER = 14
SHAPES = ((512, 256), (256, 8), (8, 256, 1024), (8, 1024, 256))
FLOP = 2 * 512 * 2 * (2 * 256 * 1024)


def cases(setting):
    """The work is 2/8 of that of all experts."""
    library = setting.library("experts.nacre")
    context = library.context(setting.threads)
    inputs = [setting.normal(*shape) * numpy.float32(0.1) for shape in SHAPES]
    chosen, every = (library.call(context, name, inputs) for name in ("chosen", "all"))
    yield Case("2 of 8 experts", lambda: Contestant(chosen.run), [Peer("ours, all experts", lambda: Contestant(every.run), 2.0)],
               setting.flop_s(FLOP), tolerance=1e-3, peak_bytes=lambda: chosen.peak_bytes(setting.threads))
