"""Formulas of real-valued labels that compare them with one number."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import formula

Tensor = Any


@formula(residual=True)
def squared_error(error: Tensor) -> Tensor:
    """(y - p)^2."""
    return ops.square(error)


@formula(residual=True)
def absolute_error(error: Tensor) -> Tensor:
    """|y - p|, with a slope of 0 at 0."""
    return _backend.absolute(error)


@formula()
def absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """100 |y - p| / max(|y|, epsilon)."""
    epsilon = ops.full_like(y_true, keras.config.epsilon())
    return 100.0 * ops.abs((y_true - y_pred) / _backend.maximum(ops.abs(y_true), epsilon))


@formula()
def squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """(log(1 + max(p, epsilon)) - log(1 + max(y, epsilon)))^2."""
    epsilon = ops.full_like(y_true, keras.config.epsilon())
    first = ops.log(_backend.maximum(y_pred, epsilon) + 1.0)
    return ops.square(first - ops.log(_backend.maximum(y_true, epsilon) + 1.0))
