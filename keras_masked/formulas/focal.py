"""Cross-entropies that look away from what is easy."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.crossentropy import binary_crossentropy, valid_ids
from keras_masked.formulas.labels import CLASS_ID, PROBABILITY, VECTOR, formula

Tensor = Any


@formula(PROBABILITY)
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """(1 - p_t)^gamma times the cross-entropy, with p_t the probability of the label.

    Not Keras's, whose cross-entropy breaks PyTorch's compiled graph.
    """
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    of_label = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = (1.0 - of_label) ** gamma * binary_crossentropy(y_true, y_pred)
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return losses


@formula(VECTOR)
def categorical_focal_crossentropy(y_true: Tensor, y_pred: Tensor, **options: Any) -> Tensor:
    """-sum_c alpha (1 - p_c)^gamma y_c log p_c."""
    return keras.losses.categorical_focal_crossentropy(y_true, y_pred, **options)


@formula(CLASS_ID)
def sparse_categorical_focal_crossentropy(y_true: Tensor, y_pred: Tensor, **options: Any) -> Tensor:
    """The same of a class id; NaN for an id outside the classes."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    rows = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
    losses = keras.losses.categorical_focal_crossentropy(rows, y_pred, **options)
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))


@formula(PROBABILITY)
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
        losses = (
            _backend.maximum(doubt, ops.full_like(doubt, keras.config.epsilon())) ** gamma * losses
        )
    if alpha:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return losses
