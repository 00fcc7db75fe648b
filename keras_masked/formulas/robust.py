"""Formulas that grow only linearly with large errors."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked.formulas.labels import formula

Tensor = Any


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
