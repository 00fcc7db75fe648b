"""Margins: of labels -1 and 1, for which 0 and 1 are taken, and of classes."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.crossentropy import valid_ids
from keras_masked.formulas.labels import CLASS_ID, SIGN, VECTOR, formula

Tensor = Any


@formula(SIGN, label_fill=1.0)
def hinge(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """max(delta - y p, 0)."""
    return ops.relu(delta - as_signs(y_true) * y_pred)


@formula(SIGN, label_fill=1.0)
def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """max(1 - y p, 0)^2."""
    return ops.square(ops.relu(1.0 - as_signs(y_true) * y_pred))


@formula(VECTOR)
def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """max(0, 1 + max_c (1 - y_c) p_c - sum_c y_c p_c).

    Not Keras's, which breaks PyTorch's compiled graph.
    """
    of_label = ops.sum(y_true * y_pred, axis=-1)
    of_others = _backend.amax((1.0 - y_true) * y_pred, axis=-1)
    return ops.relu(of_others - of_label + 1.0)


@formula(CLASS_ID)
def multiclass_hinge(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """max over j != y of max(0, p_j - p_y + delta); NaN for an id y outside the classes."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    ids = ops.expand_dims(ids, -1)
    of_label = ops.take_along_axis(y_pred, ids, axis=-1)
    is_label = ops.equal(ids, ops.arange(y_pred.shape[-1], dtype="int32"))
    margins = y_pred - of_label + delta
    # 0 for the label itself, which the maximum has anyway. A NaN there is one everywhere else.
    margins = ops.where(is_label, ops.zeros_like(margins), margins)
    losses = ops.relu(_backend.amax(margins, axis=-1))
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))


def as_signs(y_true: Tensor) -> Tensor:
    """Labels that are all 0 or 1 as -1 and 1, others as they are.

    As Keras does, but without its `cond`, which breaks PyTorch's compiled graph. It looks at all
    labels: hidden ones are filled with 1, which is a label of both kinds.
    """
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    binary = ops.cast(binary, y_true.dtype)
    return (1.0 + binary) * y_true - binary
