"""Of real-valued labels. Keras exports these only averaged over the last axis."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_masked.formulas.base import formula

Tensor = Any


@formula()
def squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """(y - p)^2."""
    return ops.square(y_true - y_pred)


@formula()
def absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """|y - p|."""
    return ops.abs(y_true - y_pred)


@formula()
def absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """100 |y - p| / max(|y|, epsilon)."""
    epsilon = ops.full_like(y_true, keras.config.epsilon())
    return 100.0 * ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon))


@formula()
def squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """(log(1 + max(p, epsilon)) - log(1 + max(y, epsilon)))^2."""
    epsilon = ops.full_like(y_true, keras.config.epsilon())
    first = ops.log(ops.maximum(y_pred, epsilon) + 1.0)
    return ops.square(first - ops.log(ops.maximum(y_true, epsilon) + 1.0))


@formula()
def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """e^2 / 2 for |e| <= delta, else delta |e| - delta^2 / 2, with e = p - y."""
    error = y_pred - y_true
    size = ops.abs(error)
    linear = delta * size - 0.5 * delta**2
    return ops.where(size <= delta, 0.5 * ops.square(error), linear)


@formula()
def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """log(cosh(p - y)), as e + log(1 + exp(-2 e)) - log 2: cosh itself overflows."""
    error = y_pred - y_true
    return error + ops.softplus(-2.0 * error) - math.log(2.0)


@formula()
def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """p - y log(p + epsilon)."""
    return y_pred - y_true * ops.log(y_pred + keras.config.epsilon())
