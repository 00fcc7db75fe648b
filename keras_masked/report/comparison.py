"""`compare`: whether one model is better than another on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked.metrics import PerLabel, WithInterval
from keras_masked.report import tables

Array = np.ndarray
HEADER = ("label", "first", "second", "difference", "lower", "upper", "p")


class Comparison:
    """What `compare` has found: a number each, or one per label and "macro" in a dict.

    Attributes:
        first: The metric of the first predictions.
        second: That of the second.
        difference: First less second.
        lower: The lower end of the difference's interval.
        upper: The upper end.
        p_value: How often chance alone would make so large a difference, of either sign.
    """

    def __init__(self, name: str, labels: list[str] | None, columns: list[Array]) -> None:
        self._name = name
        self._labels = [name] if labels is None else labels
        self._columns = columns
        found = [
            float(x[0]) if labels is None else dict(zip(labels, map(float, x), strict=True))
            for x in columns
        ]
        self.first: Any
        self.second: Any
        self.difference: Any
        self.lower: Any
        self.upper: Any
        self.p_value: Any
        self.first, self.second, self.difference, self.lower, self.upper, self.p_value = found

    def table(self) -> list[list[Any]]:
        """A row per label: both values, difference, interval, p-value."""
        return [
            [label, *map(float, row)]
            for label, *row in zip(self._labels, *self._columns, strict=True)
        ]

    def __str__(self) -> str:
        return f"{self._name}, first less second\n\n{tables.as_text(HEADER, self.table())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """For notebooks."""
        style = f"<style>{tables.STYLE}</style>"
        return f'<div class="km">{style}{tables.as_html(HEADER, self.table())}</div>'


def compare(
    y_true: Any,
    first: Any,
    second: Any,
    metric: Any,
    *,
    labels: Sequence[str] | None = None,
    sample_weight: Any = None,
    confidence_level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
    batch_size: int = 1024,
) -> Comparison:
    """Compares two models' predictions for the same labels, of which some are missing.

    Both metrics are bootstrapped on the same drawn rows, so that what is hard for both leaves the
    difference: it is known much better than the two intervals suggest.

    Args:
        y_true: Labels, `(rows, ...)`.
        first: Predictions of one model.
        second: Predictions of the other.
        metric: A metric of sums over labels, or a `PerLabel` of one.
        labels: Names of the columns, to compare each and the mean over them.
        sample_weight: Weights: one per row, or one per label.
        confidence_level: How often the interval is to hold the difference.
        replicates: How many replicates; the least p-value is 1 / (replicates + 1).
        seed: Another seed draws other rows.
        batch_size: How many rows are taken at once.

    Returns:
        A `Comparison`: `.difference` (first less second), `.lower`, `.upper` and `.p_value`, each a
        number, or a dict by label, with "macro" for the mean. The p-value is that of the bootstrap
        shifted to a difference of 0 (Efron and Tibshirani 1993, chapter 16).

    Example:

    >>> rng = np.random.default_rng(0)
    >>> y_true = rng.normal(size=200)
    >>> first, second = y_true + rng.normal(size=200), y_true + 2 * rng.normal(size=200)
    >>> y_true[::3] = np.nan
    >>> found = keras_masked.compare(
    ...     y_true, first, second, keras_masked.metrics.MeanAbsoluteError())
    >>> found.difference < 0, found.upper < 0, found.p_value < 0.01
    (True, True, True)
    """
    if labels is not None and not isinstance(metric, PerLabel):
        metric = PerLabel(metric, labels=list(labels))
    found = []
    for predictions in (first, second):
        interval = WithInterval(metric, confidence_level, replicates, seed)
        update(interval, batch_size, y_true, predictions, sample_weight)
        found.append([np.asarray(ops.convert_to_numpy(x), "float64") for x in interval.values()])
    names = None
    if isinstance(metric, PerLabel):
        names = [*metric.labels, *([] if metric.average is None else [metric.average])]
    (one, ones), (other, others) = found
    difference, spread = one - other, ones - others
    tail = (1 - confidence_level) / 2
    lower, upper, p = (np.full(len(one), np.nan) for _ in range(3))
    for i, drawn in enumerate(spread):
        drawn = drawn[~np.isnan(drawn)]
        if len(drawn) and not np.isnan(difference[i]):
            lower[i], upper[i] = np.quantile(drawn, [tail, 1 - tail])
            gap = abs(difference[i])
            as_large = np.abs(drawn - difference[i]) >= gap * (1 - 1e-6)
            p[i] = (1 + as_large.sum()) / (1 + len(drawn))
    return Comparison(metric.name, names, [one, other, difference, lower, upper, p])


def update(metric: Any, batch_size: int, y_true: Any, y_pred: Any, weight: Any = None) -> None:
    """Updates a metric with arrays, some rows at a time, which bounds memory."""
    y_true, y_pred = (x if hasattr(x, "shape") else np.asarray(x) for x in (y_true, y_pred))
    if weight is not None and np.ndim(weight):
        weight = weight if hasattr(weight, "shape") else np.asarray(weight)
    for start in range(0, y_true.shape[0], batch_size):
        rows = slice(start, start + batch_size)
        own = weight[rows] if weight is not None and np.ndim(weight) else weight
        metric.update_state(y_true[rows], y_pred[rows], own)
