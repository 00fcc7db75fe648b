"""Labels of which is known that they lie between two ends, of which one may be infinite."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions import Distribution

Tensor = Any


def nearest(lower: Tensor, upper: Tensor, y_pred: Tensor) -> Tensor:
    """Of the values that each label can have, that nearest to the prediction.

    Between the ends it is the prediction itself, of which the residual is 0, as are all of its
    derivatives. One of several predictions for a label, on a last axis, if there is one more axis.
    """
    if len(y_pred.shape) > len(lower.shape):
        lower, upper = ops.expand_dims(lower, -1), ops.expand_dims(upper, -1)
    inside = ops.logical_and(y_pred > lower, y_pred < upper)
    # A prediction of NaN is on neither side, and stays visible beside an end.
    return ops.where(inside, y_pred, ops.where(y_pred >= upper, upper, lower))


NARROW = 2.0**-6
"""Differences of log-probabilities below about this are of the order of rounding errors."""
NODE = 0.5 - 0.5 / math.sqrt(3.0)
"""Where between two ends Gauss and Legendre evaluate, and as far from the other end."""


class Ends:
    """What is known of labels, and two numbers for each at which a distribution may be evaluated.

    Attributes:
        low: The lower end; where there is none, the upper one.
        high: The upper end; where there is none, the lower one.
        exact: Where both are the label.
        left: Where only the upper one is known.
        right: Where only the lower one is known.
        inside: Where both are known.
        nothing: Where neither is, but that a label can have any value.
    """

    def __init__(self, lower: Tensor, upper: Tensor, distribution: Distribution) -> None:
        self.exact = lower == upper
        left, right = lower == -math.inf, upper == math.inf
        if (support := distribution.support) is not None:
            left = left | ((lower <= support.low) & ~support.holds(lower))
            right = right | ((upper >= support.high) & ~support.holds(upper))
        either = ~self.exact
        self.nothing = nothing = left & right & either  # but that a label can have any value
        self.left, self.right = left & ~right & either, right & ~left & either
        self.inside = either & ~left & ~right
        any_value = 0.5 * ops.ones_like(lower)
        self.low = ops.where(nothing, any_value, ops.where(self.left, upper, lower))
        self.high = ops.where(nothing, any_value, ops.where(self.right, lower, upper))
        if distribution.discrete:
            self.low, self.high = _backend.floor(self.low), _backend.floor(self.high)


def where_needed(function: Any, y: Tensor, parameters: Tensor, needed: Tensor) -> Tensor:
    """A function of labels and parameters, and elsewhere 0, whatever its slopes are there."""

    def rest() -> Tensor:
        return ops.logical_not(needed)

    y = _backend.stop_gradient_where(rest, y)
    parameters = _backend.stop_gradient_where(lambda: ops.expand_dims(rest(), -1), parameters)
    return ops.where(needed, function(y, parameters), ops.zeros_like(y))


def negative_log_probability(
    lower: Tensor, upper: Tensor, parameters: Tensor, distribution: Distribution, full: bool
) -> Tensor:
    """-log f of exact values, and of others -log P(lower < y <= upper).

    The probability of an interval is the difference of distribution functions, or of survivals
    where it lies in the upper half: never one of numbers near 1. Where it is of the order of
    rounding errors it is width times density, the mean of two in between.
    """
    ends = Ends(lower, upper, distribution)
    low, high, inside = ends.low, ends.high, ends.inside

    def of(function: Any, y: Tensor, needed: Tensor) -> Tensor:
        return where_needed(function, y, parameters, needed)

    fixed = ops.stop_gradient(parameters)
    upper_half = distribution.log_cdf(ops.stop_gradient(low), fixed) > -math.log(2.0)
    below, above = inside & ~upper_half, inside & upper_half
    log_cdf, log_survival = distribution.log_cdf, distribution.log_survival
    more = of(log_cdf, high, ends.left | below) + of(log_survival, low, ends.right | above)
    less = of(log_cdf, low, below) + of(log_survival, high, above)
    difference = _backend.minimum(more - less, 100.0 * ops.ones_like(low))
    point = ends.exact
    if not distribution.discrete:
        least = NARROW * ops.sqrt(1.0 - ops.stop_gradient(more))
        # Not less than: of two that are -inf, nothing is resolved either.
        point = point | (inside & ~(difference >= least))
    wide = inside & ~point
    ones, zeros = ops.ones_like(low), ops.zeros_like(low)
    share = ops.where(wide, _backend.log1mexp(-ops.where(wide, difference, ones)), zeros)
    width = high - low
    first = of(distribution.nll, low + NODE * width, point)
    second = of(distribution.nll, high - NODE * width, point)
    excess = ops.where(first == second, zeros, first - second)
    nll = first - ops.log(0.5 + 0.5 * ops.exp(excess))
    nll = nll - ops.log(ops.where(point & ~ends.exact, width, ones))
    if distribution.constant:
        absolute = zeros + 1.0 if full else ops.where(ends.exact, zeros, ones)
        nll = nll + distribution.constant * absolute
    return ops.where(point, nll, -more - share)


def ranges(
    lower: Tensor, upper: Tensor, parameters: Tensor, distribution: Distribution
) -> tuple[Tensor, Tensor]:
    """How probable no more than each end was; of exact counts, less than it and no more."""
    ends = Ends(lower, upper, distribution)
    low, high = ends.low, ends.high
    zeros = ops.zeros_like(low)
    if distribution.discrete:
        none = ends.exact & (low < 1)
        low = ops.where(ends.exact & ~none, low - 1.0, low)
        ends.left = ends.left | none
    less = ops.where(ends.left | ends.nothing, zeros, distribution.cdf(low, parameters))
    up_to = distribution.cdf(high, parameters)
    return less, ops.where(ends.right | ends.nothing, zeros + 1.0, up_to)


def share_below(level: float, less: Tensor, up_to: Tensor) -> Tensor:
    """How much of a label's part of the range of probabilities lies below a level."""
    size = up_to - less
    point = size <= 0
    share = (level - less) / ops.where(point, ops.ones_like(size), size)
    whole = ops.cast(less < level, less.dtype)
    return ops.where(point, whole, _backend.clip(share, 0.0, 1.0))


FARTHEST = 1e-36
"""Ends are taken for no less probable: for 12.5 standard deviations."""


def standardized(
    lower: Tensor, upper: Tensor, parameters: Tensor, distribution: Distribution
) -> tuple[Tensor, Tensor]:
    """Mean and variance of (y - mean) / standard deviation, given that y is between two ends.

    As if normal, by the probabilities of the ends: where the distribution is right, so is the
    variance, 1 over all labels. Of exact values there is no variance.
    """
    ends = Ends(lower, upper, distribution)
    fewest = FARTHEST * ops.ones_like(lower)

    def score(y: Tensor) -> tuple[Tensor, Tensor]:
        tails = distribution.log_cdf(y, parameters), distribution.log_survival(y, parameters)
        below, above = (_backend.maximum(ops.exp(tail), fewest) for tail in tails)
        half = 0.5 * ops.ones_like(below)
        up = below > half
        z = _backend.ndtri(_backend.minimum(ops.where(up, above, below), half))
        z = ops.where(up, -z, z)
        return z, ops.exp(-0.5 * ops.square(z)) / math.sqrt(2.0 * math.pi)

    (a, at_a), (b, at_b) = score(ends.low), score(ends.high)
    far = 12.5 * ops.ones_like(a)
    none = ops.zeros_like(a)
    open_left, open_right = ends.left | ends.nothing, ends.right | ends.nothing
    a, at_a = ops.where(open_left, -far, a), ops.where(open_left, none, at_a)
    b, at_b = ops.where(open_right, far, b), ops.where(open_right, none, at_b)
    up = a > 0
    from_a, from_b = (
        _backend.log_ndtr(ops.where(up, -b, a)),
        _backend.log_ndtr(ops.where(up, -a, b)),
    )
    mass = ops.exp(from_b) - ops.exp(from_a)
    narrow = (b - a < 0.02) | (mass < 1e-37)
    mass = ops.where(narrow, ops.ones_like(mass), mass)
    mean = ops.where(narrow, 0.5 * (a + b), (at_a - at_b) / mass)
    variance = 1.0 + (a * at_a - b * at_b) / mass - ops.square(mean)
    variance = ops.where(narrow, ops.square(b - a) / 12.0, _backend.clip(variance, 0.0, 1.0))
    exact = ends.exact
    mean = ops.where(exact, distribution.standardize(lower, parameters), mean)
    return mean, ops.where(exact, none, variance)
