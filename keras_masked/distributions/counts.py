"""Distributions of counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.search import logit, search
from keras_masked.distributions.support import COUNTS

Tensor = Any


class _Counts(Distribution):
    """What both distributions of counts derive from logarithms of probabilities and of tails."""

    support = COUNTS
    discrete = True

    def _tails(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the probabilities of no more than `y`, 0 or more, and of more."""
        raise NotImplementedError

    def _excess(self, parameters: Tensor) -> Tensor:
        """The variance over the mean, less 1."""
        raise NotImplementedError

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        y, parameters = _whole(y, parameters)
        found = self._tails(ops.where(y < 0, ops.zeros_like(y), y), parameters)[0]
        return ops.where(y < 0, ops.full_like(found, -float("inf")), found)

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        y, parameters = _whole(y, parameters)
        found = self._tails(ops.where(y < 0, ops.zeros_like(y), y), parameters)[1]
        return ops.where(y < 0, ops.zeros_like(found), found)

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the least count that is not exceeded with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        mean = self.mean(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        probability = probability + ops.zeros_like(mean)
        target = logit(probability)
        # Of a Poisson variable whose mean is a gamma variable, each exceeds it half as often.
        odds = math.log(2.0) - ops.log1p(-probability)
        cut = odds * self._excess(parameters) / _backend.maximum(mean, 1e-30 + 0.0 * mean)
        most = mean * (1.0 + cut + ops.sqrt(2.0 * cut))
        most = most + ops.sqrt(2.0 * most * odds) + odds + 2.0

        def excess(log_count: Tensor) -> tuple[Tensor, Tensor]:
            log_cdf, log_survival = self._tails(ops.expm1(log_count), parameters)
            return log_cdf - log_survival - target, ops.zeros_like(target)

        zeros = ops.zeros_like(mean)
        count = search(excess, zeros, zeros, ops.log(most), 36)
        return least_whole(self.cdf, ops.expm1(count), probability, parameters)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        return ops.exp(ops.convert_to_tensor(parameters)[..., 0])

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        mean = self.mean(parameters)
        return mean * (1.0 + self._excess(parameters))

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the ranked probability score: the sum over counts.

        Half of the mean difference of two counts is an integral of their characteristic function.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        y, parameters = _whole(y, parameters)
        mean = self.mean(parameters)
        log_cdf, log_survival = self._tails(y, parameters)
        inside = ops.exp(log_cdf) - ops.exp(log_survival)
        density = ops.exp(self._log_weight(y, parameters) + self.log_prob(y, parameters))
        density = 2.0 * mean * density
        return (y - mean) * inside + density - self._spread(parameters)

    def _log_weight(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Of what multiplies the probability of `y` in its mean distance, in units of the mean."""
        raise NotImplementedError

    def _spread(self, parameters: Tensor) -> Tensor:
        raise NotImplementedError

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of which 0 is a label of this mean and deviation.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)


def _whole(y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    parameters = ops.convert_to_tensor(parameters)
    return _backend.floor(ops.convert_to_tensor(y, dtype=parameters.dtype)), parameters


def least_whole(
    cdf: Callable[[Tensor, Tensor], Tensor], found: Tensor, probability: Tensor, parameters: Tensor
) -> Tensor:
    """The least whole number near `found` whose distribution function is no less."""
    enough = probability * (1.0 - 1e-6)
    count = _backend.ceil(found - 1e-3 * (1.0 + 1e-4 * found))
    for step in (-1.0, 1.0):
        beside = _backend.maximum(count + min(step, 0.0), ops.zeros_like(count))
        reached = cdf(beside, parameters) >= enough
        count = ops.where(reached, beside, count if step < 0 else count + 1.0)
    return ops.stop_gradient(count)


_V, _W = _backend.gauss_legendre(40)
_B = [0.5 * math.pi * v**2 for v in _V]
_COS2, _SIN2 = [math.cos(b) ** 2 for b in _B], [math.sin(b) ** 2 for b in _B]
_WEIGHTS = [w * v / c for v, w, c in zip(_V, _W, _COS2, strict=True)]


def _half_difference(exponent: Callable[[Tensor], Tensor], reach: Tensor) -> Tensor:
    """The integral over c > 0 of 1 - exp(-exponent(1 / (1 + c^2))), over 2 pi; c = reach tan(b)."""
    tensors = (ops.convert_to_tensor(x, dtype=reach.dtype) for x in (_COS2, _SIN2, _WEIGHTS))
    cos, sin, weight = tensors
    reach = reach[..., None]
    share = cos / (cos + ops.square(reach) * sin)
    return 0.5 * reach[..., 0] * ops.sum(-ops.expm1(-exponent(share)) * weight, axis=-1)


@register
class Poisson(_Counts):
    r"""The Poisson distribution of a count, by the logarithm of its rate.

    $$-\log p(y) = e^r - r y + \log y!$$

    Events that know nothing of each other. Where counts scatter more than that, take
    `NegativeBinomial`.

    Shapes: parameters `(..., labels, 1)`: logarithms $r$ of rates.

    Example:

    >>> poisson = keras_masked.distributions.Poisson()
    >>> parameters = np.log(np.array([[[2.5]]]))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     poisson.mean(parameters), poisson.variance(parameters),
    ...     poisson.cdf(np.array([[3.0]]), parameters), poisson.quantile(0.9, parameters))]
    [2.5, 2.5, 0.7576, 5.0]

    Source: McCullagh and Nelder 1989, chapter 6; Wei and Held 2014, "Calibration tests for count
    data", for the score.
    """

    parameters = ("log_rate",)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-probability.

        Args:
            y: Counts `(..., labels)`.
            parameters: Logarithms of rates `(..., labels, 1)`.
        """
        y, parameters = _whole(y, parameters)
        rate = self.mean(parameters)
        none = y < 1
        count = ops.where(none, ops.ones_like(y), y)
        ratio = ops.where(none, ops.ones_like(rate), rate / count)
        some = ops.log(count) - _backend.log_gamma_density(count, ratio)
        return ops.where(none, rate, some)

    def _tails(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        more, no_more = _backend.log_gamma_tails(y + 1.0, self.mean(parameters) / (y + 1.0))
        return no_more, more

    def _excess(self, parameters: Tensor) -> Tensor:
        return ops.zeros_like(parameters[..., 0])

    def _log_weight(self, y: Tensor, parameters: Tensor) -> Tensor:
        return ops.zeros_like(y)

    def _spread(self, parameters: Tensor) -> Tensor:
        rate = 4.0 * self.mean(parameters)
        reach = ops.stop_gradient(ops.sqrt(1.0 + rate))
        return _half_difference(lambda share: rate[..., None] * share, reach)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, of no consequence `(labels,)`.
        """
        return ops.log(mean)[..., None]


@register
class NegativeBinomial(_Counts):
    r"""The negative binomial distribution of a count, by logarithms of mean and shape.

    $$p(y) = \frac{\Gamma(y + k)}{y! \, \Gamma(k)} \Bigl(\frac{k}{k + \mu}\Bigr)^k
      \Bigl(\frac{\mu}{k + \mu}\Bigr)^y$$

    A Poisson variable whose rate is a gamma variable of this shape: its variance is
    $\mu + \mu^2 / k$, more than its mean.

    Shapes: parameters `(..., labels, 2)`: logarithms of the mean $\mu$ and of the shape $k$.

    Example:

    >>> binomial = keras_masked.distributions.NegativeBinomial()
    >>> parameters = np.log(np.array([[[2.5, 2.0]]]))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     binomial.mean(parameters), binomial.variance(parameters),
    ...     binomial.cdf(np.array([[3.0]]), parameters), binomial.quantile(0.9, parameters))]
    [2.5, 5.625, 0.7354, 6.0]

    Source: Hilbe 2011, "Negative binomial regression", NB2; Wei and Held 2014, "Calibration tests
    for count data", for the score.
    """

    parameters = ("log_mean", "log_shape")

    def _read(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, shape, and the logarithm of their ratio."""
        log_mean, log_shape = parameters[..., 0], parameters[..., 1]
        return ops.exp(log_mean), ops.exp(log_shape), log_mean - log_shape

    def _arguments(self, count: Tensor, parameters: Tensor) -> tuple[Any, ...]:
        """Of incomplete beta functions of shape and count, which is above 0."""
        mean, shape, log_ratio = self._read(parameters)
        shape = shape + ops.zeros_like(count)
        x, y = ops.sigmoid(-log_ratio), ops.sigmoid(log_ratio)
        distance = (count - mean) / (shape + mean)
        first = (x + ops.zeros_like(count), distance, (shape + count) / (shape + mean))
        second = -distance * (shape / count), first[2] * (mean / count)
        return shape, count, first, (y + ops.zeros_like(count), *second)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-probability.

        Args:
            y: Counts `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        y, parameters = _whole(y, parameters)
        _, shape, log_ratio = self._read(parameters)
        none = y < 1
        count = ops.where(none, ops.ones_like(y), y)
        some = ops.log(count) - _backend.log_beta_density(*self._arguments(count, parameters))
        return ops.where(none, shape * ops.log1p(ops.exp(log_ratio)), some)

    def _tails(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        return _backend.log_beta_tails(*self._arguments(y + 1.0, parameters))

    def _excess(self, parameters: Tensor) -> Tensor:
        return ops.exp(self._read(ops.convert_to_tensor(parameters))[2])

    def _log_weight(self, y: Tensor, parameters: Tensor) -> Tensor:
        return ops.log1p(y * ops.exp(-parameters[..., 1]))

    def _spread(self, parameters: Tensor) -> Tensor:
        _, shape, log_ratio = self._read(parameters)
        ratio = ops.exp(_backend.minimum(log_ratio, 40.0 * ops.ones_like(log_ratio)))
        curve = 4.0 * ratio * (1.0 + ratio)
        reach = ops.sqrt(1.0 + curve * _backend.maximum(shape, ops.ones_like(shape)))

        def exponent(share: Tensor) -> Tensor:
            return shape[..., None] * ops.log1p(curve[..., None] * share)

        return _half_difference(exponent, ops.stop_gradient(reach))

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of this mean and standard deviation, if that is above the root.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations `(labels,)`.
        """
        more = _backend.maximum(ops.square(standard_deviation) - mean, 1e-2 * mean)
        return ops.stack([ops.log(mean), 2.0 * ops.log(mean) - ops.log(more)], axis=-1)
