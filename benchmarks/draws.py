"""What a mean over draws of the logits costs, all at once or one by one, in time and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

import keras_masked as km
from benchmarks import engines
from benchmarks.losses import as_row
from benchmarks.memory import peak_of
from benchmarks.subjects import DRAWN, SUBJECTS, Subject, data
from benchmarks.timing import interleave

BASE = "keras, no draws"
SHAPE = (4096, 100)
QUICK = (256, 10)
NAMES = {False: "25 at once", True: "25 one by one"}


def time_draws(
    compiled: bool, rounds: int, clock: str, device: str, quick: bool
) -> Iterator[dict[str, Any]]:
    """Times forward plus backward against Keras's cross-entropy of the mean logits."""
    plain = next(s for s in SUBJECTS if s.kind == "one-hot logits")
    shape = QUICK if quick else SHAPE
    calls = {BASE: _call(plain, keras.losses, shape, compiled)}
    jobs = {BASE: {"name": plain.name, "options": plain.options, "missing": None}}
    for subject in DRAWN:
        name = NAMES[subject.options["loop_over_draws"]]
        calls[name] = _call(subject, km.losses, shape, compiled)
        jobs[name] = {"name": subject.name, "options": subject.options, "missing": 0.0}
    for name, timing in interleave(calls, BASE, rounds, clock).items():
        row = {"section": "draws", "subject": DRAWN[0].name, "shape": list(shape)}
        row |= {"mode": "jit" if compiled else "eager", "variant": name, **as_row(timing)}
        if not quick:
            job = {**jobs[name], "shape": shape, "compiled": compiled, "device": device}
            peak = peak_of(job)
            row |= peak if "error" in peak else {"rise MB": peak["rise"] / 1e6}
        yield row


def _call(
    subject: Subject, module: Any, shape: tuple[int, ...], compiled: bool
) -> Callable[[], Any]:
    y_true, y_pred = (ops.convert_to_tensor(x) for x in data(subject.kind, shape))
    function = engines.value_and_gradient(subject.build(module), compiled)
    return lambda: function(y_true, y_pred)
