# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the table of builtins from the operator definitions that llvm-tblgen --dump-json prints: as C++, or for people as .md."""
import json
import sys

KINDS = {"I64Attr": "Integer", "F64Attr": "Real", "BoolAttr": "Bool", "StrAttr": "String",
         "DenseI64ArrayAttr": "Integers", "DenseF64ArrayAttr": "Reals"}


def quoted(text):
    """A C++ string literal."""
    return json.dumps(text)


def attribute_of(records, definition):
    """(kind, optional, default) of an attribute argument, through its wrappers."""
    record, optional, default = records[definition], False, ""
    while record["!name"] not in KINDS:
        supers = record["!superclasses"]
        if "DefaultValuedAttr" in supers:
            optional, default = True, record["defaultValue"]
        elif "OptionalAttr" in supers:
            optional = True
        base = record.get("baseAttr")
        if base is None:
            return None
        record = records[base["def"]]
    return KINDS[record["!name"]], optional, default


def arguments_of(records, record):
    """(name, optional, variadic) of each operand and (name, kind, optional, default) of each attribute."""
    operands, attributes = [], []
    for argument, name in record["arguments"]["args"]:
        supers = records[argument["def"]]["!superclasses"]
        if "Attr" in supers:
            attributes.append((name, *attribute_of(records, argument["def"])))
        else:
            operands.append((name, "Optional" in supers, "Variadic" in supers))
    return operands, attributes


def cpp(records, names):
    """The C++ table, sorted by name."""
    out, rows = [], []
    for name in names:
        record = records[name]
        symbol, (operands, attributes) = record["opName"], arguments_of(records, record)
        cells = ["{%s, %s, %s}" % (quoted(n), str(o).lower(), str(v).lower()) for n, o, v in operands]
        out.append("static const BuiltinOperand kOperands_%s[] = {%s};" % (symbol, ", ".join(cells)))
        if attributes:
            cells = ["{%s, AttributeKind::%s, %s, %s}" % (quoted(n), k, str(o).lower(), quoted(d)) for n, k, o, d in attributes]
            out.append("static const BuiltinAttribute kAttributes_%s[] = {%s};" % (symbol, ", ".join(cells)))
        rows.append("  {%s, %s, kOperands_%s, %s, %d, %s}," % (
            quoted(symbol), quoted("nacre." + symbol), symbol,
            "kAttributes_" + symbol if attributes else "llvm::ArrayRef<BuiltinAttribute>()",
            len(record["results"]["args"]), quoted(record["summary"])))
    return "\n".join(out) + "\nstatic const Builtin kBuiltins[] = {\n" + "\n".join(rows) + "\n};\n"


def markdown(records, names):
    """The reference that people read: how each builtin is called, and what it computes."""
    lines = ["# Builtins", "", "Generated from the operators' definitions (`Nacre/IR/Ops/*.td`); `./x references` writes it anew.", "",
             "| call | computes |", "|---|---|"]
    notes = []
    for name in names:
        record = records[name]
        operands, attributes = arguments_of(records, record)
        parts = [n + ("?" if o else "") + (", ..." if v else "") for n, o, v in operands]
        parts += [n + (" = " + d if d else "?" if o else "") for n, _, o, d in attributes]
        lines.append("| `%s(%s)` | %s |" % (record["opName"], ", ".join(parts), record["summary"].replace("|", "\\|")))
        if record.get("description"):
            notes += ["", "**%s**: %s" % (record["opName"], " ".join(record["description"].split()))]
    return "\n".join(lines + notes) + "\n"


def main(source, target):
    records = json.load(open(source))
    names = [name for name in records["!instanceof"]["Nacre_Op"] if records[name].get("builtin") == 1]
    names.sort(key=lambda name: records[name]["opName"])
    with open(target, "w") as file:
        file.write((markdown if target.endswith(".md") else cpp)(records, names))


main(sys.argv[1], sys.argv[2])
