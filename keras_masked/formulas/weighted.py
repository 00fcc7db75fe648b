"""Squared errors that weigh the rare and the extreme, and a focal cross-entropy."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import formula

Tensor = Any


@formula()
def exponentially_weighted_squared_error(y_true: Tensor, y_pred: Tensor, a: float = 5.0) -> Tensor:
    """exp(a y) (p - y)^2."""
    return ops.exp(a * y_true) * ops.square(y_pred - y_true)


@formula()
def dual_weighted_squared_error(y_true: Tensor, y_pred: Tensor, gamma: float = 1.0) -> Tensor:
    """max(|y|, |p|)^gamma (p - y)^2."""
    size = _backend.maximum(ops.abs(y_true), ops.abs(y_pred))
    # The slope of a power below 1 is infinite at 0, where the error is 0, too.
    size = _backend.maximum(size, ops.full_like(size, keras.config.epsilon()))
    return size**gamma * ops.square(y_pred - y_true)


@formula()
def asymmetric_squared_error(y_true: Tensor, y_pred: Tensor, miss_weight: float = 2.0) -> Tensor:
    """(p - y)^2, times the weight of a miss where p < y."""
    losses = ops.square(y_pred - y_true)
    return ops.where(ops.less(y_pred, y_true), miss_weight * losses, losses)
