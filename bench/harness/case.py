# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a workload describes: cases, each with ours and its peers. Nothing here runs or times anything."""

import dataclasses
from typing import Any, Callable

import numpy


def arrays(value):
    """A result of any library as a list of NumPy arrays."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    return [numpy.asarray(part.detach() if hasattr(part, "detach") else part) for part in parts]


@dataclasses.dataclass
class Contestant:
    """One way to do the work: `run` is what is timed; `check` gives what all contestants must agree on (default: a run's result)."""

    run: Callable[[], Any]
    check: Callable[[], list] | None = None

    def results(self):
        """Arrays to compare; untimed."""
        return arrays((self.check or self.run)())


@dataclasses.dataclass
class Peer:
    """Somebody else's way; `make` may raise ImportError where the library is missing. `target`: the least ratio peer time / our time."""

    name: str
    make: Callable[[], Contestant]
    target: float | None


@dataclasses.dataclass
class Case:
    """One row: `limit_s`: the time at the machine's limit; `tolerance`: the difference allowed, relative to the largest element."""

    name: str
    ours: Callable[[], Contestant]
    peers: list[Peer]
    limit_s: float | None = None
    tolerance: float = 1e-4
    peak_bytes: Callable[[], int] | None = None
    disagreement: Callable[[list, list], str | None] | None = None  # in place of `tolerance`: why two results differ, or None
    rounds: int = 7
    number: int | None = None  # in place of the workload's



@dataclasses.dataclass
class Bound:
    """A row without a contest: a figure held against a bound. `unit`: s, bytes or x; `least`: the bound is the least value."""

    name: str
    value: float
    bound: float
    unit: str
    least: bool = False
    peak_bytes: int | None = None


def difference(ours, theirs, tolerance):
    """Why two lists of arrays are not the same within a tolerance, or None."""
    if len(ours) != len(theirs):
        return f"expected {len(ours)} results, but got {len(theirs)}"
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a.size != b.size:
            return f"result {i}: expected {a.shape}, but got {b.shape}"
        scale = float(numpy.abs(b).max(initial=1e-30))
        apart = float(numpy.abs(a.reshape(-1) - b.reshape(-1)).max(initial=0.0)) / scale
        if not apart <= tolerance:
            return f"result {i} differs by {apart:.1e} of its largest element ({tolerance:.0e} is allowed)"
    return None
