"""Formulas of ensembles: several predictions for each label, on the last axis."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import PARAMETERS, Labels, formula

Tensor = Any


@formula(PARAMETERS)
def ensemble_crps(
    y_true: Tensor, y_pred: Tensor, fair: bool = False, missing_members: bool = False
) -> Tensor:
    """Mean distance of members from the label, less half that of members from each other.

    Of the members in their order, the i-th of m (from 0) at a distance d from the label, this is
    the sum of 2 d (i + 1/2) / m^2 below the label, and of 2 d (m - i - 1/2) / m^2 above it; fair,
    of 2 d i / (m (m - 1)) and 2 d (m - 1 - i) / (m (m - 1)). No term is negative, so that nothing
    cancels, and sorting is all that takes more than one pass.
    """
    _check_members(y_pred, fair)
    count = ops.full_like(y_pred[..., :1], ops.shape(y_pred)[-1])
    if missing_members:
        known = ops.logical_not(_backend.isnan(y_pred))
        count = ops.sum(ops.cast(known, y_pred.dtype), axis=-1, keepdims=True)
        y_pred = ops.where(known, y_pred, ops.full_like(y_pred, float("inf")))  # to the end
    error = ops.sort(y_pred, axis=-1) - ops.expand_dims(y_true, axis=-1)
    place = ops.arange(ops.shape(y_pred)[-1], dtype=y_pred.dtype)
    if missing_members:
        error = ops.where(place < count, error, ops.zeros_like(error))
    shift = 0.0 if fair else 0.5
    # The member itself is one of those that a fair score does not compare it with.
    pairs = count * (count - 1.0) if fair else count * count
    further = ops.where(error < 0, place + shift, count - (1.0 - shift) - place)
    loss = 2.0 * ops.sum(_backend.absolute(error) * further, axis=-1)
    pairs = pairs[..., 0]
    # Of no member, or of one that would have to be compared with others, nothing is known.
    none = ops.equal(pairs, 0)
    loss = loss / ops.where(none, ops.ones_like(pairs), pairs)
    return ops.where(none, ops.full_like(loss, float("nan")), loss)


@formula(Labels(axes=2, stacked=True, pairwise=True))
def energy_score(y_true: Tensor, y_pred: Tensor, fair: bool = False) -> Tensor:
    """Mean distance of members from the vector of labels, less half that from each other."""
    _check_members(y_pred, fair)
    from_label = y_pred - ops.expand_dims(y_true, axis=-1)
    apart = ops.expand_dims(y_pred, axis=-1) - ops.expand_dims(y_pred, axis=-2)
    count = ops.cast(ops.shape(y_pred)[-1], y_pred.dtype)
    pairs = count * (count - 1.0) if fair else count * count
    spread = ops.sum(_length(apart, axis=-3), axis=(-2, -1)) / pairs
    return _backend.mean(_length(from_label, axis=-2), axis=-1) - 0.5 * spread


def _length(x: Tensor, axis: int) -> Tensor:
    """Lengths of vectors, whose slope is 0 at 0 rather than infinite."""
    square = ops.sum(ops.square(x), axis=axis)
    zero = ops.equal(square, 0)
    root = ops.sqrt(ops.where(zero, ops.ones_like(square), square))
    return ops.where(zero, ops.zeros_like(square), root)


def _check_members(y_pred: Tensor, fair: bool) -> None:
    members = y_pred.shape[-1]
    if fair and members is not None and members < 2:
        raise ValueError(
            "The fair score needs two members or more on the last axis of `y_pred`. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}"
        )
