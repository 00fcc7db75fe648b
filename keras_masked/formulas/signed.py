"""Formulas with a sign, and the one that is always 0."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import formula

Tensor = Any


@formula()
def signed_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """p - y."""
    return y_pred - y_true


@formula()
def signed_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """100 (y - p) / y, with y at least epsilon away from 0, on its side of it."""
    size = _backend.maximum(ops.abs(y_true), ops.full_like(y_true, keras.config.epsilon()))
    return 100.0 * (y_true - y_pred) / ops.where(y_true < 0, -size, size)


@formula()
def zero(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """0, whatever the prediction; of slope 0 rather than none, which optimizers want."""
    return ops.where(ops.ones_like(y_pred, dtype="bool"), ops.zeros_like(y_pred), y_pred)
