"""Masked losses against Keras's on complete labels: forward and backward, by turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

import keras_masked as km
from benchmarks import engines
from benchmarks.alternatives import alternatives, leaks
from benchmarks.subjects import Subject, data, hide
from benchmarks.timing import Timing, interleave

Row = dict[str, Any]
BASE = "keras, complete"


def time_losses(
    subject: Subject,
    shape: tuple[int, ...],
    compiled: bool,
    fractions: tuple[float, ...],
    rounds: int,
    clock: str,
) -> Iterator[Row]:
    """Times our loss at each fraction of missing labels."""
    y_true, y_pred = data(subject.kind, shape)
    masked = engines.value_and_gradient(subject.build(km.losses), compiled)
    plain = engines.value_and_gradient(subject.build(keras.losses), compiled)
    calls = {BASE: _call(plain, y_true, y_pred)}
    for fraction in fractions:
        calls[f"{fraction:.0%} missing"] = _call(
            masked, hide(y_true, subject.kind, fraction), y_pred
        )
    timings = interleave(calls, BASE, rounds, clock)
    yield from _rows("losses", subject, shape, compiled, timings, {})


def time_alternatives(
    subject: Subject,
    shape: tuple[int, ...],
    compiled: bool,
    fraction: float,
    rounds: int,
    clock: str,
) -> Iterator[Row]:
    """Times what people write today, and says what gets through it."""
    y_true, y_pred = data(subject.kind, shape)
    hidden = hide(y_true, subject.kind, fraction)
    ways = {"keras_masked": subject.build(km.losses), **alternatives(subject, compiled)}
    calls = {
        BASE: _call(
            engines.value_and_gradient(subject.build(keras.losses), compiled), y_true, y_pred
        )
    }
    extra: dict[str, Row] = {}
    for name, loss in ways.items():
        function = engines.value_and_gradient(loss, compiled)
        calls[name] = _call(function, hidden, y_pred)
        extra[name] = leaks(function, hidden, y_pred, subject)
    timings = interleave(calls, BASE, rounds, clock)
    yield from _rows("alternatives", subject, shape, compiled, timings, extra)


def _call(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    tensors = tuple(ops.convert_to_tensor(array) for array in arrays)
    return lambda: function(*tensors)


def _rows(
    section: str,
    subject: Subject,
    shape: tuple[int, ...],
    compiled: bool,
    timings: dict[str, Timing | str],
    extra: dict[str, Row],
) -> Iterator[Row]:
    engines.forget()
    for name, timing in timings.items():
        yield {
            "section": section,
            "subject": subject.title,
            "shape": list(shape),
            "mode": "jit" if compiled else "eager",
            "variant": name,
            **as_row(timing),
            **extra.get(name, {}),
        }


def as_row(timing: Timing | str) -> Row:
    """The fields of a timing, or what was raised instead."""
    if isinstance(timing, str):
        return {"error": timing}
    return {
        "ms": timing.milliseconds,
        "ratio": timing.ratio,
        "quartiles": [timing.low, timing.high],
    }
