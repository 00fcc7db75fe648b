"""Of real-valued labels. Keras exports these only averaged over the last axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_masked.formulas.base import formula

Tensor = Any


@formula(residual=True)
def squared_error(error: Tensor) -> Tensor:
    """(y - p)^2."""
    return ops.square(error)


@formula(residual=True)
def absolute_error(error: Tensor) -> Tensor:
    """|y - p|, with a slope of 0 at 0: that of `ops.abs` is 1 there on JAX."""

    def absolute(error: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        def gradient(*args: Tensor, upstream: Tensor | None = None) -> Tensor:
            return ops.sign(error) * (args[0] if upstream is None else upstream)

        return ops.abs(error), gradient

    return ops.custom_gradient(absolute)(error)


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


@formula(residual=True)
def huber(error: Tensor, delta: float = 1.0) -> Tensor:
    """e^2 / 2 for |e| <= delta, else delta |e| - delta^2 / 2, with e = y - p."""
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


@formula()
def signed_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """p - y."""
    return y_pred - y_true


@formula()
def signed_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """100 (y - p) / y, with y at least epsilon away from 0, on its side of it."""
    size = ops.maximum(ops.abs(y_true), ops.full_like(y_true, keras.config.epsilon()))
    return 100.0 * (y_true - y_pred) / ops.where(y_true < 0, -size, size)


@formula()
def zero(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """0, whatever the prediction; of slope 0 rather than none, which optimizers want."""
    return ops.where(ops.ones_like(y_pred, dtype="bool"), ops.zeros_like(y_pred), y_pred)
