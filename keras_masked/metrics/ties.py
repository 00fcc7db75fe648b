"""What comes before, and at, each of several ordered values of which some are equal."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


def with_ties(weights: Tensor, *ordered: Tensor) -> tuple[Tensor, Tensor]:
    """The weight of all values up to each one, its equals included, and that of its equals.

    Args:
        weights: Weights of values.
        *ordered: Values in order along the first of two axes; equal are those that are in all.
    """
    size, columns = weights.shape
    if not size or not columns:
        return weights, weights
    new = ops.zeros_like(weights[1:], dtype="bool")
    for values in ordered:
        new = ops.logical_or(new, ops.not_equal(values[1:], values[:-1]))
    first = ops.zeros((1, columns), dtype="int32")
    groups = _backend.cumsum(ops.concatenate([first, ops.cast(new, "int32")]), axis=0)
    at = ops.reshape(groups * columns + ops.arange(columns, dtype="int32"), (-1,))
    sums = _backend.segment_sum(ops.reshape(weights, (-1,)), at, num_segments=size * columns)
    sums = ops.reshape(sums, (size, columns))
    up_to = _backend.cumsum(sums, axis=0)
    return ops.take_along_axis(up_to, groups, axis=0), ops.take_along_axis(sums, groups, axis=0)
