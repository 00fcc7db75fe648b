"""Cross-entropies of ordinal classes, from logits of the thresholds between them."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas.crossentropy import binary_crossentropy, valid_ids
from keras_masked.formulas.labels import RANK, formula

Tensor = Any

MODES = ("cumulative", "corn")


@formula(RANK)
def ordinal_crossentropy(y_true: Tensor, y_pred: Tensor, mode: str = "cumulative") -> Tensor:
    """The sum over thresholds k of the cross-entropy of [y > k] and sigmoid(z_k).

    With `"corn"` only over those that the label has reached, k <= y. NaN for an id y outside the
    classes.
    """
    thresholds = y_pred.shape[-1]
    valid, ids = valid_ids(y_true, thresholds + 1)
    ids, at = ops.expand_dims(ids, -1), ops.arange(thresholds, dtype="int32")
    above = ops.cast(ops.greater(ids, at), y_pred.dtype)
    losses = binary_crossentropy(above, y_pred, from_logits=True)
    if mode == "corn":
        # Multiplied, not selected: a NaN logit is seen, wherever it stands.
        losses = losses * ops.cast(ops.greater_equal(ids, at), losses.dtype)
    losses = ops.sum(losses, axis=-1)
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))
