# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MiniLM with its published weights in f32, bf16 and int8: how far sentence vectors turn, and what the types gain.

`precision.py BUILD THREADS` prints one JSON object a form; the forms take turns, medians decide. Cosines are between a form's vector of a
sentence and the f32 one's; `swapped` counts sentences whose nearest other sentence is another one than in f32.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent
ROUNDS = 7
FORMS = ("f32", "bf16", "int8")


def compiled(build, form, checkpoint):
    from library import Library

    folder = build / "bench" / f"minilm-{form}"
    model = ROOT.parent / "examples" / "minilm" / "minilm.nacre"
    subprocess.run([build / "bin" / "nacre", "compile", model, "-o", folder, "--precision", form], check=True, stdout=subprocess.DEVNULL)
    return Library(folder / "libminilm.so", "minilm", checkpoint.folder() / "model.safetensors")


def nearest(vectors):
    """The most similar other row of every row."""
    import numpy

    similar = vectors @ vectors.T
    numpy.fill_diagonal(similar, -2)
    return similar.argmax(1)


def measure(build, threads):
    import checkpoint
    import minilm
    import numpy

    libraries = {form: compiled(build, form, checkpoint) for form in FORMS}
    encoders = {form: minilm.Ours(library, threads) for form, library in libraries.items()}
    work = dict(minilm.workloads())
    vectors = {form: numpy.concatenate([encoder.encode(*batch) for batch in work["256 sentences, mixed lengths"]]) for form, encoder in encoders.items()}
    vectors = {form: found / numpy.linalg.norm(found, axis=1, keepdims=True) for form, found in vectors.items()}
    distinct = numpy.unique(vectors["f32"], axis=0, return_index=True)[1]
    times = {form: {name: [] for name in work} for form in FORMS}
    for _ in range(ROUNDS):
        for name, batches in work.items():
            for form, encoder in encoders.items():
                start = time.perf_counter()
                for batch in batches:
                    encoder.encode(*batch)
                times[form][name].append(time.perf_counter() - start)
    for form in FORMS:
        cosines = (vectors[form].astype(numpy.float64) * vectors["f32"]).sum(1)
        swapped = int((nearest(vectors[form][distinct]) != nearest(vectors["f32"][distinct])).sum())
        gains = {name: round(statistics.median(times["f32"][name]) / statistics.median(taken), 2) for name, taken in times[form].items()}
        yield {"form": form, "threads": threads, "least_cosine": round(float(cosines.min()), 6), "mean_cosine": round(float(cosines.mean()), 6),
               "sentences": len(distinct), "swapped": swapped, "gain_over_f32": gains}


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT.parent / "examples" / "minilm")]
    for row in measure(pathlib.Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(row), flush=True)
