# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the table of builtins (Builtins.inc) from the operator definitions dumped by llvm-tblgen --dump-json."""
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


def builtin_of(records, record):
    """The C++ initialisers of one operator."""
    operands, attributes = [], []
    for argument, name in record["arguments"]["args"]:
        definition = argument["def"]
        supers = records[definition]["!superclasses"]
        if "Attr" in supers:
            kind, optional, default = attribute_of(records, definition)
            attributes.append("{%s, AttributeKind::%s, %s, %s}" % (quoted(name), kind, str(optional).lower(), quoted(default)))
        else:
            operands.append("{%s, %s, %s}" % (quoted(name), str("Optional" in supers).lower(), str("Variadic" in supers).lower()))
    return operands, attributes


def main(source, target):
    records = json.load(open(source))
    names = [name for name in records["!instanceof"]["Nacre_Op"] if records[name].get("builtin") == 1]
    names.sort(key=lambda name: records[name]["opName"])
    out, rows = [], []
    for name in names:
        record = records[name]
        operands, attributes = builtin_of(records, record)
        symbol = record["opName"]
        out.append("static const BuiltinOperand kOperands_%s[] = {%s};" % (symbol, ", ".join(operands)))
        if attributes:
            out.append("static const BuiltinAttribute kAttributes_%s[] = {%s};" % (symbol, ", ".join(attributes)))
        rows.append("  {%s, %s, kOperands_%s, %s, %d, %s}," % (
            quoted(symbol), quoted("nacre." + symbol), symbol,
            "kAttributes_" + symbol if attributes else "llvm::ArrayRef<BuiltinAttribute>()",
            len(record["results"]["args"]), quoted(record["summary"])))
    with open(target, "w") as file:
        file.write("\n".join(out) + "\nstatic const Builtin kBuiltins[] = {\n" + "\n".join(rows) + "\n};\n")


main(sys.argv[1], sys.argv[2])
