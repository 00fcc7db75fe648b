"""Formulas that judge a whole predicted distribution by one label."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.distributions import Distribution
from keras_masked.formulas.censored import ranges
from keras_masked.formulas.labels import WITH_ERRORS, formula
from keras_masked.formulas.likelihood import widened

Tensor = Any


@formula(WITH_ERRORS)
def continuous_ranked_probability_score(
    y_true: Tensor, y_pred: Tensor, distribution: Distribution, error: Tensor | None = None
) -> Tensor:
    """The integral of (F(x) - [x >= y])^2 over x."""
    return distribution.crps(y_true, widened(y_pred, distribution, error))


def probabilities(
    y_true: Tensor,
    y_pred: Tensor,
    distribution: Distribution,
    error: Tensor | None = None,
    upper: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """How probable less than the label was, and no more than it: the same but for counts.

    With upper ends, `y_true` are lower ones, and the second is of the upper ones.
    """
    y_pred = widened(y_pred, distribution, error)
    if upper is not None:
        return ranges(y_true, upper, y_pred, distribution)
    up_to = distribution.cdf(y_true, y_pred)
    if not distribution.discrete:
        return up_to, up_to
    none = y_true < 1
    less = distribution.cdf(ops.where(none, y_true, y_true - 1.0), y_pred)
    return ops.where(none, 0.0 * up_to, less), up_to
