"""Medians: of rows of values, of values with weights, and the bins that stand for values."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


NORMAL = 1.4826
"""What makes the median of |x| the standard deviation where x is normal: 1 / Phi^-1(3/4)."""


INFINITE = 0x7F80
"""The upper 16 bits of infinity in float32, and so the bin of its magnitude."""


BINS = 0x8000
"""How many bins magnitudes have. The last is that of NaN; of signed values there are as many more,
in front."""


TIE = 2.0**-20
"""So close to half of the whole weight is half: sums of weights are rounded. A label more or less
is not, up to 2^24 labels of equal weight."""


def row_median(values: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The median of what is not hidden along the last axis, 0 for none, and whether there is any.

    NaN where one of these values is. Without `hidden`, there is something in every row.
    """
    if hidden is None:
        hidden = ops.zeros_like(values, dtype="bool")
        return _row_median(values, hidden)[0], None
    return _row_median(values, hidden)


def _row_median(values: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    shown = ops.logical_not(hidden)
    count = ops.sum(ops.cast(shown, "int32"), axis=-1, keepdims=True)
    # Behind all others, or among infinities, which are the same.
    ordered = ops.sort(ops.where(hidden, ops.full_like(values, float("inf")), values), axis=-1)
    lower = _backend.maximum(ops.floor_divide(count - 1, 2), ops.zeros_like(count))
    lower, upper = (
        ops.take_along_axis(ordered, ops.cast(at, "int32"), axis=-1)[..., 0]
        for at in (lower, ops.floor_divide(count, 2))
    )
    unknown = ops.any(ops.logical_and(_backend.isnan(values), shown), axis=-1)
    median = ops.where(unknown, ops.full_like(lower, float("nan")), middle(lower, upper))
    some = ops.greater(count[..., 0], 0)
    return ops.where(some, median, ops.zeros_like(median)), some


def weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    """The median along the first axis, in which values with weights increase.

    The least value that has half of the weight up to it; with exactly half, the mean of it and
    the next. Anything where there is no weight, NaN where a value with weight is NaN.
    """
    lower, upper = weighted_quantile(values, weights, 0.5)
    counted = ops.greater(weights, 0)
    diverged = ops.any(ops.logical_and(_backend.isnan(values), counted), axis=0)
    unknown = ops.logical_or(diverged, _backend.isnan(ops.sum(weights, axis=0)))
    return ops.where(unknown, ops.full_like(lower, float("nan")), middle(lower, upper))


def weighted_quantile(values: Tensor, weights: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The least value that has a share of the weight up to it, and the least that has more.

    They differ where a value has that share exactly.
    """
    counted = ops.greater(weights, 0)
    reached = _backend.cumsum(weights, axis=0)
    whole = reached[-1]
    # At most a quarter of the least weight, which is no rounding error.
    least = _backend.amin(ops.where(counted, weights, whole), axis=0)
    error = _backend.minimum(whole * TIE, least / 4)
    lower = _least(values, ops.logical_and(counted, reached >= share * whole - error))
    return lower, _least(values, ops.logical_and(counted, reached > share * whole + error))


def _least(values: Tensor, where: Tensor) -> Tensor:
    return _backend.amin(ops.where(where, values, ops.full_like(values, float("inf"))), axis=0)


def middle(lower: Tensor, upper: Tensor) -> Tensor:
    """The mean of two values, which may be infinite."""
    return ops.where(ops.equal(lower, upper), lower, lower / 2 + upper / 2)


def bins_of(values: Tensor, signed: bool) -> Tensor:
    """The bin of each value: of the next one in bfloat16, of which there are as many as bins."""
    # With one more axis, of known size: TensorFlow's `view` wants to know that of the last one.
    bits = ops.view(ops.expand_dims(ops.cast(values, "float32"), axis=-1), "int32")[..., 0]
    negative = bits < 0  # the sign bit: XLA takes subnormal values for 0
    bits = ops.bitwise_and(bits, ops.full_like(bits, 0x7FFFFFFF))
    magnitude = ops.right_shift(bits + 0x8000, 16)
    # Nothing finite is rounded to infinity.
    magnitude = _backend.minimum(magnitude, ops.full_like(magnitude, INFINITE - 1))
    infinity = INFINITE << 16
    magnitude = ops.where(bits >= infinity, ops.full_like(bits, INFINITE), magnitude)
    if signed:
        magnitude = BINS + ops.where(negative, -magnitude, magnitude)
    last = (2 * BINS if signed else BINS) - 1
    return ops.where(bits > infinity, ops.full_like(bits, last), magnitude)


def values_of_bins(signed: bool) -> Tensor:
    """The value that each bin stands for."""
    bins = ops.arange(-BINS if signed else 0, BINS, dtype="int32")
    magnitudes = ops.view(ops.left_shift(ops.abs(bins), 16), "float32")
    return ops.where(bins < 0, -magnitudes, magnitudes)
