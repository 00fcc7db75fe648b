"""The metrics of a report, by kind of label, with intervals where they can have some."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import metrics as M
from keras_masked.report.areas import exact_areas, ranks
from keras_masked.report.comparison import update
from keras_masked.report.predictions import (
    BINARY,
    CLASS,
    DISTRIBUTION,
    Predictions,
    probabilities,
)

Array = np.ndarray
ENDS = ("", "/lower", "/upper")
STATE = 16_000_000
"""Columns are measured so many at once that replicates of about so many sums are kept: 64 MB."""
THRESHOLDS = 400
"""Of the replicates of areas under the curve, of ranks: in this many steps."""


@dataclasses.dataclass
class Measured:
    """Values by metric, label and end of the interval, and support by label."""

    metrics: list[str]
    ends: tuple[str, ...]
    values: dict[tuple[str, str, str], float]
    support: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Measure:
    """One metric of some columns.

    Attributes:
        metric: The metric of one column.
        columns: Which columns it is for.
        ranks: Whether it is of the ranks of predictions, within each column.
        of_mean: The distribution of whose mean it is.
        size: How many sums of each column it keeps, about.
    """

    metric: Any
    columns: list[int]
    ranks: bool = False
    of_mean: Any = None
    size: int = 8

    def wrap(self, metric: Any) -> Any:
        """The metric, of means of distributions if so."""
        return metric if self.of_mean is None else M.OfMean(metric, self.of_mean)


def measures(seen: Predictions, metrics: Sequence[Any] | None) -> list[Measure]:
    """The metrics asked for, or those of each kind of label."""
    every, m = list(range(len(seen.labels))), seen.missing
    if metrics is not None:
        return [_asked(metric, every) for metric in metrics]
    found = []
    if columns := seen.columns(BINARY):
        found += [
            Measure(M.AUC(THRESHOLDS, name="auc", missing=m), columns, True, size=2 * THRESHOLDS),
            Measure(M.MeanSquaredError(name="brier", missing=m), columns),
            Measure(M.BinaryAccuracy(name="accuracy", missing=m), columns),
        ]
    if columns := seen.columns(CLASS):
        found += [
            Measure(M.SparseCategoricalAccuracy(name="accuracy", missing=m), columns),
            Measure(
                M.SparseCategoricalCrossentropy(
                    name="cross-entropy", missing=m, from_logits=_are_logits(seen)
                ),
                columns,
            ),
        ]
    if columns := seen.columns(DISTRIBUTION):
        d = seen.distribution
        found += [
            Measure(M.NegativeLogLikelihood(d, full=True, name="nll", missing=m), columns),
            Measure(M.RootMeanSquaredError(name="rmse", missing=m), columns, of_mean=d),
            Measure(M.IntervalCoverage(0.9, d, name="coverage 90%", missing=m), columns),
        ]
    if columns := [c for c in every if not _taken(c, found)]:
        found += [
            Measure(M.RootMeanSquaredError(name="rmse", missing=m), columns),
            Measure(M.MeanAbsoluteError(name="mae", missing=m), columns),
            Measure(M.R2Score(name="r2", missing=m), columns),
        ]
    return found


def _taken(column: int, found: list[Measure]) -> bool:
    return any(column in measure.columns for measure in found)


def _are_logits(seen: Predictions) -> bool:
    finite = np.isfinite(seen.y_pred).all(axis=-1) & ~seen.hidden(list(range(len(seen.labels))))
    finite = seen.y_pred[finite]
    return not np.allclose(finite.sum(axis=-1), 1, atol=1e-3)


def _asked(metric: Any, every: list[int]) -> Measure:
    of_mean = None
    if isinstance(metric, M.OfMean):
        of_mean, metric = metric.distribution, metric.metric
    if isinstance(metric, M.WithInterval):
        metric = metric.metric
    if isinstance(metric, M.PerLabel):
        metric = metric.metric
    if not isinstance(metric, M.MaskedMetric):
        raise ValueError(
            "Argument `metrics` must hold metrics of keras_masked; wrap others in "
            f"`keras_masked.metrics.Masked`. Received: {metric!r}"
        )
    entries = 8
    if isinstance(metric, M.ColumnMetric):
        with contextlib.suppress(NotImplementedError):  # of moments, which are few
            entries = int(np.prod(metric.sums_shape))
    return Measure(metric, every, of_mean=of_mean, size=entries)


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
    names = list(dict.fromkeys(each.metric.name for each in todo))
    ends = ENDS if confidence_level is not None else ENDS[:1]
    found = Measured(names, ends, {}, {})
    for each in todo:
        ways = replicates if confidence_level is not None else 1
        at_once = max(1, STATE // (each.size * ways))
        averages: list[tuple[Array, Array]] = []
        for start in range(0, len(each.columns), at_once):
            columns = each.columns[start : start + at_once]
            values, drawn, support = _values(
                seen, each, columns, confidence_level is not None, replicates, seed, batch_size
            )
            labels = [seen.labels[c] for c in columns]
            averages.append((values, drawn))
            _put(found, each.metric.name, labels, values, drawn, confidence_level)
            found.support |= dict(zip(labels, map(float, support), strict=True))
        values, drawn = (np.concatenate(x) for x in zip(*averages, strict=True))
        macro = mean_of_labels(values[:, None]), mean_of_labels(drawn)[None]
        _put(found, each.metric.name, ["macro"], *macro, confidence_level)
    found.support["macro"] = float(sum(found.support.values()))
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
    for label, value, ways in zip(labels, values, drawn, strict=True):
        found.values[name, label, ""] = float(value)
        ways = ways[~np.isnan(ways)]
        if confidence_level is not None and len(ways) and not np.isnan(value):
            low, high = np.quantile(ways, [tail, 1 - tail])
            found.values[name, label, "/lower"] = float(low)
            found.values[name, label, "/upper"] = float(high)


def _values(
    seen: Predictions,
    each: Measure,
    columns: list[int],
    intervals: bool,
    replicates: int,
    seed: int,
    batch_size: int,
) -> tuple[Array, Array, Array]:
    """Values, replicates and supports of some columns."""
    y, p = inputs(seen, each, columns)
    labels = [seen.labels[c] for c in columns]
    inner = copy(each.metric)
    metric = M.PerLabel(inner, labels, average=None)
    if intervals and isinstance(inner, M.ColumnMetric):
        try:
            interval = M.WithInterval(metric, replicates=replicates, seed=seed)
        except ValueError:  # a median, say: it is shown without
            interval = None
        if interval is not None:
            update(each.wrap(interval), batch_size, y, p, seen.weight)
            values, drawn = (np.asarray(ops.convert_to_numpy(x)) for x in interval.values())
            values = exact_areas(seen, columns) if each.ranks else values
            return values, drawn, np.asarray(ops.convert_to_numpy(interval.support()))
    update(each.wrap(metric), batch_size, y, p, seen.weight)
    values = np.asarray(ops.convert_to_numpy(metric.scores()))
    values = exact_areas(seen, columns) if each.ranks else values
    nothing = np.full((len(values), replicates), np.nan)
    return values, nothing, np.asarray(ops.convert_to_numpy(metric.support()))


def copy(metric: Any) -> Any:
    """A metric of the same options that has seen nothing."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))


def inputs(seen: Predictions, each: Measure, columns: list[int]) -> tuple[Array, Array]:
    """Labels and predictions as a metric takes them."""
    y, p = seen.of(columns)
    if each.ranks:
        return y, ranks(p, seen.hidden(columns))
    if seen.from_logits and columns[0] in seen.columns(BINARY) and each.metric.name in (
        "brier", "accuracy",
    ):  # fmt: skip
        p = probabilities(p)
    return y, p
