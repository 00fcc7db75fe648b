"""Of sets of labels, such as the pixels of an image."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


Axis = int | tuple[int, ...] | None


def dice(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """1 - 2 sum(y p) / (sum(y) + sum(p) + epsilon)."""
    return keras.losses.dice(y_true, y_pred, axis=axis)


def tversky(
    y_true: Tensor, y_pred: Tensor, axis: Axis = None, alpha: float = 0.5, beta: float = 0.5
) -> Tensor:
    """1 - sum(y p) / (sum(y p) + alpha sum((1 - y) p) + beta sum(y (1 - p)) + epsilon)."""
    return keras.losses.tversky(y_true, y_pred, alpha=alpha, beta=beta, axis=axis)


def jaccard(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """1 - sum(y p) / (sum(y) + sum(p) - sum(y p) + epsilon)."""
    return tversky(y_true, y_pred, axis=axis, alpha=1.0, beta=1.0)
