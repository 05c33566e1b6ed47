# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes the time of one case: agreement first, then rounds in which the contestants take turns (A B C A B C ...)."""

import gc
import pathlib
import statistics
import sys
import time

from harness.case import Bound, difference

SAMPLE_S = 0.02  # a sample repeats what is shorter than this
SETTLE_S = 0.03  # between contestants: thread pools of peers go on spinning for some milliseconds
BUDGET_S = {False: 45.0, True: 8.0}  # of a case, by --quick; the rounds never fall below LEAST
LEAST = {False: 7, True: 3}


def say(text):
    """Progress, on standard error: standard output is for rows."""
    print(f"    {text}", file=sys.stderr, flush=True)


def seconds(run, count):
    """Seconds of one run, over `count` of them."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def memory_of(run):
    """Bytes by which one run raises the process's memory: the high-water mark is set back before."""
    status = pathlib.Path("/proc/self/status")

    def field(name):
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    gc.collect()
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    before = field("VmRSS")
    run()
    return max(0, field("VmHWM") - before)


def invite(case):
    """(name, target, contestant) of every peer that is here and agrees with ours; reasons of the others."""
    ours = case.ours()
    expected = ours.results()
    present, absent = [], {}
    for peer in case.peers:
        try:
            contestant = peer.make()
            got = contestant.results()
        except ImportError as error:
            absent[peer.name] = f"not installed ({error.name})"
            continue
        except Exception as error:  # pylint: disable=broad-exception-caught  # a peer's own failure must not end our run
            absent[peer.name] = f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            continue
        wrong = case.disagreement(expected, got) if case.disagreement else difference(expected, got, case.tolerance)
        if wrong:
            absent[peer.name] = f"disagrees, so it was not timed: {wrong}"
        else:
            present.append((peer.name, peer.target, contestant))
    for name, reason in absent.items():
        say(f"{case.name}: {name} {reason}")
    return ours, present, absent


def take_turns(runs, quick, rounds):
    """Samples of every contestant, by its place in `runs`."""
    counts = [max(1, round(SAMPLE_S / max(seconds(run, 1), 1e-7))) for run in runs]
    samples = [[] for _ in runs]
    start = time.perf_counter()
    most = LEAST[quick] if quick else max(rounds, LEAST[quick])
    while len(samples[0]) < LEAST[quick] or (len(samples[0]) < most and time.perf_counter() - start < BUDGET_S[quick]):
        for taken, run, count in zip(samples, runs, counts):
            time.sleep(SETTLE_S)
            taken.append(seconds(run, count))
    return samples


def spread(samples):
    """Quartiles, rounded: half of the samples lie between."""
    low, _, high = statistics.quantiles(samples, n=4)
    return [float(f"{low:.4g}"), float(f"{high:.4g}")]


def bound_row(bound):
    """The row of a figure held against a bound."""
    ratio = bound.value / bound.bound if bound.least else bound.bound / bound.value
    return {"case": bound.name, "unit": bound.unit, "ours_s": bound.value, "peer": "bound", "peer_s": bound.bound,
            "ratio": ratio, "target": 1.0, "limit_fraction": None, "peak_bytes": bound.peak_bytes}


def measure(case, quick):
    """The row of a case. The peer that is named is the one that is hardest to satisfy: least ratio / target; the others are in `others`."""
    if isinstance(case, Bound):
        return bound_row(case)
    ours, peers, absent = invite(case)
    samples = take_turns([ours.run, *(contestant.run for _, _, contestant in peers)], quick, case.rounds)
    ours_s = statistics.median(samples[0])
    found = []
    for (name, target, contestant), taken in zip(peers, samples[1:]):
        peer_s = statistics.median(taken)
        found.append({"peer": name, "peer_s": peer_s, "ratio": peer_s / ours_s, "target": target, "peer_spread_s": spread(taken),
                      "peer_extra_bytes": memory_of(contestant.run)})
    found.sort(key=lambda row: row["ratio"] / row["target"] if row["target"] else row["ratio"] + 1e9)
    best = found[0] if found else {"peer": "no peer", "peer_s": None, "ratio": None, "target": None}
    number = {"number": case.number} if case.number else {}
    return {**number, "case": case.name, "unit": "s", "ours_s": ours_s, "ours_spread_s": spread(samples[0]), **best,
            "limit_fraction": case.limit_s / ours_s if case.limit_s else None,
            "peak_bytes": case.peak_bytes() if case.peak_bytes else None, "ours_extra_bytes": memory_of(ours.run),
            "rounds": len(samples[0]), "others": found[1:], "absent": absent}
