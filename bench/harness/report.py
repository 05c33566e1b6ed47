# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows as a table, on the terminal and in RESULTS.md."""

COLUMNS = ["#", "workload", "case", "threads", "ours", "best peer", "peer", "ratio", "target", "of the limit", "peak memory"]
BEGIN, END = "<!-- written by ./x bench --results: begin -->", "<!-- written by ./x bench --results: end -->"


def quantity(value, unit):
    """Seconds, bytes or a factor with its unit."""
    if value is None:
        return ""
    if unit == "x":
        return f"{value:.3g}"
    steps = [(1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "B")] if unit == "bytes" else [(1, "s"), (1e-3, "ms"), (0, "us")]
    scale, name = next(step for step in steps if value >= step[0])
    return f"{value / (scale or 1e-6):.3g} {name}"


def cells(row):
    """One row as text, by column."""
    if "failed" in row:
        return [str(row["number"]), row["workload"], f"ended with status {row['failed']}", str(row["threads"])] + [""] * 7
    ratio, target, fraction = row["ratio"], row["target"], row["limit_fraction"]
    missed = " *" if ratio and target and ratio < target else ""
    return [str(row["number"]), row["workload"], row["case"], str(row["threads"]), quantity(row["ours_s"], row["unit"]), row["peer"],
            quantity(row["peer_s"], row["unit"]), f"{ratio:.2f}{missed}" if ratio else "", f"{target:.2f}" if target else "",
            f"{fraction:.2f}" if fraction else "", quantity(row["peak_bytes"], "bytes")]


def print_table(rows):
    """Columns of equal width; a star is a missed target."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    print()
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    held = [row for row in rows if row.get("ratio") and row.get("target")]
    print(f"\n{sum(row['ratio'] >= row['target'] for row in held)} of {len(held)} targets met; * missed")


def conditions(result):
    """The machine and the peers in some lines."""
    machine, limits = result["machine"], result["limits"]
    peaks = ", ".join(f"{item['threads']} thread{'s' * (item['threads'] > 1)}: {item['fma_flop_s'] * 1e-9:.0f} GFLOP/s FMA peak and "
                      f"{item['read_bytes_s'] * 1e-9:.1f} GB/s streaming read" for item in limits)
    peers = ", ".join(f"{name} {version}" for name, version in result["peers"].items())
    return (f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB; load {machine['load']} "
            f"before the run. Measured in the run, {peaks}.\n\nPeers: {peers}.\n\nMethod ({result['manner']} run): {result['method']}")


def write_results(path, result):
    """Puts conditions and table between the two marks; what stands outside is written by hand."""
    text = path.read_text(encoding="utf-8")
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"bench: expected the lines '{BEGIN}' and '{END}' in {path.name}")
    table = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    table += ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells(row)) + " |" for row in result["rows"]]
    path.write_text(f"{head}{BEGIN}\n{conditions(result)}\n\n" + "\n".join(table) + f"\n{END}{tail}", encoding="utf-8")
