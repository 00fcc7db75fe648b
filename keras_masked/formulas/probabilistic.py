"""Divergences and counts: Kullback-Leibler and Poisson."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked.formulas.labels import VECTOR, formula

Tensor = Any


@formula(VECTOR)
def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """sum_c y_c log(y_c / p_c)."""
    return keras.losses.kl_divergence(y_true, y_pred)


@formula()
def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """p - y log(p + epsilon)."""
    return y_pred - y_true * ops.log(y_pred + keras.config.epsilon())
