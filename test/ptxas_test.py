# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The PTX of the example and benchmark models assembles for every architecture. Skipped without ptxas.

Writes what ptxas says of each kernel (registers, spills, shared memory) to BUILD/test/ptxas.txt.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("NACRE_BUILD") or ROOT / "build")
NACRE = BUILD / "bin" / "nacre"
ARCHITECTURES = ("sm_80", "sm_90a")
LIMIT_SECONDS = 600  # one model; far above what any needs


PTXAS = shutil.which("ptxas")


def models():
    """(file, model) of every model below bench/ and examples/; None where a file has functions alone."""
    for path in sorted([*ROOT.glob("bench/*.nacre"), *ROOT.glob("examples/*/*.nacre")]):
        for name in re.findall(r"^model\s+(\w+)", path.read_text(encoding="utf-8"), re.M) or [None]:
            yield path, name


def run(*command):
    """Exit status and joined output."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def assemble(path, model, folder):
    """For each architecture: what goes wrong, or nothing; and what ptxas says. PTX for sm_80 is what later devices get too."""
    ptx = pathlib.Path(folder) / f"{path.stem}-{model}.ptx"
    chosen = ["--model", model] if model else []
    status, text = run(NACRE, "compile", path, *chosen, "--target=nvptx", "--emit=ptx")
    if status:
        return [(ARCHITECTURES[0], f"nacre: {text.strip()}", "")]
    ptx.write_text(text, encoding="utf-8")
    found = []
    for architecture in ARCHITECTURES:
        status, text = run(PTXAS, "-v", f"-arch={architecture}", ptx, "-o", os.devnull)
        found.append((architecture, f"ptxas: {text.strip()[-2000:]}" if status else "", text))
    return found


def kernels(text):
    """(name, registers, spill stores in bytes, stack in bytes, shared memory in bytes) of each kernel in the output of ptxas -v."""
    for name, rest in re.findall(r"Compiling entry function '(\w+)'(.*?)(?=Compiling entry function|\Z)", text, re.S):
        def number(pattern):
            found = re.search(pattern, rest)
            return int(found.group(1)) if found else 0

        yield (name, number(r"Used (\d+) registers"), number(r"(\d+) bytes spill stores"), number(r"(\d+) bytes stack frame"),
               number(r"(\d+) bytes smem"))


@unittest.skipUnless(NACRE.exists(), "nacre is not built")
@unittest.skipUnless(PTXAS, "there is no ptxas on this machine")
class Assembly(unittest.TestCase):
    """ptxas takes every kernel."""

    def test_every_model_assembles(self):
        cases = list(models())
        report, bad = [], []
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for (path, model), found in zip(cases, pool.map(lambda case: assemble(*case, folder), cases)):
                for architecture, problem, text in found:
                    if problem:
                        bad.append(f"{path.relative_to(ROOT)} {model or ''} {architecture}: {problem}")
                    report += [(architecture, path.stem, model or "-", *kernel) for kernel in kernels(text)]
        target = BUILD / "test" / "ptxas.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = ["architecture file model kernel registers spill_bytes stack_bytes shared_bytes"]
        lines += [" ".join(map(str, entry)) for entry in sorted(report)]
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.assertFalse(bad, "\n" + "\n".join(bad))
        self.assertTrue(report, "no kernel was assembled")


if __name__ == "__main__":
    unittest.main()
