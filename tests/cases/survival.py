"""Rows of metrics of times, some of which are known to be longer than something."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

import keras_masked as km
from tests import plain
from tests import survival_oracles as so
from tests.cases.case import STACKED, Case, with_options

Array = np.ndarray
M = km.metrics
CENSORING = (((2.0, 5.0, 9.0), (0.75, 0.5, 0.25)),)
"""Of all columns: how likely nothing is censored, from each time on."""
TIMES = (2.0, 4.0, 7.0)


def scored(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Times with ties, and scores on a grid, ordered alike in half precision, too."""
    t, e = rng.integers(1, 9, shape).astype("float64"), rng.random(shape) < 0.7
    return so.as_labels(t, e).astype("float64"), rng.integers(-8, 9, shape) / 8 - t / 4


def weibulls(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Their logarithms of scale and shape; few times are the same in any precision."""
    y, _ = scored(rng, shape)
    return y, np.stack([rng.normal(1.5, 0.5, shape), rng.normal(0.0, 0.3, shape)], axis=-1)


def seen(t: Array) -> Array:
    times, left = CENSORING[0]
    return np.array([1.0, *left])[np.searchsorted(times, t, "right")]


def concordance(estimator: str) -> Any:
    def value(y: Array, p: Array, w: Array) -> float:
        t, e = y[:, 0], y[:, 0] == y[:, 1]
        return so.concordance(t, e, p, w, seen(t) if estimator == "uno" else None)

    return value


def brier(*times: float) -> Any:
    """By the trapezoidal rule, of several times."""

    def value(y: Array, p: Array, w: Array) -> float:
        if not len(y):
            return np.nan
        t, e, scores = y[:, 0], y[:, 0] == y[:, 1], []
        for time in times:
            left = np.exp(-((time / np.exp(p[:, 0])) ** np.exp(p[:, 1])))
            scores.append(so.brier(t, e, left, time, seen(t), seen(np.array([time]))[0]))
        means = [np.average(each, weights=w) for each in scores]
        if len(times) == 1:
            return float(means[0])
        return float(np.trapezoid(means, times) / (times[-1] - times[0]))

    return value


class OfTimes(plain.OfBatches):
    """A function of all data at once, of labels with two ends."""

    def update_state(self, y: Any, p: Any, w: Any = None) -> None:
        w = np.ones(len(y)) if w is None else w
        labels = y.shape[:-1]
        w = np.broadcast_to(np.reshape(w, (-1,) + (1,) * (len(labels) - 1)), labels)
        self.batches.append((y, p, w))

    def result(self) -> Any:
        y, p, w = (np.concatenate(x).astype("float64") for x in zip(*self.batches, strict=True))
        if not self.per_column:
            flat = y.reshape(-1, 2), p.reshape(-1, *p.shape[w.ndim :]), w.reshape(-1)
            return ops.convert_to_tensor(self.value(*flat), dtype=self.dtype)
        each = [self.value(y[:, c], p[:, c], w[:, c]) for c in range(w.shape[1])]
        return ops.convert_to_tensor(np.mean(each), dtype=self.dtype)


WITHOUT = {
    "test_last_axis_of_one": "the last axis holds two ends: tests/test_survival.py",
    "test_integer_labels_have_no_nan": "no integer is infinite",
    "test_counters_do_not_saturate": "of weights alone: tests/test_survival.py",
}


def metrics() -> list[Case]:
    def row(name: str, data: Any, value: Any, label: str = "", **kwargs: Any) -> Case:
        make = with_options(getattr(M, name), **kwargs.pop("options"))
        theirs = with_options(OfTimes, value=value, per_column=kwargs.get("per_column", False))
        return Case(name, make, data, value, theirs, label, without=WITHOUT, **kwargs)

    few = {"capacity": 32, "censoring": CENSORING}
    of_columns = {"per_column": True, "min_rank": 2}
    weibull = {"distribution": "weibull", "censoring": CENSORING}
    return [
        row("ConcordanceIndex", scored, concordance("harrell"), options=few, **of_columns),
        row("ConcordanceIndex", scored, concordance("uno"), "uno",
            options={"estimator": "uno", **few}, **of_columns),
        row("BrierScoreAt", weibulls, brier(4.0), options={"time": 4.0, **weibull}, **STACKED),
        row("IntegratedBrierScore", weibulls, brier(*TIMES), options={"times": TIMES, **weibull},
            **STACKED),
    ]  # fmt: skip
