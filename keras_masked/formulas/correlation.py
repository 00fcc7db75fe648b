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
    safe = ops.expand_dims(ops.where(ops.equal(weights, 0), ops.ones_like(weights), weights), -1)

    def shown(x: Tensor) -> Tensor:
        return x if hidden is None else _backend.zero_where(hidden, x)

    def weighted(x: Tensor) -> Tensor:
        return x if weight is None else x * weight

    def deviation(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # About an entry of the row, so that equal ones vary by exactly 0.
        origin = ops.expand_dims(nearest_zero(x, hidden, axis=-1), -1)
        x = shown(x - origin)
        mean = ops.sum(weighted(x), axis=-1, keepdims=True) / safe
        return shown(x - mean), origin[..., 0], mean[..., 0]

    y, origin_y, mean_y = deviation(y_true)
    p, origin_p, mean_p = deviation(y_pred)
    bias = origin_y - origin_p + (mean_y - mean_p)  # in this order: origins may be large
    yy, pp, yp = (ops.sum(weighted(each), axis=-1) for each in (y * y, p * p, y * p))
    return yy, pp, yp, safe[..., 0], bias, labels


def nearest_zero(x: Tensor, hidden: Tensor | None, axis: int) -> Tensor:
    """A shown entry: of equal ones theirs, of others the least, with the sign of their sum.

    A minimum takes a fraction of the time of an argument of one; and the least is no outlier.
    """
    shown = x if hidden is None else _backend.zero_where(hidden, x)
    size = ops.abs(x) if hidden is None else _backend.fill_where(hidden, ops.abs(x), HUGE)
    return ops.sign(ops.sum(shown, axis=axis)) * ops.amin(size, axis=axis)
