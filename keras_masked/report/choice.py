"""Which metrics a report has: those asked for, or those of each kind of label."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_masked import metrics as M
from keras_masked.report.predictions import BINARY, CLASS, DISTRIBUTION, Predictions


@dataclasses.dataclass(frozen=True)
class Measure:
    """One metric of some columns.

    Attributes:
        metric: The metric of one column.
        columns: Which columns it is for.
        area: Whether it is the area under the ROC curve, which needs no metric to be updated.
        of_mean: The distribution of whose mean it is.
        size: How many sums of each column it keeps, about.
    """

    metric: Any
    columns: list[int]
    area: bool = False
    of_mean: Any = None
    size: int = 8

    def wrap(self, metric: Any) -> Any:
        """The metric, of means of distributions if so."""
        return metric if self.of_mean is None else M.OfMean(metric, self.of_mean)


def measures(seen: Predictions, metrics: Sequence[Any] | None) -> list[Measure]:
    """The metrics asked for, or those of each kind of label."""
    every, m = list(range(len(seen.labels))), seen.missing
    if metrics is not None:
        return [_asked(metric, every, seen.censored) for metric in metrics]
    found = []
    bounds = {"censored": True} if seen.censored else {}
    if columns := seen.columns(BINARY):
        found += [
            Measure(M.AUC(name="auc", missing=m), columns, area=True),
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
            Measure(
                M.NegativeLogLikelihood(d, full=True, name="nll", missing=m, **bounds), columns
            ),
            Measure(M.RootMeanSquaredError(name="rmse", missing=m, **bounds), columns, of_mean=d),
            Measure(M.IntervalCoverage(0.9, d, name="coverage 90%", missing=m, **bounds), columns),
        ]
    if columns := [c for c in every if not _taken(c, found)]:
        found += [
            Measure(M.RootMeanSquaredError(name="rmse", missing=m, **bounds), columns),
            Measure(M.MeanAbsoluteError(name="mae", missing=m, **bounds), columns),
        ]
        if not seen.censored:  # a bound has no variance that could be explained
            found.append(Measure(M.R2Score(name="r2", missing=m), columns))
    return found


def _taken(column: int, found: list[Measure]) -> bool:
    return any(column in measure.columns for measure in found)


def _are_logits(seen: Predictions) -> bool:
    finite = np.isfinite(seen.y_pred).all(axis=-1) & ~seen.hidden(list(range(len(seen.labels))))
    finite = seen.y_pred[finite]
    return not np.allclose(finite.sum(axis=-1), 1, atol=1e-3)


def _asked(metric: Any, every: list[int], censored: bool) -> Measure:
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
    _check_ends(metric, censored)
    entries = 8
    if isinstance(metric, M.ColumnMetric):
        with contextlib.suppress(NotImplementedError):  # of moments, which are few
            entries = int(np.prod(metric.sums_shape))
    return Measure(metric, every, of_mean=of_mean, size=entries)


def _check_ends(metric: M.MaskedMetric, censored: bool) -> None:
    """Raises `ValueError` unless a metric takes labels as they are: bounds, or values."""
    takes_ends = metric.label.censored or bool(getattr(metric, "censored", False))
    if takes_ends == censored:
        return
    name = type(metric).__name__
    cure = "pass `censored=True` to `report`, and lower and upper ends as `y_true`"
    if censored:
        cure = f"pass `censored=True` to `{name}`"
        if "censored" not in type(metric).admits:
            cure = "it has no form for labels that are bounds"
            cure = type(metric).refuses.get("censored", cure).removesuffix(".")
    raise ValueError(
        f"Argument `metrics` must hold metrics of {'bounds' if censored else 'values'}, as the "
        f"labels are. Received: {name}: {cure}."
    )
