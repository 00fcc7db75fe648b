"""Formulas of predicted intervals: two ends on the last axis, or those of a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions import Distribution
from keras_masked.formulas.censored import ranges, share_below
from keras_masked.formulas.labels import WITH_ERRORS, formula
from keras_masked.formulas.likelihood import widened
from keras_masked.formulas.quantiles import check_last_axis, pinball_losses

Tensor = Any

ENDS = ("lower end", "upper end")


@formula(WITH_ERRORS)
def interval_score(
    y_true: Tensor,
    y_pred: Tensor,
    level: float = 0.9,
    distribution: Distribution | None = None,
    error: Tensor | None = None,
) -> Tensor:
    """Width of the interval, plus 2 / (1 - level) times the distance to a label outside of it.

    Computed as the pinball losses of both ends, which is the same without cancellation.
    """
    levels = ends(level)
    losses = pinball_losses(y_true, _quantiles(y_pred, levels, ENDS, distribution, error), levels)
    return ops.sum(losses, axis=-1) * (2.0 / (1.0 - level))


@formula(WITH_ERRORS)
def weighted_interval_score(
    y_true: Tensor,
    y_pred: Tensor,
    levels: Sequence[float],
    distribution: Distribution | None = None,
    error: Tensor | None = None,
) -> Tensor:
    """(|y - median| / 2 + sum_k (1 - c_k) / 2 IS_k) / (K + 1 / 2), of K levels c_k.

    Computed as twice the mean pinball loss of median and ends, which is the same.
    """
    probabilities = quantiles_of(levels)
    names = [f"the {each:g} quantile" for each in probabilities]
    quantiles = _quantiles(y_pred, probabilities, names, distribution, error)
    return 2.0 * _backend.mean(pinball_losses(y_true, quantiles, probabilities), axis=-1)


@formula(WITH_ERRORS, takes_ends=True)
def interval_covers(
    y_true: Tensor,
    y_pred: Tensor,
    level: float = 0.9,
    distribution: Distribution | None = None,
    error: Tensor | None = None,
    upper: Tensor | None = None,
) -> Tensor:
    """1 where the central interval of probability `level` holds the label; NaN where one is NaN.

    Of a label that is known to lie between two ends, how probable that is, given so much.
    """
    quantiles = _quantiles(y_pred, ends(level), ENDS, distribution, error)
    low, high = quantiles[..., 0], quantiles[..., 1]
    inside = ops.logical_and(y_true >= low, y_true <= high)
    unknown = ops.logical_or(ops.isnan(y_true), ops.logical_or(ops.isnan(low), ops.isnan(high)))
    inside = ops.cast(inside, y_true.dtype)
    inside = ops.where(unknown, ops.full_like(inside, float("nan")), inside)
    if upper is None or distribution is None:
        return inside
    less, up_to = ranges(y_true, upper, widened(y_pred, distribution, error), distribution)
    low_share, high_share = (share_below(each, less, up_to) for each in ends(level))
    return ops.where(y_true == upper, inside, high_share - low_share)


@formula(WITH_ERRORS)
def interval_width(
    y_true: Tensor,
    y_pred: Tensor,
    level: float = 0.9,
    distribution: Distribution | None = None,
    error: Tensor | None = None,
) -> Tensor:
    """Upper end less lower end."""
    quantiles = _quantiles(y_pred, ends(level), ENDS, distribution, error)
    return quantiles[..., 1] - quantiles[..., 0]


def ends(level: float) -> tuple[float, float]:
    """The probabilities of the ends of the central interval."""
    return 0.5 - 0.5 * level, 0.5 + 0.5 * level


def quantiles_of(levels: Sequence[float]) -> tuple[float, ...]:
    """The probabilities of the ends of central intervals, and of the median, increasing."""
    lower, upper = zip(*(ends(level) for level in levels), strict=True)
    return (*lower[::-1], 0.5, *upper)


def _quantiles(
    y_pred: Tensor,
    probabilities: Sequence[float],
    names: Sequence[str],
    distribution: Distribution | None,
    error: Tensor | None,
) -> Tensor:
    """The quantiles, on the last axis: as they are predicted, or those of a distribution."""
    if distribution is None:
        check_last_axis(y_pred, names)
        if error is not None:
            raise ValueError(
                "Intervals cannot take known errors of labels into account; a `distribution` can, "
                "if it has a method `widen`. Received: `y_true` with errors."
            )
        return y_pred
    y_pred = widened(y_pred, distribution, error)
    return ops.stack([distribution.quantile(q, y_pred) for q in probabilities], axis=-1)
