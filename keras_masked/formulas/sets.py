"""Of sets of labels, such as the pixels of an image."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


Axis = int | tuple[int, ...] | None


def dice(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """1 - 2 sum(y p) / (sum(y) + sum(p) + epsilon)."""
    return keras.losses.dice(y_true, y_pred, axis=axis)


def tversky(
    y_true: Tensor, y_pred: Tensor, axis: Axis = None, alpha: float = 0.5, beta: float = 0.5
) -> Tensor:
    """1 - sum(y p) / (sum(y p) + alpha sum((1 - y) p) + beta sum(y (1 - p)) + epsilon).

    Not Keras's, which weighs false negatives by alpha and false positives by beta up to 3.15.
    """
    right = ops.sum(y_true * y_pred, axis=axis)
    false_positives = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    false_negatives = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    wrong = alpha * false_positives + beta * false_negatives
    return 1.0 - right / (right + wrong + keras.config.epsilon())


def jaccard(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """1 - sum(y p) / (sum(y) + sum(p) - sum(y p) + epsilon)."""
    return tversky(y_true, y_pred, axis=axis, alpha=1.0, beta=1.0)
