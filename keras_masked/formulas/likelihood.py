"""Of labels whose distributions are predicted, parameters stacked on the last axis."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.distributions import Distribution
from keras_masked.formulas.censored import negative_log_probability, standardized
from keras_masked.formulas.labels import WITH_ERRORS, formula

Tensor = Any


@formula(WITH_ERRORS, takes_ends=True)
def negative_log_likelihood(
    y_true: Tensor,
    y_pred: Tensor,
    distribution: Distribution,
    error: Tensor | None = None,
    full: bool = False,
    beta: float = 0.0,
    upper: Tensor | None = None,
) -> Tensor:
    """-log p(y), with the constant of the distribution or without, times a power of variances.

    With upper ends, `y_true` are lower ones, and p the probability of what is between.
    """
    y_pred = widened(y_pred, distribution, error)
    if upper is None:
        loss = distribution.nll(y_true, y_pred)
        loss = loss + distribution.constant if full else loss
    else:
        loss = negative_log_probability(y_true, upper, y_pred, distribution, full)
    if beta:
        loss = loss * ops.stop_gradient(distribution.variance(y_pred) ** beta)
    return loss


@formula(WITH_ERRORS)
def standardized_residual(
    y_true: Tensor, y_pred: Tensor, distribution: Distribution, error: Tensor | None = None
) -> Tensor:
    """(y - mean) / standard deviation."""
    y_pred = widened(y_pred, distribution, error)
    return distribution.standardize(y_true, y_pred)


def standardized_between(
    lower: Tensor,
    upper: Tensor,
    y_pred: Tensor,
    distribution: Distribution,
    error: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Mean and variance of (y - mean) / standard deviation between two ends."""
    return standardized(lower, upper, widened(y_pred, distribution, error), distribution)


def widened(y_pred: Tensor, distribution: Distribution, error: Tensor | None) -> Tensor:
    """Parameters of the labels as they are observed, with errors where these are known."""
    distribution.check(y_pred)
    return y_pred if error is None else distribution.widen(y_pred, error)
