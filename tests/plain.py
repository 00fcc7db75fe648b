"""Losses that Keras does not have, as Keras would: no masks, no guards, the mean by Keras.

They stand in the case table where other rows have the Keras class, so that identity and the
gradient of deleted data are tested by backpropagation through another implementation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
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


def exponentially_weighted(a: float) -> Callable[..., Plain]:
    return of_labels(lambda y, p: ops.square(ops.exp(0.5 * a * y) * (p - y)))


def dual_weighted(gamma: float) -> Callable[..., Plain]:
    def formula(y: Any, p: Any) -> Any:
        return ops.maximum(ops.abs(y) ** gamma, ops.abs(p) ** gamma) * (p - y) ** 2

    return of_labels(formula)


def asymmetric(miss_weight: float) -> Callable[..., Plain]:
    return of_labels(lambda y, p: ops.relu(p - y) ** 2 + miss_weight * ops.relu(y - p) ** 2)


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
