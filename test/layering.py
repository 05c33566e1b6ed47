#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who may include whom, who may name an operator, and how long a file may be. Reads the sources; builds nothing.

usage: layering.py        (also part of ./x test)
"""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ("dialects", "frontend", "compiler", "runtime", "bench", "test")
SUFFIXES = (".c", ".cpp", ".h", ".td")

# folder: the folders of this tree that it may include, itself always among them. The longest matching folder decides.
MAY_INCLUDE = {
    # An operator holds its own f64 reference, so the two meet; neither sees the lowering that the reference judges.
    "dialects/Nacre/IR": ["dialects/Nacre/Reference"],
    "dialects/Nacre/Reference": ["dialects/Nacre/IR"],
    "dialects/Nacre/Transforms": ["dialects/Nacre/IR", "dialects/Nacre/Reference"],
    "dialects/Plan": ["dialects/Nacre/IR"],
    "frontend": ["dialects"],
    "compiler/Analysis": ["dialects"],
    "compiler/Transforms": ["dialects", "compiler/Analysis"],
    "compiler/Target/CPU": ["dialects", "compiler/Analysis"],
    "compiler/Target/NVPTX": ["dialects", "compiler/Analysis", "compiler/Target/CPU"],
    "compiler/Artifact": ["dialects", "compiler/Analysis", "compiler/Target", "runtime/include"],
    "compiler/Pipelines": ["dialects", "compiler", "!compiler/tools"],
    "compiler/tools": ["dialects", "compiler", "frontend", "runtime"],
    "runtime": [],
    "bench": ["dialects", "compiler", "frontend", "runtime", "test"],
    "test": ["dialects", "compiler", "frontend", "runtime"],
}

EVERY = frozenset()  # in the list below: any operator
# The files outside dialects/Nacre/IR/Ops that may name operator classes: which ones, and why. Keep it short.
# What Program.td defines (parameters, reading and assigning them) is structure, not an operator, and free to name.
MAY_NAME_OPERATORS = {
    "dialects/Nacre/IR/Expression.cpp": (EVERY, "the arithmetic in which derivative rules are written"),
    "dialects/Nacre/IR/Builtins.cpp": ({"ConstantOp", "SliceOp", "PickOp"}, "literals and indexing have syntax of their own"),
    "dialects/Nacre/Reference/Evaluate.cpp": ({"PickOp"}, "a run-time width is known to the evaluation alone"),
    "dialects/Nacre/Transforms/ExpandNested.cpp": (
        {"MatmulOp", "NestOp", "NestedMatmulOp", "PickOp", "PrefixesOp", "StackOp"}, "it takes the nested types apart"),
}
STRUCTURE = "dialects/Nacre/IR/Ops/Program.td"

LONGEST_FILE = 600  # lines; style.md


def sources(*folders):
    """All C, C++ and TableGen files below the folders, as paths from the root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path.relative_to(ROOT).as_posix()


def text(path):
    """A file's text without comments."""
    whole = (ROOT / path).read_text(encoding="utf-8")
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), whole, flags=re.S)


def includes(path):
    """(line number, target) of every include of a file of this tree; `nacre/x.h` is the runtime's installed header."""
    for number, line in enumerate(text(path).splitlines(), 1):
        found = re.match(r'\s*#?\s*include\s+[<"]([^>"]+)[>"]', line)
        if not found:
            continue
        target = found.group(1)
        if target.startswith("nacre/"):
            yield number, "runtime/include/" + target
        elif target.split("/")[0] in SOURCES:
            yield number, target


def folder_of(path):
    """The longest folder of the table that holds the path."""
    return max((folder for folder in MAY_INCLUDE if path.startswith(folder + "/")), key=len, default=None)


def allowed(source, target):
    """May a file of `source`'s folder include `target`?"""
    folder = folder_of(source)
    if folder is None or target.startswith(folder + "/"):
        return True
    entries = MAY_INCLUDE[folder]
    if any(entry[0] == "!" and target.startswith(entry[1:] + "/") for entry in entries):
        return False
    return any(target.startswith(entry + "/") for entry in entries)


def operator_classes():
    """C++ class names of all operators, from their definitions."""
    names = set()
    for path in sources("dialects/Nacre/IR/Ops"):
        if path.endswith(".td") and path != STRUCTURE:
            names |= set(re.findall(r"^\s*def\s+(?:Nacre_)?(\w+Op)\b", text(path), re.M))
    return names


def named_operators(path, names):
    """Operator classes that a file names: bare or in our namespace, not those of another dialect (`arith::SelectOp`)."""
    pattern = re.compile(r"(?:(\w+)::)?\b(\w+Op)\b")
    return {name for space, name in pattern.findall(text(path)) if name in names and space in ("", "nacre")}


class Layering(unittest.TestCase):
    """The dependency direction of the design's folder table."""

    def test_includes_go_downwards(self):
        bad = [f"{path}:{number}: {folder_of(path)} may not include {target}"
               for path in sources(*SOURCES) for number, target in includes(path) if not allowed(path, target)]
        self.assertFalse(bad, "\n" + "\n".join(bad))

    def test_every_source_folder_has_a_rule(self):
        without = sorted({path for path in sources(*SOURCES) if path.endswith((".c", ".cpp")) and folder_of(path) is None})
        self.assertFalse(without, "\nadd a row to MAY_INCLUDE for: " + ", ".join(without))

    def test_runtime_is_c_alone(self):
        bad = [path for path in sources("runtime") if path.endswith((".cpp", ".td"))]
        for path in sources("runtime"):
            bad += [f"{path}: {name}" for name in re.findall(r"#include\s+[<\"]((?:mlir|llvm|dialects|compiler|frontend)/[^>\"]+)", text(path))]
        self.assertFalse(bad, "\n" + "\n".join(bad))

    def test_a_forbidden_include_is_seen(self):
        self.assertFalse(allowed("dialects/Nacre/Reference/Evaluate.cpp", "compiler/Transforms/FormKernels.h"))
        self.assertFalse(allowed("compiler/Transforms/FormKernels.cpp", "frontend/Parser.h"))
        self.assertFalse(allowed("compiler/Target/CPU/Contract.cpp", "compiler/Target/NVPTX/Contract.h"))
        self.assertFalse(allowed("compiler/Pipelines/Compile.cpp", "compiler/tools/nacre/Train.h"))
        self.assertTrue(allowed("compiler/tools/nacre/Train.cpp", "frontend/Parser.h"))


class Operators(unittest.TestCase):
    """An operator is defined in its family's two files, and no other file names it."""

    def test_only_families_name_operators(self):
        names, bad = operator_classes(), []
        for path in sources("dialects", "frontend", "compiler"):
            if not path.startswith("dialects/Nacre/IR/Ops/"):
                listed, _ = MAY_NAME_OPERATORS.get(path, (set(), ""))
                extra = set() if listed is EVERY else named_operators(path, names) - listed
                bad += [f"{path} names {name}" for name in sorted(extra)]
        self.assertFalse(bad, "\n" + "\n".join(bad))

    def test_definitions_are_found(self):
        self.assertIn("MatmulOp", operator_classes())

    def test_the_list_holds_nothing_needless(self):
        names = operator_classes()
        bad = [f"{path}: {sorted(listed - named_operators(path, names))}" for path, (listed, _) in MAY_NAME_OPERATORS.items()
               if not (ROOT / path).exists() or listed - named_operators(path, names)]
        self.assertFalse(bad, "\n" + "\n".join(bad))


class Size(unittest.TestCase):
    """Emitters and heuristics are what grows; a file past the limit is split."""

    def test_no_file_is_too_long(self):
        lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in sources(*SOURCES)}
        bad = [f"{path}: {length} lines" for path, length in lengths.items() if length > LONGEST_FILE]
        self.assertFalse(bad, "\n" + "\n".join(bad))


if __name__ == "__main__":
    unittest.main()
