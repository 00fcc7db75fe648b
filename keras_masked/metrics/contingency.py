"""How often each class is predicted as which: a contingency table of what is observed."""

from __future__ import annotations

import math
from typing import Any

from keras import backend, ops

from keras_masked import _backend
from keras_masked.metrics.base import known
from keras_masked.metrics.columns import in_columns, tallies
from keras_masked.observation import Observation

Tensor = Any


def binary_table(
    positive: Tensor, predicted: Tensor, unknown: Tensor, seen: Observation, per_column: bool
) -> Tensor:
    """The weights of the observed labels, summed by label and prediction: `(2, 2)`, or of columns.

    Sums, of which one pass makes several: a scatter would be slower.

    Args:
        positive: Whether each label is positive, observed or not.
        predicted: Whether it is predicted to be.
        unknown: Whether one of both is NaN: the sums then are, if that label is observed.
        seen: What is observed.
        per_column: Whether to keep columns apart, on one more axis.
    """
    kinds = [positive, predicted, ops.logical_and(positive, predicted)]
    sums = tallies([None, *kinds], seen, unknown, per_column)
    labels, positives, said, right, diverged = sums
    wrong = said - right
    counts = ops.stack([labels - positives - wrong, wrong, positives - right, right])
    counts = known(counts, ops.equal(diverged, 0))
    return ops.reshape(counts, (2, 2, *right.shape))


def contingency_table(
    seen: Observation, classes: int, predicted: int, per_column: bool = False
) -> Tensor:
    """The weights of the observed labels, summed by label and prediction: `(classes, predicted)`.

    NaN where an id that counts is none of these.

    Args:
        seen: Ids of classes, observed or not, and those predicted.
        classes: Number of classes.
        predicted: Number of ids that can be predicted.
        per_column: Whether to keep columns apart, on one more axis.
    """
    weight = seen.weights
    true, valid = _ids(seen.y_true, classes)
    pred, also_valid = _ids(seen.y_pred, predicted)
    invalid = ops.logical_not(ops.logical_and(valid, also_valid))
    invalid = ops.logical_and(invalid, ops.not_equal(weight, 0))
    weight = ops.where(invalid, ops.full_like(weight, float("nan")), weight)
    shape: tuple[int, ...] = (classes, predicted)
    cells = true * predicted + pred
    if per_column:
        cells, weight = in_columns(cells), in_columns(weight)
        columns = cells.shape[-1]
        cells = cells * columns + ops.arange(columns, dtype="int32")
        shape = (*shape, columns)
    sums = _backend.segment_sum(
        ops.reshape(weight, (-1,)), ops.reshape(cells, (-1,)), num_segments=math.prod(shape)
    )
    return ops.reshape(sums, shape)


def greatest(scores: Tensor, axis: int = -1) -> Tensor:
    """The id of the greatest score, NaN next to a NaN: nobody knows the greatest then."""
    if not backend.is_float_dtype(backend.standardize_dtype(scores.dtype)):
        scores = ops.cast(scores, "float32")
    ids = ops.cast(_backend.argmax(scores, axis=axis), "float32")
    unknown = ops.any(ops.isnan(scores), axis=axis)
    return ops.where(unknown, ops.full_like(ids, float("nan")), ids)


def _ids(ids: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Integer ids, 0 where outside the classes, and where they are not."""
    valid = ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, classes))
    whole = ops.cast(ops.where(valid, ids, ops.zeros_like(ids)), "int32")
    return whole, ops.logical_and(valid, ops.equal(ops.cast(whole, ids.dtype), ids))  # not 1.5
