"""The values of a report's metrics, with intervals where they can have some."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import metrics as M
from keras_masked.report.areas import areas
from keras_masked.report.bounds import KINDS
from keras_masked.report.choice import Measure, measures
from keras_masked.report.comparison import update
from keras_masked.report.draws import Draws, SharedInterval
from keras_masked.report.predictions import (
    BINARY,
    Predictions,
    probabilities,
)

Array = np.ndarray
ENDS = ("", "/lower", "/upper")
STATE = 16_000_000
"""Columns are measured so many at once that replicates of about so many sums are kept: 64 MB."""


@dataclasses.dataclass
class Measured:
    """Values by metric, label and end of the interval; support and kinds of bounds by label."""

    metrics: list[str]
    ends: tuple[str, ...]
    values: dict[tuple[str, str, str], float]
    support: dict[str, float]
    bounds: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)

    def count_bounds(self, labels: list[str], counts: Array | None) -> None:
        """Takes how many labels of each column are exact, less, more, or in between, if known."""
        if counts is not None:
            for label, row in zip([*labels, "macro"], [*counts, counts.sum(axis=0)], strict=True):
                self.bounds[label] = dict(zip(KINDS, map(int, row), strict=True))


def measure(
    seen: Predictions,
    metrics: Sequence[Any] | None,
    confidence_level: float | None,
    replicates: int,
    seed: int,
    batch_size: int,
) -> Measured:
    """All metrics of all labels, with intervals unless `confidence_level` is `None`."""
    todo = measures(seen, metrics)
    draws = None if confidence_level is None else Draws(len(seen.y_true), replicates, seed)
    names = list(dict.fromkeys(each.metric.name for each in todo))
    ends = ENDS if confidence_level is not None else ENDS[:1]
    found = Measured(names, ends, {}, {})
    for each in todo:
        ways = replicates if confidence_level is not None else 1
        at_once = max(1, STATE // (each.size * ways))
        averages: list[tuple[Array, Array]] = []
        for start in range(0, len(each.columns), at_once):
            columns = each.columns[start : start + at_once]
            values, drawn, support = _values(seen, each, columns, draws, batch_size)
            labels = [seen.labels[c] for c in columns]
            averages.append((values, drawn))
            _put(found, each.metric.name, labels, values, drawn, confidence_level)
            found.support |= dict(zip(labels, map(float, support), strict=True))
        values, drawn = (np.concatenate(x) for x in zip(*averages, strict=True))
        macro = mean_of_labels(values[:, None]), mean_of_labels(drawn)[None]
        _put(found, each.metric.name, ["macro"], *macro, confidence_level)
    found.support["macro"] = float(sum(found.support.values()))
    bounds = seen.bounds()
    found.count_bounds(seen.labels, None if bounds is None else bounds.sum(axis=0))
    return found


def mean_of_labels(values: Array) -> Array:
    """The mean over the labels that have a value."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _put(
    found: Measured,
    name: str,
    labels: list[str],
    values: Array,
    drawn: Array,
    confidence_level: float | None,
) -> None:
    tail = (1 - (confidence_level or 0)) / 2
    undefined = np.isnan(drawn)
    whole = ~undefined.any(axis=1)
    ends = np.full((len(values), 2), np.nan)
    if confidence_level is not None:
        ends[whole] = np.quantile(drawn[whole], [tail, 1 - tail], axis=1).T  # at once, mostly
        for c in np.flatnonzero(~whole & ~undefined.all(axis=1)):
            ends[c] = np.quantile(drawn[c][~undefined[c]], [tail, 1 - tail])
    for label, value, (low, high) in zip(labels, values, ends, strict=True):
        found.values[name, label, ""] = float(value)
        if not (np.isnan(value) or np.isnan(low)):
            found.values[name, label, "/lower"] = float(low)
            found.values[name, label, "/upper"] = float(high)


def _values(
    seen: Predictions,
    each: Measure,
    columns: list[int],
    draws: Draws | None,
    batch_size: int,
) -> tuple[Array, Array, Array]:
    """Values, replicates and supports of some columns."""
    if each.area:
        return areas(seen, columns, draws)
    y, p = inputs(seen, each, columns)
    weight = seen.weights(columns)
    labels = [seen.labels[c] for c in columns]
    inner = copy(each.metric)
    metric = M.PerLabel(inner, labels, average=None)
    if draws is not None and isinstance(inner, M.ColumnMetric):
        try:
            interval = SharedInterval(metric, draws)
        except ValueError:  # a median, say: it is shown without
            interval = None
        if interval is not None:
            update(each.wrap(interval), batch_size, y, p, weight)
            values, drawn = (np.asarray(ops.convert_to_numpy(x)) for x in interval.values())
            return values, drawn, np.asarray(ops.convert_to_numpy(interval.support()))
    update(each.wrap(metric), batch_size, y, p, weight)
    values = np.asarray(ops.convert_to_numpy(metric.scores()))
    nothing = np.full((len(values), 1 if draws is None else draws.replicates), np.nan)
    return values, nothing, np.asarray(ops.convert_to_numpy(metric.support()))


def copy(metric: Any) -> Any:
    """A metric of the same options that has seen nothing."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))


def inputs(seen: Predictions, each: Measure, columns: list[int]) -> tuple[Array, Array]:
    """Labels and predictions as a metric takes them."""
    y, p = seen.of(columns)
    if seen.from_logits and columns[0] in seen.columns(BINARY) and each.metric.name in (
        "brier", "accuracy",
    ):  # fmt: skip
        p = probabilities(p)
    return y, p
