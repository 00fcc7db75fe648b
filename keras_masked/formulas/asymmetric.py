"""The asymmetric loss of binary labels, most of which are negative."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import PROBABILITY, formula

Tensor = Any


@formula(PROBABILITY)
def asymmetric(
    y_true: Tensor,
    y_pred: Tensor,
    gamma_negative: float = 4.0,
    gamma_positive: float = 1.0,
    margin: float = 0.05,
    from_logits: bool = False,
) -> Tensor:
    """-y (1 - p)^g+ log p - (1 - y) q^g- log(1 - q), with q = max(p - margin, 0)."""
    epsilon = keras.config.epsilon()
    if from_logits:
        right, wrong = ops.sigmoid(y_pred), ops.sigmoid(-y_pred)
        positive = -ops.softplus(-y_pred)
        negative = -ops.softplus(y_pred)
    else:
        right = _backend.clip(y_pred, epsilon, 1.0 - epsilon)
        wrong = 1.0 - right
        positive, negative = ops.log(right), ops.log(wrong)
    if margin:  # 1 - q is never below it
        negative = ops.log(_backend.minimum(wrong + margin, ops.ones_like(wrong)))
    positive = _power(wrong, gamma_positive, positive)
    negative = _power(right - margin, gamma_negative, negative)
    return -(y_true * positive + (1.0 - y_true) * negative)


def _power(doubt: Tensor, gamma: float, logarithm: Tensor) -> Tensor:
    """Of max(doubt, 0) times the logarithm; the slope of a power below 1 is infinite at 0."""
    if not gamma:
        return logarithm
    least = ops.full_like(doubt, keras.config.epsilon())
    return _backend.maximum(doubt, least) ** gamma * logarithm
