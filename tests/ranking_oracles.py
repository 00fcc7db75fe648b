"""Ranking metrics of one list in float64 NumPy, item by item, and scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from sklearn import metrics as sklearn_metrics

Array = np.ndarray
Value = Callable[..., float]


def in_order(y: Array, p: Array, k: int | None = None) -> list[int]:
    """The first k items by score, those of one score as they stand."""
    return sorted(range(len(y)), key=lambda i: -p[i])[:k]


def discounted(y: Array, w: Array, order: list[int]) -> float:
    return sum(w[i] * (2 ** y[i] - 1) / np.log2(at + 2) for at, i in enumerate(order))


def ndcg(k: int | None = None) -> Value:
    def value(y: Array, p: Array, w: Array) -> float:
        best = discounted(y, w, in_order(y, w * (2**y - 1), k))
        return discounted(y, w, in_order(y, p, k)) / best if best else np.nan

    return value


def reciprocal_rank(k: int | None = None) -> Value:
    def value(y: Array, p: Array, w: Array) -> float:
        found = [1 / (at + 1) for at, i in enumerate(in_order(y, p, k)) if y[i] >= 1]
        return max([*found, 0]) if (y >= 1).any() else np.nan

    return value


def average_precision(k: int | None = None) -> Value:
    def value(y: Array, p: Array, w: Array) -> float:
        order, found = in_order(y, p, k), 0.0
        for at, i in enumerate(order):
            if y[i] >= 1:
                found += w[i] * sum(y[j] >= 1 for j in order[: at + 1]) / (at + 1)
        relevant = w[y >= 1].sum()
        return found / relevant if relevant else np.nan

    return value


def precision(k: int | None = None) -> Value:
    def value(y: Array, p: Array, w: Array) -> float:
        first = [y[i] >= 1 for i in in_order(y, p, k)]
        return float(np.mean(first)) if first else np.nan

    return value


def recall(k: int | None = None) -> Value:
    def value(y: Array, p: Array, w: Array) -> float:
        found = sum(y[i] >= 1 for i in in_order(y, p, k))
        return found / (y >= 1).sum() if (y >= 1).any() else np.nan

    return value


def by_gains(y: Array, w: Array) -> float:
    """A list's weight: its items' mean weight by gains."""
    gains = 2**y - 1
    return float(np.average(w, weights=gains)) if gains.any() else float(np.mean(w))


def by_relevance(y: Array, w: Array) -> float:
    relevant = y >= 1
    return float(w[relevant].mean()) if relevant.any() else float(np.mean(w))


def of_sklearn(name: str) -> Value:
    function = getattr(sklearn_metrics, name)

    def value(y: Array, p: Array, w: Array) -> float:
        if len(y) == 1 and not name.endswith("score"):  # which it takes for a vector of classes
            return float(y[0]) if name == "coverage_error" else 0.0
        return float(function(y[None], p[None])) if len(y) else np.nan

    return value


class OfRows(keras.metrics.Metric):
    """The weighted mean over the rows of all batches, in NumPy, of those that have a value."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value
        self.rows: list[tuple[float, float]] = []

    def update_state(self, y: Any, p: Any, w: Any = None) -> None:
        y, p = np.asarray(y, "float64"), np.asarray(p, "float64")
        w = np.ones(len(y)) if w is None else np.asarray(w)
        for i in range(len(y)):
            value = self.value(y[i], p[i], np.ones(len(y[i])))
            if not np.isnan(value):
                self.rows.append((value, float(w[i])))

    def result(self) -> Any:
        values, weights = np.array(self.rows).T
        return ops.convert_to_tensor(np.average(values, weights=weights), dtype=self.dtype)
