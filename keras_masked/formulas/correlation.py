"""Correlation coefficients, from sums of products of deviations from the means."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any

HUGE = 3e38
"""Above all entries, and finite in float32: an infinity times 0 is not a number."""


def pearson(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Pearson's coefficient, and where it is defined.

    Args:
        yy: Sums of squared deviations of the labels from their mean.
        pp: Those of the predictions.
        yp: Sums of products of both deviations.
        weight: Sums of weights.
        bias: Differences of the means.
        labels: Numbers of labels.
    """
    # Two roots: the product of two variances overflows sooner.
    scale = ops.sqrt(yy) * ops.sqrt(pp)
    defined = ops.not_equal(yy, 0)
    return yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def concordance(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Lin's coefficient, and where it is defined; arguments as for `pearson`."""
    scale = yy + pp + weight * ops.square(bias)
    defined = ops.logical_and(ops.greater(labels, 1), ops.not_equal(scale, 0))
    return 2 * yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def row_moments(y_true: Tensor, y_pred: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    """What a coefficient takes, of each row; entries of weight 0 are absent."""
    hidden = ops.equal(weight, 0)
    counts = ops.cast(ops.logical_not(hidden), weight.dtype)
    sums = ops.sum(weight, axis=-1, keepdims=True)
    sums = ops.where(ops.equal(sums, 0), ops.ones_like(sums), sums)

    def deviation(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # About an entry of the row, so that equal ones vary by exactly 0.
        shown = _backend.zero_where(hidden, x)
        origin = ops.expand_dims(nearest_zero(shown, counts, axis=-1), -1)
        x = _backend.zero_where(hidden, x - origin)
        mean = ops.sum(weight * x, axis=-1, keepdims=True) / sums
        return _backend.zero_where(hidden, x - mean), origin[..., 0], mean[..., 0]

    y, origin_y, mean_y = deviation(y_true)
    p, origin_p, mean_p = deviation(y_pred)
    bias = origin_y - origin_p + (mean_y - mean_p)  # in this order: origins may be large
    weighted = weight * y
    sums_of_products = (weighted * y, weight * p * p, weighted * p)
    yy, pp, yp = (ops.sum(each, axis=-1) for each in sums_of_products)
    return yy, pp, yp, sums[..., 0], bias, ops.sum(counts, axis=-1)


def nearest_zero(shown: Tensor, counts: Tensor, axis: int) -> Tensor:
    """One of the entries that count: of equal ones theirs, of others one that is no outlier.

    Args:
        shown: Entries, 0 where they do not count.
        counts: 1 where they do, else 0.
        axis: The axis along which one is picked.
    """
    # An argument of the minimum, or of the first, takes several times longer.
    smallest = ops.amin(ops.abs(shown) + (1.0 - counts) * HUGE, axis=axis)
    return ops.sign(ops.sum(shown, axis=axis)) * smallest
