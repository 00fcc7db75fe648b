"""Order: what comes before, and at, each of several values of which some are equal."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


def groups_of(*ordered: Tensor) -> Tensor:
    """Numbers of groups of equal values, from 0 in each column.

    Args:
        *ordered: Values in order along the first of two axes; equal are those that are in all.
    """
    new = ops.zeros_like(ordered[0][1:], dtype="bool")
    for values in ordered:
        new = ops.logical_or(new, ops.not_equal(values[1:], values[:-1]))
    first = ops.zeros_like(ordered[0][:1], dtype="int32")
    return _backend.cumsum(ops.concatenate([first, ops.cast(new, "int32")]), axis=0)


def sums_of(groups: Tensor, weights: Tensor) -> Tensor:
    """The weight of each group, of which the first of each column come first."""
    size, columns = ops.shape(weights)
    at = ops.reshape(groups * columns + ops.arange(columns, dtype="int32"), (-1,))
    sums = _backend.segment_sum(ops.reshape(weights, (-1,)), at, num_segments=size * columns)
    return ops.reshape(sums, (size, columns))


def with_ties(weights: Tensor, *ordered: Tensor) -> tuple[Tensor, Tensor]:
    """The weight of all values up to each one, its equals included, and that of its equals.

    Args:
        weights: Weights of values.
        *ordered: Values in order along the first of two axes; equal are those that are in all.
    """
    if 0 in tuple(weights.shape):
        return weights, weights
    groups = groups_of(*ordered)
    sums = sums_of(groups, weights)
    up_to = _backend.cumsum(sums, axis=0)
    return ops.take_along_axis(up_to, groups, axis=0), ops.take_along_axis(sums, groups, axis=0)


def last_of(groups: Tensor) -> Tensor:
    """Where the last value of each one's group stands."""
    ones = ops.ones_like(groups)
    up_to = _backend.cumsum(sums_of(groups, ones), axis=0)
    return ops.take_along_axis(up_to, groups, axis=0) - 1


def by(keys: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Columns in the order of the first, of which equal ones stay in their order."""
    order = ops.argsort(keys, axis=0)
    return tuple(ops.take_along_axis(x, order, axis=0) for x in (keys, *others))


def smaller_after(values: Tensor, weights: Tensor) -> Tensor:
    """The weight of what comes after each value in its column and is less.

    By merging: halves that are in order are put in order together, again and again.
    """
    size, columns = values.shape
    if not size or not columns:
        return weights
    length = 1
    more = (1 << max(size - 1, 0).bit_length()) - size
    values, weights = (ops.pad(x, ((0, more), (0, 0))) for x in (values, weights))
    places = ops.arange(size + more, dtype="int32")[:, None] + ops.zeros_like(values, dtype="int32")
    found = ops.zeros_like(weights)
    while length < size:
        shape = (-1, 2 * length, columns)
        values, weights, places, found = (
            ops.reshape(x, shape) for x in (values, weights, places, found)
        )
        order = ops.argsort(values, axis=1)
        values, weights, places, found = (
            ops.take_along_axis(x, order, axis=1) for x in (values, weights, places, found)
        )
        first = ops.cast(order < length, weights.dtype)
        found = found + first * _backend.cumsum((1.0 - first) * weights, axis=1)
        length *= 2
    places, found = (ops.reshape(x, (-1, columns)) for x in (places, found))
    return ops.take_along_axis(found, ops.argsort(places, axis=0), axis=0)[:size]
