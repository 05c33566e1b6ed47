# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training steps as contestants: ours through the C table, peers as PyTorch modules or losses, eager and compiled.

What is timed is forward, backward and the optimiser's step at rate 0: the parameters stay, so every round does the same work. What is
compared is made at another rate before: after SGD the gradients, after Adam the losses of the first steps.
"""

import numpy

from harness.case import Contestant

FIRST_STEPS = 3


class OurStep:
    """`inputs`: of the loss; `parameters`: values by name, put in place of the drawn ones."""

    def __init__(self, library, threads, inputs=(), parameters=None):
        self.library, self.threads = library, threads
        for name, value in (parameters or {}).items():
            library.parameter(name)[...] = value
        self.call = library.call(library.context(threads), "loss_step", [*inputs, numpy.float32(0), numpy.float32(1)])
        self.rate, self.step = self.call.inputs[-2:]

    def peak_bytes(self):
        """As the library's table states it."""
        return self.call.peak_bytes(self.threads)

    def gradients(self, names):
        """[loss, gradients ..] by an SGD step of rate 1, after which the parameters are put back."""
        before = [self.library.parameter(name).copy() for name in names]
        self.rate[...] = 1
        loss = self.call.run()[0].copy()
        moved = [old - self.library.parameter(name) for name, old in zip(names, before)]
        exponents = [numpy.floor(numpy.log2(1 / max(float(numpy.abs(g).max()), 1e-30))) for g in moved]
        self.put_back(names, before)
        self.rate[...] = rate = 2.0 ** min(exponents)  # so large that rounding of w - rate * g leaves the gradient's digits
        self.call.run()
        found = [(old - self.library.parameter(name)) / numpy.float32(rate) for name, old in zip(names, before)]
        self.put_back(names, before)
        self.rate[...] = 0
        return [loss, *found]

    def put_back(self, names, values):
        """Parameters as they were."""
        for name, value in zip(names, values):
            self.library.parameter(name)[...] = value

    def losses(self, rate):
        """The losses of the first steps at a rate; the parameters stay where these lead."""
        self.rate[...] = rate
        found = []
        for step in range(1, FIRST_STEPS + 1):
            self.step[...] = step
            found.append(float(self.call.run()[0]))
        self.rate[...] = 0
        return [numpy.float32(found)]


def our_gradients(step, names):
    """A step as a contestant that is compared by its gradients."""
    return Contestant(step.call.run, lambda: step.gradients(names))


def our_losses(step, rate):
    """A step as a contestant that is compared by its first losses."""
    return Contestant(step.call.run, lambda: step.losses(rate))


def torch_with(threads):
    """PyTorch with a thread count; ImportError where it is missing."""
    import torch

    torch.set_num_threads(threads)
    return torch


def torch_gradients(threads, values, loss, compiled):
    """loss(*tensors) backward to the tensors, then w -= 0 * g as ours does."""
    torch = torch_with(threads)
    leaves = [torch.from_numpy(value.copy()).requires_grad_() for value in values]
    function = torch.compile(loss) if compiled else loss
    optimizer = torch.optim.SGD(leaves, lr=0.0)

    def run():
        optimizer.zero_grad()
        value = function(*leaves)
        value.backward()
        optimizer.step()
        return value

    return Contestant(run, lambda: [run().detach(), *(leaf.grad for leaf in leaves)])


def torch_losses(threads, parameters, loss, rate, options, compiled, after=None):
    """A step of Adam (fused; AdamW's decay in `options`) on loss(); `after`: what follows, such as rows of length 1."""
    torch = torch_with(threads)
    function = torch.compile(loss) if compiled else loss
    optimizer = torch.optim.AdamW(parameters, lr=rate, fused=True, **options)

    def run():
        optimizer.zero_grad()
        value = function()
        value.backward()
        if after:
            after.before_step()
        optimizer.step()
        if after:
            after.after_step()
        return value

    def check():
        found = [float(run()) for _ in range(FIRST_STEPS)]
        optimizer.param_groups[0]["lr"] = 0.0
        return [numpy.float32(found)]

    return Contestant(run, check)
