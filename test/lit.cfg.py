# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit over the tests that have a text form. `lit test` works by hand; `--param build=FOLDER` names another build.

Substitutions: %nacre, %nacre-opt, %nacre-simt, %simt-cuda (the stand-in for libcuda), %examples, %python; FileCheck and not are on the path. %t is a fresh name for each test.
"""

import os
import pathlib
import re
import sys

import lit.formats

root = pathlib.Path(__file__).resolve().parent.parent
build = pathlib.Path(lit_config.params.get("build", root / "build")).resolve()
cache = build / "CMakeCache.txt"
found = cache.exists() and re.search(r"^LLVM_DIR:\w+=(.*)/lib/cmake/llvm/?$", cache.read_text(encoding="utf-8"), re.M)
tools = pathlib.Path(found.group(1) if found else "/usr") / "bin"

config.name = "nacre"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".nacre", ".test"]
config.excludes = ["Inputs", "export", "golden", "random", "zoo"]  # folders with runners of their own
config.test_source_root = str(root / "test")
config.test_exec_root = str(build / "test")
config.substitutions += [
    ("%nacre-simt", str(build / "bin" / "nacre-simt")),
    ("%{simt}", str(build / "test" / "simt")),
    ("%simt-cuda", str(build / "test" / "simt" / "libnacre-simt-cuda.so")),
    ("%nacre-opt", str(build / "bin" / "nacre-opt")),
    (r"%nacre\b", str(build / "bin" / "nacre")),
    ("%examples", str(root / "examples")),
    ("%python", sys.executable),
]
config.environment["PATH"] = os.pathsep.join([str(build / "bin"), str(tools), os.environ["PATH"]])
