"""What losses of predicted distributions cost beside a mean squared error, in time and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
from keras import ops

import keras_masked as km
from benchmarks import engines
from benchmarks.losses import as_row
from benchmarks.memory import peak_of
from benchmarks.subjects import PREDICTED, SUBJECTS, Subject, data, hide
from benchmarks.timing import interleave


def _likelihood(y: Any, p: Any) -> Any:
    z = (y - p[..., 0]) * ops.exp(-0.5 * p[..., 1])
    return 0.5 * ops.mean(ops.square(z) + p[..., 1])


def _score(y: Any, p: Any) -> Any:
    scale = ops.exp(0.5 * p[..., 1])
    z = (y - p[..., 0]) / scale
    density = math.sqrt(2 / math.pi) * ops.exp(-0.5 * ops.square(z))
    return ops.mean(scale * (z * ops.erf(z / math.sqrt(2)) + density - 1 / math.sqrt(math.pi)))


def _two_squares(y: Any, p: Any) -> Any:
    return ops.mean(ops.square(y - p[..., 0]) + ops.square(p[..., 1]))


BY_HAND = {
    "two squares, by hand, complete": _two_squares,
    "NLL, Gaussian, by hand, complete": _likelihood,
    "CRPS, Gaussian, by hand, complete": _score,
}
"""What the arithmetic itself takes, with two parameters stacked, when nothing can be missing."""
BASE = "keras, MSE, complete"
SHAPE = (4096, 256)
QUICK = (256, 16)


def time_distributions(
    compiled: bool, fraction: float, rounds: int, clock: str, device: str, quick: bool
) -> Iterator[dict[str, Any]]:
    """Times forward plus backward against Keras's mean squared error of as many labels."""
    squared = next(s for s in SUBJECTS if s.name == "MeanSquaredError")
    shape = QUICK if quick else SHAPE
    calls = {BASE: _call(squared, keras.losses, shape, compiled, None)}
    jobs = {BASE: {"name": squared.name, "options": {}, "missing": None}}
    for name, subject in PREDICTED.items():
        calls[name] = _call(subject, km.losses, shape, compiled, fraction)
        jobs[name] = {"name": subject.name, "options": subject.options, "missing": fraction}
    y_true, y_pred = (ops.convert_to_tensor(x) for x in data("parameters 2", shape))
    for name, formula in BY_HAND.items():
        function = engines.value_and_gradient(formula, compiled)
        calls[name] = partial(function, y_true, y_pred)
    for name, timing in interleave(calls, BASE, rounds, clock).items():
        row = {"section": "distributions", "subject": f"{fraction:.0%} missing"}
        row |= {"shape": list(shape), "mode": "jit" if compiled else "eager", "variant": name}
        row |= as_row(timing)
        if not quick and name in jobs:
            job = {**jobs[name], "shape": shape, "compiled": compiled, "device": device}
            peak = peak_of(job)
            row |= peak if "error" in peak else {"rise MB": peak["rise"] / 1e6}
        yield row


def _call(
    subject: Subject, module: Any, shape: tuple[int, ...], compiled: bool, fraction: float | None
) -> Callable[[], Any]:
    y_true, y_pred = data(subject.kind, shape)
    if fraction is not None:
        y_true = hide(y_true, subject.kind, fraction)
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    function = engines.value_and_gradient(subject.build(module), compiled)
    return lambda: function(y_true, y_pred)
