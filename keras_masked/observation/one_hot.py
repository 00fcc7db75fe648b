"""Class ids as one binary label per class."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked.formulas.crossentropy import valid_ids
from keras_masked.observation.observe import Observation

Tensor = Any


def one_hot(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """One-hot rows of class ids; NaN of ids outside the classes, or between two."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    rows = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
    return ops.where(ops.expand_dims(valid, -1), rows, ops.full_like(rows, float("nan")))


def one_versus_rest(seen: Observation, sparse: bool) -> Observation:
    """Class ids or one-hot rows as binary labels, one per class, as predictions are."""
    y_pred, y_true = seen.y_pred, seen.y_true
    if sparse:
        y_true = one_hot(y_true, y_pred)

    def spread(x: Tensor | None) -> Tensor | None:
        return None if x is None else ops.broadcast_to(ops.expand_dims(x, -1), ops.shape(y_pred))

    return dataclasses.replace(
        seen, y_true=y_true, observed=spread(seen.observed), weight=spread(seen.weight)
    )
