# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Beside the thirteen: no special path may lose to the plain one by more than noise, on a grid of shapes.

Both ways are ours: a fused program, and the same value by two calls with the intermediate result stored between them.
"""

import numpy

from harness.case import Case, Contestant, Peer

NUMBER = 15
NOISE = 0.93  # the least ratio plain / special
# (rows, columns, depth or kept), a grid from small to large.
TOPK = [(rows, n, d) for rows in (1, 32, 256) for n in (512, 8192) for d in (64, 512)]
HEADS = [(rows, classes, d) for rows in (32, 512) for classes in (100, 1000) for d in (128, 1024)]
EXPERTS = [16, 512]


def fused(library, context, function, parts, inputs):
    """(special, plain): one function, and a chain of functions that each take the results of the one before (in place of None)."""
    special = library.call(context, function, inputs)
    chain, given = [], inputs
    for name, picked in parts:
        call = library.call(context, name, [given[i] if i >= 0 else chain[-1].outputs[-1 - i] for i in picked])
        call.run()
        chain.append(call)

    def plain():
        for call in chain:
            call.run()
        return chain[-1].outputs

    return Contestant(special.run, lambda: [part.copy() for part in special.run()]), Contestant(plain, lambda: [p.copy() for p in plain()])


def cases(setting):
    """Selections, arg-maxima, losses over nested widths, sparse decoders, chosen experts."""
    library = setting.library("plain.nacre")
    context = library.context(setting.threads)
    grid = []
    for rows, n, d in TOPK[:4] if setting.quick else TOPK:
        x, w = setting.normal(rows, d), setting.normal(d, n)
        grid.append((f"top-k of a product {rows}x{n}x{d}", "encode", [("product", (0, 1)), ("keep", (-1,))], [x, w]))
        grid.append((f"arg-max of a product {rows}x{n}x{d}", "nearest", [("product", (0, 1)), ("position", (-1,))], [x, w]))
        code = numpy.sort(setting.draw.permuted(numpy.tile(numpy.arange(n), (rows, 1)), axis=1)[:, :16], axis=1)
        code_inputs = [setting.normal(rows, 16), code.astype(numpy.int32), setting.normal(n, d)]
        grid.append((f"sparse decoder {rows}x{n}x{d}", f"decode{n}", [(f"dense{n}", (0, 1)), ("product", (-1, 2))], code_inputs))
    for rows, classes, d in HEADS[:2] if setting.quick else HEADS:
        given = [setting.normal(rows, d), setting.normal(d, classes), setting.draw.integers(0, classes, rows)]
        grid.append((f"loss of a product {rows}x{classes}x{d}", "loss", [("product", (0, 1)), ("loss_of", (-1, 2))], given))
    for name, function, parts, inputs in grid:
        special, plain = fused(library, context, function, parts, inputs)
        yield Case(name, lambda special=special: special, [Peer("ours, in two calls", lambda plain=plain: plain, NOISE)], tolerance=1e-3)
    yield from experts(setting)


def experts(setting):
    """Chosen experts against all of them, from few to many tokens."""
    library = setting.library("experts.nacre")
    context = library.context(setting.threads)
    for tokens in EXPERTS:
        shapes = ((tokens, 256), (256, 8), (8, 256, 1024), (8, 1024, 256))
        inputs = [setting.normal(*shape) * numpy.float32(0.1) for shape in shapes]
        chosen, every = (library.call(context, name, inputs) for name in ("chosen", "all"))
        yield Case(f"chosen experts, {tokens} tokens", lambda call=chosen: Contestant(call.run),
                   [Peer("ours, all experts", lambda call=every: Contestant(call.run), NOISE)], tolerance=1e-3)
