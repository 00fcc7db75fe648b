"""Losses that Keras does not have, as Keras would: no masks, no guards, the mean by Keras.

They stand in the case table where other rows have the Keras class, so that identity and the
gradient of deleted data are tested by backpropagation through another implementation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


class Plain(keras.losses.Loss):
    """A formula of rows."""

    def __init__(self, rows: Callable[[Any, Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        return self.rows(ops.cast(y_true, y_pred.dtype), y_pred)


def of_rows(rows: Callable[[Any, Any], Any]) -> Callable[..., Plain]:
    return lambda **kwargs: Plain(rows, **kwargs)


def of_labels(formula: Callable[[Any, Any], Any]) -> Callable[..., Plain]:
    return of_rows(lambda y, p: ops.mean(formula(y, p), axis=-1))


def mean_of_labels(formula: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The metric."""

    def rows(y: Any, p: Any) -> Any:
        p = ops.convert_to_tensor(p)
        return ops.mean(formula(ops.cast(y, p.dtype), p), axis=-1)

    return lambda **kwargs: keras.metrics.MeanMetricWrapper(rows, **kwargs)


def mean_of_rows(formula: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The metric."""

    def rows(y: Any, p: Any) -> Any:
        return ops.cast(formula(ops.convert_to_tensor(y), ops.convert_to_tensor(p)), "float32")

    return lambda **kwargs: keras.metrics.MeanMetricWrapper(rows, **kwargs)


def exponentially_weighted(a: float) -> Callable[..., Plain]:
    return of_labels(lambda y, p: ops.square(ops.exp(0.5 * a * y) * (p - y)))


def dual_weighted(gamma: float) -> Callable[..., Plain]:
    def formula(y: Any, p: Any) -> Any:
        return ops.maximum(ops.abs(y) ** gamma, ops.abs(p) ** gamma) * (p - y) ** 2

    return of_labels(formula)


def asymmetric(miss_weight: float) -> Callable[..., Plain]:
    return of_labels(lambda y, p: ops.relu(p - y) ** 2 + miss_weight * ops.relu(y - p) ** 2)


def hinge(delta: float) -> Callable[..., Plain]:
    return of_labels(lambda y, p: ops.relu(delta - y * p))


def multiclass_hinge(delta: float) -> Callable[[Any, Any], Any]:
    """Row by row, of the classes in the order of their scores."""

    def rows(y: Any, p: Any) -> Any:
        p = ops.convert_to_tensor(p)
        is_label = ops.one_hot(ops.cast(y, "int32"), p.shape[-1], dtype=p.dtype) > 0
        of_label = ops.sum(ops.where(is_label, p, ops.zeros_like(p)), axis=-1)
        best_other = ops.max(ops.where(is_label, ops.full_like(p, -3e38), p), axis=-1)
        return ops.relu(best_other - of_label + delta)

    return rows


def tversky(alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Callable[..., Plain]:
    """By its equation, from which Keras's of 3.15 differs."""

    def sets(y: Any, p: Any) -> Any:
        right = ops.sum(y * p, axis=axis)
        alarms, misses = ops.sum(p, axis=axis) - right, ops.sum(y, axis=axis) - right
        return 1 - right / (right + alpha * alarms + beta * misses + 1e-7)

    return of_rows(sets)


class OfBatches(keras.metrics.Metric):
    """A function of all data at once, in NumPy; per column the mean over columns."""

    def __init__(
        self,
        value: Callable[..., float],
        per_column: bool = False,
        parameters: int = 0,
        vectors: bool = False,
    ) -> None:
        super().__init__()
        self.value, self.per_column = value, per_column
        self.last = (parameters,) if parameters else ()
        self.vector = self.last if vectors else ()
        self.batches: list[tuple[Any, ...]] = []

    def update_state(self, y: Any, p: Any, w: Any = None) -> None:
        w = np.ones(len(y)) if w is None else w
        shape = y.shape[:-1] if self.vector else y.shape
        w = np.broadcast_to(np.reshape(w, (-1,) + (1,) * (len(shape) - 1)), shape)
        self.batches.append((y, p, w))

    def result(self) -> Any:
        parts = zip(*self.batches, strict=True)
        y, p, w = (np.concatenate(each).astype("float64") for each in parts)
        columns = y.shape[-1] if self.per_column else 1
        p, y = p.reshape(-1, columns, *self.last), y.reshape(-1, columns, *self.vector)
        w = w.reshape(-1, columns)
        each = [self.value(y[:, c], p[:, c], w[:, c]) for c in range(columns)]
        return ops.convert_to_tensor(np.mean(each, axis=0), dtype=self.dtype)


def box(kind: str) -> Callable[..., Plain]:
    """Of boxes that have an area and do not coincide."""

    def rows(y: Any, p: Any) -> Any:
        low, high = ops.maximum(y[..., :2], p[..., :2]), ops.minimum(y[..., 2:], p[..., 2:])
        shared = ops.prod(ops.relu(high - low), axis=-1)
        sides, sides_of_p = y[..., 2:] - y[..., :2], p[..., 2:] - p[..., :2]
        union = ops.prod(sides, axis=-1) + ops.prod(sides_of_p, axis=-1) - shared
        loss = 1.0 - shared / union
        around = ops.maximum(y[..., 2:], p[..., 2:]) - ops.minimum(y[..., :2], p[..., :2])
        if kind == "giou":
            return loss + 1.0 - union / ops.prod(around, axis=-1)
        shift = (y[..., :2] + y[..., 2:]) / 2 - (p[..., :2] + p[..., 2:]) / 2
        distance = ops.sum(shift**2, axis=-1) / ops.sum(around**2, axis=-1)
        if kind == "ciou":
            angles = [ops.arctan(s[..., 1] / s[..., 0]) for s in (sides, sides_of_p)]
            v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
            return loss + distance + ops.stop_gradient(v / (loss + v)) * v
        return loss + distance if kind == "diou" else loss

    return of_rows(rows)


class Perplexity(keras.metrics.SparseCategoricalCrossentropy):
    """The exponential of Keras's metric, which has no such metric."""

    def result(self) -> Any:
        return ops.exp(super().result())
