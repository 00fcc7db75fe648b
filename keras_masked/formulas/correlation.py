"""Correlation coefficients, from sums of products of deviations from the means."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

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


def row_moments(
    y_true: Tensor, y_pred: Tensor, hidden: Tensor | None, weight: Tensor | None
) -> tuple[Tensor, ...]:
    """What a coefficient takes, of each row.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        hidden: Where there is none, or `None`.
        weight: Weights, 0 where hidden, or `None`.
    """
    counts = ops.ones_like(y_true)
    if hidden is not None:
        counts = ops.cast(ops.logical_not(hidden), y_true.dtype)
    labels = ops.sum(counts, axis=-1)
    weights = labels if weight is None else ops.sum(weight, axis=-1)
    safe = ops.where(ops.equal(weights, 0), ops.ones_like(weights), weights)

    def shown(x: Tensor) -> Tensor:
        return x if hidden is None else _backend.zero_where(hidden, x)

    def weighted(x: Tensor) -> Tensor:
        return x if weight is None else x * weight

    centers = [center(x, hidden, labels, axis=-1) for x in (y_true, y_pred)]
    y, p = shown(y_true - centers[0]), shown(y_pred - centers[1])
    sum_y, sum_p = ops.sum(weighted(y), axis=-1), ops.sum(weighted(p), axis=-1)
    yy, pp, yp = (ops.sum(weighted(each), axis=-1) for each in (y * y, p * p, y * p))
    # The difference of the centers first: both may be large.
    bias = (centers[0] - centers[1])[..., 0] + (sum_y - sum_p) / safe
    yy, pp = yy - sum_y * sum_y / safe, pp - sum_p * sum_p / safe
    return yy, pp, yp - sum_y * sum_p / safe, safe, bias, labels


def center(x: Tensor, hidden: Tensor | None, labels: Tensor, axis: int) -> Tensor:
    """The mean of the shown entries, and of equal ones exactly theirs: they must vary by 0.

    A mean of equal numbers can be off by a rounding or two. The mean of what is left then is that
    error, to the last digit that counts.

    Args:
        x: Entries.
        hidden: Which are not shown, or `None`.
        labels: How many are.
        axis: The axis of the mean, which is kept.
    """

    def mean(x: Tensor) -> Tensor:
        x = x if hidden is None else _backend.zero_where(hidden, x)
        return ops.sum(x, axis=axis, keepdims=True) / number

    number = ops.expand_dims(_backend.maximum(labels, ops.ones_like(labels)), axis)
    first = mean(x)
    return first + mean(x - first)
