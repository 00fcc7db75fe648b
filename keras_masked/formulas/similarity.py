"""Of vectors compared with vectors."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked.formulas.base import formula

Tensor = Any


@formula(label_axes=1, pairwise=True)
def cosine_similarity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """-sum_k y_k p_k / (|y| |p|)."""
    return keras.losses.cosine_similarity(y_true, y_pred, axis=-1)


def circle(
    distances: Tensor, positive: Tensor, negative: Tensor, gamma: float, margin: float
) -> Tensor:
    """Circle loss of each anchor from its cosine distances; 0 without a pair of either kind.

    Keras's takes labels instead of pairs, and with labels a row is always in some pair.
    """
    positive_weights = ops.relu(margin + distances)
    negative_weights = ops.relu(1.0 + margin - distances)
    attract = -gamma * positive_weights * (margin - distances)
    repel = gamma * negative_weights * (1.0 - margin - distances)
    total = _logsumexp(attract, positive) + _logsumexp(repel, negative)
    paired = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return ops.where(paired, ops.softplus(total), ops.zeros_like(total))


def _logsumexp(x: Tensor, where: Tensor) -> Tensor:
    """Over the true entries of each row; finite, with finite slope, where there is none."""
    none = ops.logical_not(ops.any(where, axis=1, keepdims=True))
    x = ops.where(none, ops.zeros_like(x), x)
    inside = ops.where(ops.logical_or(where, none), x, ops.full_like(x, float("-inf")))
    return ops.logsumexp(inside, axis=1)
