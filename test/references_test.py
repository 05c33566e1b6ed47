# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generated references in the tree are those of the definitions. `references_test.py --write` brings them up to date."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILTINS, PASSES = ROOT / "dialects" / "Builtins.md", ROOT / "compiler" / "Passes.md"


def tablegen(tool, arguments):
    """What a TableGen tool of the LLVM of this build prints."""
    cache = (pathlib.Path(os.environ.get("NACRE_BUILD") or ROOT / "build") / "CMakeCache.txt").read_text(encoding="utf-8")
    prefix = pathlib.Path(re.search(r"^LLVM_DIR:\w+=(.*)/lib/cmake/llvm/?$", cache, re.M).group(1))
    command = [prefix / "bin" / tool, "-I", prefix / "include", "-I", ROOT, *arguments]
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")


def builtins():
    """The text of Builtins.md."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "ops.json", pathlib.Path(folder) / "Builtins.md"
        source.write_text(tablegen("llvm-tblgen", ["--dump-json", ROOT / "dialects/Nacre/IR/NacreOps.td"]), encoding="utf-8")
        subprocess.run([sys.executable, str(ROOT / "dialects/Nacre/IR/builtins.py"), str(source), str(target)], check=True)
        return target.read_text(encoding="utf-8")


def passes():
    """The text of Passes.md."""
    return "# Passes\n\n" + tablegen("mlir-tblgen", ["-gen-pass-doc", ROOT / "compiler/Pipelines/Passes.td"])


class References(unittest.TestCase):
    """Both references, by their whole text."""

    def test_builtins(self):
        self.assertEqual(BUILTINS.read_text(encoding="utf-8"), builtins(), "run ./x references")

    def test_passes(self):
        self.assertEqual(PASSES.read_text(encoding="utf-8"), passes(), "run ./x references")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        BUILTINS.write_text(builtins(), encoding="utf-8")
        PASSES.write_text(passes(), encoding="utf-8")
    else:
        unittest.main()
