#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every test suite and prints the plain count on the last line: `N passed, N failed[, N skipped]`.

usage: run.py BUILD_FOLDER [SUITE...]        (./x test calls it; suites are named in the first column of its output)

Every test counts once, by what its own runner reports: lit and GoogleTest in JSON, unittest in this process, scripts and
nacre-golden in TAP lines (`ok NAME`, `not ok NAME`, `ok NAME # SKIP why`). A runner that ends badly without naming a
failed test, or reports no test at all, counts as one failed test. A suite whose files are not there does not exist.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 1800  # one runner; far above what any needs, so that a hang ends the run with a name
SHOWN_LINES = 60  # of a failed test's output


class Suite:
    """What a runner reported: passed names, (name, detail) of the failed, (name, why) of the skipped."""

    def __init__(self, name):
        self.name, self.passed, self.failed, self.skipped = name, [], [], []

    def total(self):
        return len(self.passed) + len(self.failed) + len(self.skipped)


def execute(command, **options):
    """Exit status and the joined output of a command; a time-out is status 124."""
    environment = dict(os.environ, NACRE_BUILD=str(options.pop("build", "")))
    try:
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
                              timeout=LIMIT_SECONDS, env=environment, stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode("utf-8", "replace") + f"\nended after {LIMIT_SECONDS} s"


def llvm_tools(build):
    """The folder of FileCheck, not and lit that belongs to the LLVM of this build."""
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    found = re.search(r"^LLVM_DIR:\w+=(.*)/lib/cmake/llvm/?$", cache, re.M)
    return pathlib.Path(found.group(1) if found else "/usr") / "bin"


def run_lit(build, suite):
    """lit over test/: passes, errors and formats that have a text form."""
    report = build / "test" / "lit.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, llvm_tools(build) / "lit", "-q", "--param", f"build={build}", "--output", report, ROOT / "test"]
    status, output = execute(command)
    if report.exists():
        for test in json.loads(report.read_text(encoding="utf-8"))["tests"]:
            if test["code"] in ("PASS", "FLAKYPASS", "XFAIL"):
                suite.passed.append(test["name"])
            elif test["code"] in ("UNSUPPORTED", "SKIPPED"):
                suite.skipped.append((test["name"], test["code"].lower()))
            elif test["code"] != "EXCLUDED":
                suite.failed.append((test["name"], test.get("output", "")))
    return status, output


def run_googletest(binary, suite, build):
    """One GoogleTest program."""
    report = build / "test" / f"{binary.name}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    status, output = execute([binary, f"--gtest_output=json:{report}", "--gtest_brief=1"], build=build)
    if report.exists():
        for group in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
            for test in group["testsuite"]:
                name = f"{group['name']}.{test['name']}"
                if test.get("failures"):
                    suite.failed.append((name, "\n".join(failure["failure"] for failure in test["failures"])))
                elif test["result"] != "COMPLETED":
                    suite.skipped.append((name, test["result"].lower()))
                else:
                    suite.passed.append(name)
    return status, output


def run_tap(command, suite, build):
    """A program that prints TAP lines; what stands above a `not ok` is its detail."""
    status, output = execute(command, build=build)
    detail = []
    for line in output.splitlines():
        found = re.match(r"(not )?ok\b[ \d]*-? *(.*?)(?: *# *SKIP *(.*))?$", line)
        if not found:
            detail.append(line)
            continue
        refused, name, why = found.groups()
        if why is not None:
            suite.skipped.append((name, why))
        elif refused:
            suite.failed.append((name, "\n".join(detail)))
        else:
            suite.passed.append(name)
        detail = []
    return status, output


def run_python(suite):
    """Every test/*.py and test/**/*_test.py with unittest, in this process."""
    loader, tests = unittest.TestLoader(), unittest.TestSuite()
    for path in sorted({ROOT / "test" / "layering.py", *(ROOT / "test").rglob("*_test.py")}):
        sys.path.insert(0, str(path.parent))
        tests.addTests(loader.loadTestsFromName(path.stem))
        sys.path.pop(0)

    class Collect(unittest.TestResult):
        def addSuccess(self, test):
            suite.passed.append(test.id())

    result = Collect()
    tests.run(result)
    suite.failed += [(test.id(), text) for test, text in result.failures + result.errors]
    suite.skipped += [(test.id(), why) for test, why in result.skipped]
    return 0, ""


def runners(build):
    """(name, function) of every suite that exists now, cheapest first."""
    found = [("python", run_python)]
    for binary in sorted((build / "bin").glob("*-test")):
        found.append((binary.name, lambda suite, binary=binary: run_googletest(binary, suite, build)))
    golden = build / "bin" / "nacre-golden"
    if golden.exists():
        found.append((golden.name, lambda suite: run_tap([golden, ROOT / "test" / "golden"], suite, build)))
        found.append((golden.name + " own", lambda suite: run_tap([golden, ROOT / "test" / "golden" / "own"], suite, build)))
        found.append((golden.name + " device", lambda suite: run_tap([golden, "--device", ROOT / "test" / "golden"], suite, build)))
        found.append((golden.name + " own device", lambda suite: run_tap([golden, "--device", ROOT / "test" / "golden" / "own"], suite, build)))
    found.append(("lit", lambda suite: run_lit(build, suite)))
    for script in sorted([*ROOT.glob("test/*.sh"), *ROOT.glob("examples/*/test.sh")]):
        name = script.parent.name if script.stem == "test" else script.stem
        found.append((name, lambda suite, script=script: run_tap(["bash", script, build], suite, build)))
    return found


def run_suite(name, function):
    """Runs one suite, makes a bad end without a failed test one failed test, prints its line and its failures."""
    suite, start = Suite(name), time.monotonic()
    status, output = function(suite)
    if status and not suite.failed:
        suite.failed.append((f"{name} ends with status 0", f"status {status}\n{output}"))
    elif suite.total() == 0:
        suite.failed.append((f"{name} reports a test", output))
    counts = f"{len(suite.passed):5} passed {len(suite.failed):4} failed"
    counts += f" {len(suite.skipped):3} skipped" if suite.skipped else ""
    lines = [f"{name:22} {counts}   ({time.monotonic() - start:.0f} s)"]
    lines += [f"  skipped: {test}: {why}" for test, why in suite.skipped]
    for test, detail in suite.failed:
        lines.append(f"  FAILED: {test}")
        lines += ["    " + line for line in detail.strip().splitlines()[-SHOWN_LINES:]]
    print("\n".join(lines), flush=True)
    return suite


def main():
    """Runs the chosen suites (default: all); exit status 1 when a test failed."""
    build, chosen = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    available = runners(build)
    unknown = set(chosen) - {name for name, _ in available}
    if unknown:
        raise SystemExit(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(name for name, _ in available)}")
    wanted = [(name, function) for name, function in available if not chosen or name in chosen]
    # One suite a processor: they share nothing but the build folder, which they read.
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        suites = list(pool.map(lambda suite: run_suite(*suite), wanted))
    passed, failed, skipped = (sum(len(getattr(suite, kind)) for suite in suites) for kind in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
