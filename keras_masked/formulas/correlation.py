"""Correlation coefficients, from sums of products of deviations from the means."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


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
    counts = ops.not_equal(weight, 0)
    first = ops.argmax(ops.cast(counts, "int32"), axis=-1, keepdims=True)
    sums = ops.sum(weight, axis=-1, keepdims=True)
    sums = ops.where(ops.equal(sums, 0), ops.ones_like(sums), sums)

    def deviation(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = ops.where(counts, x, ops.zeros_like(x))
        origin = ops.take_along_axis(x, first, axis=-1)  # so that equal labels vary by 0
        x = ops.where(counts, x - origin, ops.zeros_like(x))
        mean = ops.sum(weight * x, axis=-1, keepdims=True) / sums
        return ops.where(counts, x - mean, ops.zeros_like(x)), origin[..., 0], mean[..., 0]

    y, origin_y, mean_y = deviation(y_true)
    p, origin_p, mean_p = deviation(y_pred)
    bias = origin_y - origin_p + (mean_y - mean_p)  # in this order: origins may be large
    yy, pp, yp = (ops.sum(weight * a * b, axis=-1) for a, b in ((y, y), (p, p), (y, p)))
    labels = ops.sum(ops.cast(counts, weight.dtype), axis=-1)
    return yy, pp, yp, sums[..., 0], bias, labels
