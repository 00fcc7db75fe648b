"""Cross-entropy both ways, for classes of which some labels are wrong."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.crossentropy import (
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    valid_ids,
)
from keras_masked.formulas.labels import ONE_HOT_OR_ID, formula

Tensor = Any

LOG_OF_0 = -4.0
"""What stands for the logarithm of 0."""


@formula(ONE_HOT_OR_ID)
def symmetric_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    alpha: float = 0.1,
    beta: float = 1.0,
    from_logits: bool = False,
) -> Tensor:
    """-alpha sum_c y_c log p_c - beta sum_c p_c log y_c, no logarithm of a label below -4."""
    if len(y_true.shape) < len(y_pred.shape):
        losses = sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits)
        _, ids = valid_ids(y_true, y_pred.shape[-1])
        y_true = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
    else:
        losses = categorical_crossentropy(y_true, y_pred, from_logits=from_logits)
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=-1)
    logarithms = ops.log(_backend.maximum(y_true, math.exp(LOG_OF_0)))
    return alpha * losses - beta * ops.sum(y_pred * logarithms, axis=-1)
