# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Workload 13: how cost grows: threads, tokens, latents, widths, layers. Each figure is a ratio of two of our own times, taken in turns."""

import statistics
import subprocess
import tempfile
import time

from harness.case import Bound
from harness.contest import take_turns

NUMBER = 13
THREADS = (2,)

SOURCES = {
    "tokens": """dim T <= 8192
fn f(q: f32[1, 4, T, 64], k: f32[1, 4, T, 64], v: f32[1, 4, T, 64]) -> f32[1, 4, T, 64] {{ return attention(q, k, v) }}
""",
    "latents": """dim B <= 256
fn f(x: f32[B, 256], w: f32[256, {n}]) -> sparse[32] f32[B, {n}] {{ return topk(linear(x, w), 32) }}
""",
    "widths": """dim B <= 1024
widths W = {widths}
fn f(x: f32[B, 1024], w: f32[1024, 512], y: i32[B]) -> f32 {{
  return sum(cross_entropy(nested_linear(x, w, widths = W), y), over = widths)
}}
""",
    "layers": """dim B <= 32
layer Block() {{
  param g: f32[256] ~ ones
  param u: f32[256, 1024]
  param d: f32[1024, 256]
  fn apply(x) {{ return x + linear(gelu(linear(rms_norm(x, g), u)), d) }}
}}
model Layers {{
  blocks: Block()[{n}]
  fn f(x: f32[B, 256]) -> f32[B, 256] {{
    for b in blocks {{ x = b.apply(x) }}
    return x
  }}
}}
""",
}


def written(setting, kind, **values):
    """The library of one of the sources, its sizes filled in."""
    name = kind + "".join(str(value) if isinstance(value, int) else str(len(value)) for value in values.values())
    path = setting.build / "bench" / f"{name}.nacre"
    text = SOURCES[kind].format(**values)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return setting.library(path, "Layers" if kind == "layers" else None)


def times(setting, calls):
    """Median seconds of each call; they take turns."""
    return [statistics.median(taken) for taken in take_turns([call.run for call in calls], setting.quick, 7)]


def threads(setting):
    """A product and an attention by one and by two threads."""
    product = setting.library("contraction.nacre")
    inputs = [setting.normal(1024, 1024)]
    one, two = times(setting, [product.call(product.context(n), "by1024", inputs) for n in (1, 2)])
    yield Bound("2 threads against 1, product 1024^3", one / two, 1.85, "x", least=True)
    tokens = written(setting, "tokens")
    inputs = [setting.normal(1, 4, 1024, 64) for _ in range(3)]
    one, two = times(setting, [tokens.call(tokens.context(n), "f", inputs) for n in (1, 2)])
    yield Bound("2 threads against 1, attention T=1024", one / two, 1.85, "x", least=True)


def tokens(setting):
    """Attention's order is T^2: cost divided by T^2 of the longest against the shortest."""
    library = written(setting, "tokens")
    context, sizes = library.context(setting.threads), (128, 512, 2048) if setting.quick else (128, 512, 2048, 8192)
    calls = [library.call(context, "f", [setting.normal(1, 4, size, 64) for _ in range(3)]) for size in sizes]
    each = [taken / size**2 for taken, size in zip(times(setting, calls), sizes)]
    for size, cost in zip(sizes[1:], each[1:]):
        yield Bound(f"attention T={size}, cost by T^2 against T={sizes[0]}", cost / each[0], 1.1, "x")


def latents(setting):
    """The order of encode and top-k is n."""
    sizes = (1024, 8192) if setting.quick else (1024, 8192, 32768, 131072)
    calls = []
    for size in sizes:
        library = written(setting, "latents", n=size)
        calls.append(library.call(library.context(setting.threads), "f", [setting.normal(256, 256), setting.normal(256, size)]))
    each = [taken / size for taken, size in zip(times(setting, calls), sizes)]
    for size, cost in zip(sizes[1:], each[1:]):
        yield Bound(f"top-k n={size}, cost by n against n={sizes[0]}", cost / each[0], 1.1, "x")


def widths(setting):
    """A further width of a nested head costs at most 2 %; the widths are spread evenly up to 1024."""
    counts, calls = (2, 16), []
    for count in counts:
        library = written(setting, "widths", widths=[1024 * (i + 1) // count for i in range(count)])
        labels = setting.draw.integers(0, 512, 1024)
        calls.append(library.call(library.context(setting.threads), "f", [setting.normal(1024, 1024), setting.normal(1024, 512), labels]))
    few, many = times(setting, calls)
    yield Bound("a further width (16 against 2)", (many / few) ** (1 / (counts[1] - counts[0])), 1.02, "x")


def layers(setting):
    """Compile time of many equal layers against few: their kernels are shared, so at most linear."""
    counts, seconds = (2, 12) if setting.quick else (2, 12, 48), []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            source = f"{folder}/layers.nacre"
            with open(source, "w", encoding="utf-8") as file:
                file.write(SOURCES["layers"].format(n=count))
            start = time.perf_counter()
            subprocess.run([setting.build / "bin" / "nacre", "compile", source, "-o", f"{folder}/"], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - start)
    for count, taken in zip(counts[1:], seconds[1:]):
        yield Bound(f"compile {count} layers against {counts[0]}", taken / seconds[0], count / counts[0], "x")


def cases(setting):
    """All five."""
    for part in (threads, tokens, latents, widths, layers):
        yield from part(setting)
