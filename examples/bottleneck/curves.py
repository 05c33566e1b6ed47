#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Accuracy after every task and average forgetting, from the predictions that run.sh made. Needs no numpy.

usage: curves.py DIGITS_FOLDER OUT_FOLDER
Prints a table and writes OUT_FOLDER/curves.json: of each method `seen` and `forgetting` of each seed, `all` (trained on every
class at once).

Accuracies are of the test images, with ten classes to choose from. Average forgetting is that of Chaudhry et al. 2018: the mean
over all tasks but the last of the best accuracy that the task ever had less the one it has in the end.
"""

import json
import pathlib
import sys

from tasks import TASKS, integers

METHODS, SEEDS = ("bottleneck", "linear"), (0, 1, 2)


def accuracy(predicted, labels, rows):
    """The share of right answers among some rows."""
    return sum(predicted[row] == labels[row] for row in rows) / len(rows)


def measure(out, method, seed, labels, tests):
    """(accuracy on all classes seen after each task, average forgetting, accuracy of training on all) of one run."""
    predictions = [integers((out / f"{method}-{seed}-{task}.npy").read_bytes()) for task in (*range(TASKS), "all")]
    each = [[accuracy(predicted, labels, rows) for rows in tests] for predicted in predictions]
    seen = [accuracy(predictions[task], labels, sum(tests[: task + 1], [])) for task in range(TASKS)]
    lost = [max(each[later][task] for later in range(task, TASKS)) - each[TASKS - 1][task] for task in range(TASKS - 1)]
    return seen, sum(lost) / len(lost), accuracy(predictions[TASKS], labels, sum(tests, []))


def mean(values):
    """The mean of a list."""
    return sum(values) / len(values)


def main():
    """Measures every run, prints the means, writes the file."""
    digits, out = map(pathlib.Path, sys.argv[1:3])
    labels = integers((out / "labels.npy").read_bytes())
    test = integers((digits / "test.npy").read_bytes())
    tests = [[row for row in test if labels[row] // 2 == task] for task in range(TASKS)]
    result = {}
    print("test accuracy on all classes seen so far, mean of three seeds\n")
    print("| method | 0-1 | 0-3 | 0-5 | 0-7 | 0-9 | average forgetting | all at once |\n" + "|---" * 8 + "|")
    for method in METHODS:
        seen, forgetting, at_once = zip(*(measure(out, method, seed, labels, tests) for seed in SEEDS), strict=True)
        result[method] = {"seen": seen, "forgetting": forgetting, "all": at_once}
        row = [*map(mean, zip(*seen, strict=True)), mean(forgetting), mean(at_once)]
        print(f"| {method} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    (out / "curves.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
