"""Quantiles without a closed form, by search for the root of the distribution function.

The search has a fixed number of steps and no gradient; one step of Newton's from its end is exact
in the parameters' slopes, by the theorem of implicit functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any
FLAT = 75.0
"""Logits beyond which the smaller part is 0 to rounding."""
Excess = Callable[[Tensor], tuple[Tensor, Tensor]]


def search(excess: Excess, start: Tensor, low: Tensor, high: Tensor, steps: int) -> Tensor:
    """The root of an increasing function in a bracket: Newton's steps, or halves of the bracket.

    Args:
        excess: Returns value and slope.
        start: Where to begin.
        low: Where the value is below 0, or nearly.
        high: Where it is above 0.
        steps: How many steps.
    """
    start, low, high = (ops.stop_gradient(each) for each in (start, low, high))
    start = ops.where((start > low) & (start < high), start, 0.5 * (low + high))

    def step(x: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        value, slope = (ops.stop_gradient(each) for each in excess(x))
        low = ops.where(value < 0, x, low)
        high = ops.where(value < 0, high, x)
        newton = x - value / ops.where(slope > 0, slope, ops.ones_like(slope))
        # An end itself is inside: a step of 0 from a root that was met must not leave it.
        inside = (newton >= low) & (newton <= high) & (slope > 0)
        return ops.where(inside, newton, 0.5 * (low + high)), low, high

    whole = ops.zeros_like(start)
    x, _, _ = _backend.repeat(step, steps, (start, low + whole, high + whole))
    value, slope = excess(x)
    slope = ops.stop_gradient(slope)
    known = (slope > 0) & (ops.stop_gradient(_backend.absolute(value)) < 1.0)
    return x - ops.where(known, value / ops.where(known, slope, ops.ones_like(slope)), 0.0 * x)


def log_odds(tails: tuple[Tensor, Tensor], log_density: Tensor, target: Tensor) -> Any:
    """The logit of a distribution function less its target, and its slope."""
    log_cdf, log_survival = (_backend.maximum(tail, -1e30 * ops.ones_like(tail)) for tail in tails)
    slope = ops.exp(_backend.minimum(log_density - log_cdf - log_survival, 80.0 + 0.0 * log_cdf))
    return log_cdf - log_survival - target, slope


def logit(probability: Tensor) -> Tensor:
    """log(p / (1 - p))."""
    return ops.log(probability) - ops.log1p(-probability)


def log_gamma_ratio(probability: Tensor, shape: Tensor) -> Tensor:
    """The logarithm of the quantile of a gamma distribution of mean 1."""
    probability = probability + ops.zeros_like(shape)
    target = logit(probability)
    # P(k, x) is at most x^k / Gamma(k + 1); Q(k, x) at most exp(-k (e^d - 1 - d)), d = log(x / k).
    low = (ops.log(probability) + _backend.lgamma(shape + 1.0)) / shape - ops.log(shape)
    cut = -ops.log1p(-probability) / shape
    high = ops.log1p(cut + ops.sqrt(2.0 * cut)) + 1e-6
    low = _backend.minimum(low - 1e-6 * (1.0 + _backend.absolute(low)), high - 1e-6)
    guess = 1.0 - 1.0 / (9.0 * shape) + _backend.ndtri(probability) / (3.0 * ops.sqrt(shape))
    start = 3.0 * ops.log(ops.where(guess > 0.1, guess, 0.1 * ops.ones_like(guess)))
    start = ops.where(guess > 0.1, start, low + 1e-6)
    # Far out on the left the bound is the quantile itself, to rounding, and slopes are its own.
    far = low < -80.0
    near = ops.where(far, ops.ones_like(shape), shape)

    def excess(x: Tensor) -> Any:
        ratio = ops.exp(_backend.maximum(x, -85.0 * ops.ones_like(x)))
        tails = _backend.log_gamma_tails(near, ratio)
        return log_odds(tails, _backend.log_gamma_density(near, ratio), target)

    return ops.where(far, low, search(excess, start, low, high, 12))


def beta_arguments(
    u: Tensor, a: Tensor, b: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What incomplete beta functions take, of the logit of x."""
    x, y = ops.sigmoid(u), ops.sigmoid(-u)
    m = a / (a + b)
    distance = u - ops.log(a) + ops.log(b)  # of the logits; x - m = (e^d - 1) m y
    excess = ops.where(
        _backend.absolute(distance) < 0.5,
        ops.expm1(_backend.minimum(distance, ops.ones_like(u))) * y,
        x / m - 1.0,
    )
    return (x, excess, x / m), (y, -excess * a / b, y * (a + b) / b)


def beta_logit(probability: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The logit of the quantile of a beta distribution."""
    probability = probability + ops.zeros_like(a)
    target = logit(probability)
    total = a + b
    log_a, log_b, log_total = ops.log(a), ops.log(b), ops.log(total)
    # log B(a, b), and I_x(a, b) is at most 2 x^a / (a B(a, b)) for x up to a half, and half of that
    # where x is 0 to rounding.
    log_beta = a * (log_a - log_total) + b * (log_b - log_total) - _backend.log_beta_peak(a, b)
    half = -0.7 * ops.ones_like(a)
    first = ops.log(probability) + log_a + log_beta
    last = ops.log1p(-probability) + log_b + log_beta
    lowest, highest = first / a, -last / b
    low = _backend.minimum((first - math.log(2.0)) / a, half)
    high = -_backend.minimum((last - math.log(2.0)) / b, half)
    low, high = (_backend.clip(x, -FLAT, FLAT) for x in (low - 1e-6, high + 1e-6))
    start = log_a - log_b + _backend.ndtri(probability) * ops.sqrt(total / a / b)

    def excess(u: Tensor) -> Any:
        arguments = beta_arguments(u, a, b)
        tails = _backend.log_beta_tails(a, b, *arguments)
        return log_odds(tails, _backend.log_beta_density(a, b, *arguments), target)

    found = search(excess, start, low, high, 16)
    return ops.where(lowest < -FLAT, lowest, ops.where(highest > FLAT, highest, found))
