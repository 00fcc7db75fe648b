"""Of labels whose distributions are predicted, parameters stacked on the last axis."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.distributions import Distribution
from keras_masked.formulas.labels import WITH_ERRORS, formula

Tensor = Any


@formula(WITH_ERRORS)
def negative_log_likelihood(
    y_true: Tensor,
    y_pred: Tensor,
    distribution: Distribution,
    error: Tensor | None = None,
    full: bool = False,
) -> Tensor:
    """-log p(y), with the constant of the distribution or without."""
    y_pred = _widened(y_pred, distribution, error)
    loss = distribution.nll(y_true, y_pred)
    return loss + distribution.constant if full else loss


@formula(WITH_ERRORS)
def interval_covers(
    y_true: Tensor,
    y_pred: Tensor,
    distribution: Distribution,
    error: Tensor | None = None,
    level: float = 0.9,
) -> Tensor:
    """1 where the central interval of probability `level` holds the label; NaN where one is NaN."""
    y_pred = _widened(y_pred, distribution, error)
    low, high = (distribution.quantile(0.5 + 0.5 * s * level, y_pred) for s in (-1, 1))
    inside = ops.logical_and(y_true >= low, y_true <= high)
    unknown = ops.logical_or(ops.isnan(y_true), ops.logical_or(ops.isnan(low), ops.isnan(high)))
    inside = ops.cast(inside, y_true.dtype)
    return ops.where(unknown, ops.full_like(inside, float("nan")), inside)


@formula(WITH_ERRORS)
def standardized_residual(
    y_true: Tensor, y_pred: Tensor, distribution: Distribution, error: Tensor | None = None
) -> Tensor:
    """(y - mean) / standard deviation."""
    y_pred = _widened(y_pred, distribution, error)
    return distribution.standardize(y_true, y_pred)


def _widened(y_pred: Tensor, distribution: Distribution, error: Tensor | None) -> Tensor:
    distribution.check(y_pred)
    return y_pred if error is None else distribution.widen(y_pred, error)
