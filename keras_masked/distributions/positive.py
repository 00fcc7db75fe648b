"""Distributions of positive numbers."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import register
from keras_masked.distributions.location_scale import (
    LogLocationScale,
    StandardGumbel,
    StandardNormal,
    log_ratio,
)
from keras_masked.distributions.real import Logistic

Tensor = Any

SMALL = 0.5
"""Scales of logarithms below which differences that are small are integrated as they are."""

FEW, MANY = (_backend.gauss_legendre(n) for n in (12, 24))
ZETA = (1.6449340668, 1.2020569032, 1.0823232337, 1.0369277551, 1.0173430620, 1.0083492774,
        1.0040773562, 1.0020083928, 1.0009945751, 1.0004941886, 1.0002460866, 1.0001227133,
        1.0000612481, 1.0000305882, 1.0000152823, 1.0000076372, 1.0000038173, 1.0000019082,
        1.0000009540)  # fmt: skip
"""Riemann's zeta function at 2, 3, ..., 20."""


def _score(y: Tensor, unit: Tensor, log_ratio: Tensor, parts: tuple[Tensor, ...]) -> Tensor:
    """The CRPS of log y = location + scale z.

    (y - M u) (2 G(z) - 1) + M u (2 J - g), with u = exp(location), M u the mean, g half of the mean
    difference of two in units of it, and J as of `_mean_ratio`: nothing in it is a difference of
    what is nearly the same, where the scale is small.

    Args:
        y: Labels.
        unit: u.
        log_ratio: log(y / u).
        parts: 2 G(z) - 1, log M, J and g.
    """
    slope, log_mean, share, spread = parts
    near = _backend.absolute(log_ratio) < 1
    excess = ops.expm1(ops.where(near, log_ratio, ops.zeros_like(log_ratio)))
    away = ops.where(near, unit * excess, ops.convert_to_tensor(y, dtype=unit.dtype) - unit)
    rest = (away - unit * ops.expm1(log_mean)) * slope
    return rest + unit * ops.exp(log_mean) * (2.0 * share - spread)


@register
class LogNormal(LogLocationScale):
    r"""The distribution of a positive label whose logarithm is normal.

    $$-\log p(y) = \frac{(\log y - m)^2}{2 e^{2 s}} + s + \log y + \frac{\log 2 \pi}{2}$$

    Errors are then in proportion to the label: concentrations, prices, incomes, survival times.

    Shapes: parameters `(..., labels, 2)`: mean and logarithm of the standard deviation, both of the
    logarithm of the label.

    Example:

    >>> lognormal = keras_masked.distributions.LogNormal()
    >>> parameters = np.array([[[1.0, np.log(0.5)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     lognormal.mean(parameters), lognormal.variance(parameters),
    ...     lognormal.cdf(np.array([[3.0]]), parameters), lognormal.quantile(0.5, parameters))]
    [3.0802, 2.6948, 0.5782, 2.7183]

    Source: Johnson, Kotz and Balakrishnan 1994, chapter 14; Jordan, Krueger and Lerch 2019,
    appendix A, for the score.
    """

    constant = StandardNormal.constant
    standard = StandardNormal()

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns exp(m + exp(2 s) / 2).

        Args:
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        return ops.exp(location + 0.5 * ops.exp(2.0 * log_scale))

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns (exp(exp(2 s)) - 1) exp(2 m + exp(2 s)).

        Args:
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        squared = ops.exp(2.0 * log_scale)
        return ops.expm1(squared) * ops.exp(2.0 * location + squared)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, in the units of the label.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        scale, z = ops.exp(log_scale), self._z(y, parameters)
        slope = ops.erf(z * math.sqrt(0.5))
        small = scale < 2 * SMALL
        unit = ops.exp(location)
        s = ops.where(small, scale, ops.ones_like(scale))
        d, weight = (ops.convert_to_tensor(x, dtype=s.dtype) for x in FEW)
        inside = z[..., None] - s[..., None] * d
        share = s * ops.sum(weight * ops.exp(-0.5 * ops.square(inside)), axis=-1)
        share = share / math.sqrt(2.0 * math.pi)
        parts = (slope, 0.5 * ops.square(s), share, ops.erf(0.5 * s))
        narrow = _score(y, unit, log_ratio(y, location), parts)
        s = ops.where(small, ops.ones_like(scale), scale)
        half = 0.5 * ops.square(s)
        wide = [
            location + half + _backend.log_ndtr(x) + math.log(2.0)
            for x in (-s * math.sqrt(0.5), z - s)
        ]
        broad = ops.convert_to_tensor(y, dtype=s.dtype) * slope + _difference(*wide)
        return ops.where(small, narrow, broad)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        squared = ops.log1p(ops.square(standard_deviation / mean))
        return ops.stack([ops.log(mean) - 0.5 * squared, 0.5 * ops.log(squared)], axis=-1)


def _difference(a: Tensor, b: Tensor) -> Tensor:
    """exp(a) - exp(b), where neither is out of range."""
    a, b = (_backend.minimum(x, 85.0 * ops.ones_like(x)) for x in (a, b))
    return ops.exp(a) - ops.exp(b)


def _mean_ratio(
    z: Tensor, scale: Tensor, log_mean: Tensor, standard: Any, length: Tensor
) -> Tensor:
    """J: the integral up to z of (1 - exp(scale u) / M) g(u), or less that from z on: it is 0."""
    below = z < 0
    z = _backend.clip(z, -80.0, 80.0)
    d, weight = (ops.convert_to_tensor(x, dtype=z.dtype) for x in MANY)
    one = ops.ones_like(z)
    reach = ops.where(below, 20.0 * one, length)
    u = z[..., None] + ops.where(below, -reach, reach)[..., None] * ops.square(d)
    values = ops.expm1(scale[..., None] * u - log_mean[..., None]) * ops.exp(-standard._nll(u))
    return ops.where(below, -one, one) * reach * ops.sum(2.0 * d * weight * values, axis=-1)


def _infinite_unless(finite: Tensor, found: Tensor) -> Tensor:
    """`found` where it is finite, infinity elsewhere, and NaN of diverged parameters."""
    seen = ops.logical_or(finite, ops.isnan(found))
    return ops.where(seen, found, ops.full_like(found, float("inf")))


@register
class LogLogistic(LogLocationScale):
    r"""The distribution of a positive label whose logarithm is logistic.

    $$-\log p(y) = |z| + 2 \log(1 + e^{-|z|}) + s + \log y, \quad z = \frac{\log y - m}{e^s}$$

    Survival times whose hazard rises and falls; it has a mean where the scale $e^s$ is below 1.

    Shapes: parameters `(..., labels, 2)`: location and logarithm of the scale, both of the
    logarithm of the label. The mean is infinite from a scale of 1 on, the variance from 1/2 on.

    Example:

    >>> loglogistic = keras_masked.distributions.LogLogistic()
    >>> parameters = np.array([[[1.0, np.log(0.25)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     loglogistic.mean(parameters), loglogistic.variance(parameters),
    ...     loglogistic.cdf(np.array([[3.0]]), parameters), loglogistic.quantile(0.5, parameters))]
    [3.0193, 2.4908, 0.5974, 2.7183]

    Source: Johnson, Kotz and Balakrishnan 1995, chapter 23; Jordan, Krueger and Lerch 2019,
    appendix A, for the score.
    """

    standard = Logistic()

    def _angle(self, scale: Tensor, most: float) -> tuple[Tensor, Tensor]:
        """pi times a scale below `most`, and whether it is, or NaN, which stays."""
        finite = ops.logical_not(scale >= most)
        return math.pi * ops.where(finite, scale, 0.25 * ops.ones_like(scale)), finite

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns exp(m) b / sin(b), b = pi exp(s); infinite for scales of 1 and more.

        Args:
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        b, finite = self._angle(ops.exp(log_scale), 1.0)
        found = ops.exp(location) * b / ops.sin(b)
        return _infinite_unless(finite, found)

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns exp(2 m) (2 b / sin(2 b) - (b / sin b)^2); infinite for scales from 1/2 on.

        Args:
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        b, finite = self._angle(ops.exp(log_scale), 0.5)
        near = b < 0.25
        square = ops.square(ops.where(near, b, ops.zeros_like(b)))
        series = square * (1 / 3 + square * (2 / 15 + square * (17 / 315 + square * 62 / 2835)))
        safe = ops.where(near, ops.ones_like(b), b)
        excess = ops.where(near, series, ops.tan(safe) / safe - 1.0)
        found = ops.square(ops.exp(location) * b / ops.sin(b)) * excess
        return _infinite_unless(finite, found)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score; infinite for scales of 1 and more.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, 2)`.
        """
        location, log_scale = self._read(parameters)
        z, scale = self._z(y, parameters), ops.exp(log_scale)
        b, finite = self._angle(scale, 1.0)
        s = b / math.pi
        log_mean = ops.log(b / ops.sin(b))
        small = s < SMALL
        narrow = ops.where(small, s, SMALL * ops.ones_like(s))
        share = _mean_ratio(z, narrow, log_mean, self.standard, 20.0 / (1.0 - narrow))
        # I_p(1 + s, 1 - s), p the distribution function at y.
        wide = ops.where(small, SMALL * ops.ones_like(s), s)
        inside = _backend.clip(z, -80.0, 80.0)
        x, y_ = ops.sigmoid(inside), ops.sigmoid(-inside)
        first, second = 0.5 * (1.0 + wide), 0.5 * (1.0 - wide)
        arguments = (x, x / first - 1.0, x / first), (y_, y_ / second - 1.0, y_ / second)
        tails = _backend.log_beta_tails(1.0 + wide, 1.0 - wide, *arguments)
        lower = x - ops.exp(tails[0])
        share = ops.where(small, share, lower)
        parts = (ops.tanh(0.5 * z), log_mean, share, s)
        found = _score(y, ops.exp(location), log_ratio(y, location), parts)
        return _infinite_unless(finite, found)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of a logarithm with the deviation of that of such labels.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        squared = ops.log1p(ops.square(standard_deviation / mean))
        log_scale = 0.5 * ops.log(squared) + 0.5 * math.log(3.0) - math.log(math.pi)
        return ops.stack([ops.log(mean) - 0.5 * squared, log_scale], axis=-1)


@register
class Weibull(LogLocationScale):
    r"""The Weibull distribution, by logarithms of scale and shape.

    $$-\log p(y) = t - \log t - \log k + \log y, \quad t = \Bigl(\frac{y}{\lambda}\Bigr)^k$$

    Times to failure, whose hazard rises with a shape above 1 and falls with one below.

    Shapes: parameters `(..., labels, 2)`: logarithms of the scale $\lambda$ and of the shape $k$.

    Example:

    >>> weibull = keras_masked.distributions.Weibull()
    >>> parameters = np.log(np.array([[[3.0, 2.0]]]))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     weibull.mean(parameters), weibull.variance(parameters),
    ...     weibull.cdf(np.array([[3.0]]), parameters), weibull.quantile(0.5, parameters))]
    [2.6587, 1.9314, 0.6321, 2.4977]

    Source: Johnson, Kotz and Balakrishnan 1994, chapter 21. The score is
    E|X - y| - E|X - X'| / 2 (Gneiting and Raftery 2007, equation 21).
    """

    parameters: tuple[str, ...] = ("log_scale", "log_shape")
    standard = StandardGumbel()

    def _read(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        parameters = ops.convert_to_tensor(parameters)
        return parameters[..., 0], -parameters[..., 1]

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns lambda Gamma(1 + 1 / k).

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        location, log_scale = self._read(parameters)
        return ops.exp(location + _backend.lgamma(1.0 + ops.exp(log_scale)))

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns lambda^2 (Gamma(1 + 2 / k) - Gamma(1 + 1 / k)^2).

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        location, log_scale = self._read(parameters)
        scale = ops.exp(log_scale)
        near = scale < 0.25
        s = ops.where(near, scale, 0.05 * ops.ones_like(scale))
        series = ops.zeros_like(s)  # log Gamma(1 + 2 s) - 2 log Gamma(1 + s)
        for n in range(20, 1, -1):
            series = series * s + (-1) ** n * ZETA[n - 2] * (2.0**n - 2.0) / n
        once = _backend.lgamma(1.0 + scale)
        # By the duplication formula, which needs one ratio in place of a difference.
        plain = scale * math.log(4.0) - 0.5 * math.log(math.pi)
        plain = plain - _backend.log_gamma_half(scale + 0.5)
        excess = ops.expm1(ops.where(near, series * ops.square(s), plain))
        return ops.exp(2.0 * (location + once)) * excess

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, in the units of the label.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        location, log_scale = self._read(parameters)
        z, scale = self._z(y, parameters), ops.exp(log_scale)
        small = scale < SMALL
        t = ops.exp(_backend.minimum(z, 80.0 * ops.ones_like(z)))
        slope = 1.0 - 2.0 * ops.exp(-t)
        s = ops.where(small, scale, SMALL * ops.ones_like(scale))
        log_mean = _backend.lgamma(1.0 + s)
        share = _mean_ratio(z, s, log_mean, self.standard, 5.0 * ops.ones_like(z))
        spread = -ops.expm1(-s * math.log(2.0))
        parts = (slope, log_mean, share, spread)
        narrow = _score(y, ops.exp(location), log_ratio(y, location), parts)
        s = ops.where(small, SMALL * ops.ones_like(scale), scale)
        log_mean = location + _backend.lgamma(1.0 + s)
        tail = _backend.log_gamma_tails(1.0 + s, _backend.maximum(t, 1e-35 + 0.0 * t) / (1.0 + s))
        rest = _difference(log_mean - s * math.log(2.0), log_mean + math.log(2.0) + tail[0])
        broad = ops.convert_to_tensor(y, dtype=s.dtype) * slope + rest
        return ops.where(small, narrow, broad)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters with this mean and, within a few parts in a hundred, deviation.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        log_shape = -1.086 * ops.log(standard_deviation / mean)  # Justus et al. 1978
        log_scale = ops.log(mean) - _backend.lgamma(1.0 + ops.exp(-log_shape))
        return ops.stack([log_scale, log_shape], axis=-1)


@register
class Exponential(Weibull):
    r"""The exponential distribution, by the logarithm of its rate.

    $$-\log p(y) = e^r y - r$$

    Times between events that come at a constant rate.

    Shapes: parameters `(..., labels, 1)`: logarithms $r$ of rates.

    Example:

    >>> exponential = keras_masked.distributions.Exponential()
    >>> parameters = np.log(np.array([[[0.5]]]))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     exponential.mean(parameters), exponential.variance(parameters),
    ...     exponential.cdf(np.array([[2.0]]), parameters), exponential.quantile(0.5, parameters))]
    [2.0, 4.0, 0.6321, 1.3863]

    Source: Johnson, Kotz and Balakrishnan 1994, chapter 19; Jordan, Krueger and Lerch 2019,
    appendix A, for the score.
    """

    parameters = ("log_rate",)

    def _read(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        location = -ops.convert_to_tensor(parameters)[..., 0]
        return location, ops.zeros_like(location)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns exp(r) y - r.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of rates `(..., labels, 1)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        log_rate = parameters[..., 0]
        return ops.exp(log_rate) * ops.convert_to_tensor(y, dtype=log_rate.dtype) - log_rate

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns exp(-2 r).

        Args:
            parameters: Logarithms of rates `(..., labels, 1)`.
        """
        return ops.exp(-2.0 * ops.convert_to_tensor(parameters)[..., 0])

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns y + (2 exp(-t) - 3 / 2) exp(-r), t = exp(r) y.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of rates `(..., labels, 1)`.
        """
        log_rate = ops.convert_to_tensor(parameters)[..., 0]
        t = ops.exp(log_rate) * ops.convert_to_tensor(y, dtype=log_rate.dtype)
        return ops.exp(-log_rate) * (t + 2.0 * ops.exp(-t) - 1.5)

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns r - log a.

        Args:
            parameters: Logarithms of rates `(..., labels, 1)`.
            scale: Positive factors a `(labels,)`.
            shift: 0.
        """
        return -super().rescale(-ops.convert_to_tensor(parameters), scale, shift)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, of no consequence `(labels,)`.
        """
        return -ops.log(mean)[..., None]
