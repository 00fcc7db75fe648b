"""Labels of which is known that they lie between two ends, of which one may be infinite."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


def nearest(lower: Tensor, upper: Tensor, y_pred: Tensor) -> Tensor:
    """Of the values that each label can have, that nearest to the prediction.

    Between the ends it is the prediction itself, of which the residual is 0, as are all of its
    derivatives. One of several predictions for a label, on a last axis, if there is one more axis.
    """
    if len(y_pred.shape) > len(lower.shape):
        lower, upper = ops.expand_dims(lower, -1), ops.expand_dims(upper, -1)
    inside = ops.logical_and(y_pred > lower, y_pred < upper)
    # A prediction of NaN is on neither side, and stays visible beside an end.
    return ops.where(inside, y_pred, ops.where(y_pred >= upper, upper, lower))
