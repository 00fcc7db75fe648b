"""Squared errors that weigh the rare and the extreme, and a focal cross-entropy."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked.formulas.base import formula
from keras_masked.formulas.probabilistic import binary_crossentropy

Tensor = Any


@formula()
def exponentially_weighted_squared_error(y_true: Tensor, y_pred: Tensor, a: float = 5.0) -> Tensor:
    """exp(a y) (p - y)^2."""
    return ops.exp(a * y_true) * ops.square(y_pred - y_true)


@formula()
def dual_weighted_squared_error(y_true: Tensor, y_pred: Tensor, gamma: float = 1.0) -> Tensor:
    """max(|y|, |p|)^gamma (p - y)^2."""
    size = ops.maximum(ops.abs(y_true), ops.abs(y_pred))
    # The slope of a power below 1 is infinite at 0, where the error is 0, too.
    size = ops.maximum(size, ops.full_like(size, keras.config.epsilon()))
    return size**gamma * ops.square(y_pred - y_true)


@formula()
def asymmetric_squared_error(y_true: Tensor, y_pred: Tensor, miss_weight: float = 2.0) -> Tensor:
    """(p - y)^2, times the weight of a miss where p < y."""
    losses = ops.square(y_pred - y_true)
    return ops.where(ops.less(y_pred, y_true), miss_weight * losses, losses)


@formula()
def sigmoid_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    from_logits: bool = False,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
) -> Tensor:
    """alpha_t (1 - p_t)^gamma times the cross-entropy; without alpha_t where alpha is 0 or None."""
    losses = binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    if gamma:
        right = ops.sigmoid(y_pred) if from_logits else y_pred
        wrong = ops.sigmoid(-y_pred) if from_logits else 1.0 - y_pred
        doubt = y_true * wrong + (1.0 - y_true) * right
        # The slope of a power below 1 is infinite at 0.
        losses = ops.maximum(doubt, ops.full_like(doubt, keras.config.epsilon())) ** gamma * losses
    if alpha:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return losses


def check_gamma(gamma: float) -> float:
    """Checks the focusing exponent and returns it."""
    if gamma is not None and gamma < 0:
        raise ValueError(f"Argument `gamma` must not be negative. Received: gamma={gamma!r}")
    return gamma
