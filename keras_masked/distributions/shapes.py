"""Distributions with a shape of their own: of positive numbers, and of shares."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.location_scale import unshifted
from keras_masked.distributions.search import beta_logit, log_gamma_ratio
from keras_masked.distributions.support import INSIDE_UNIT, POSITIVE

Tensor = Any


@register
class Gamma(Distribution):
    r"""The gamma distribution, by logarithms of mean and shape.

    $$-\log p(y) = k r - k \log (k r) + \log \Gamma(k) + \log y, \quad r = \frac{y}{\mu}$$

    Positive amounts such as rain, whose standard deviation is in proportion to the mean: the mean
    over the root of the shape.

    Shapes: parameters `(..., labels, 2)`: logarithms of the mean $\mu$ and of the shape $k$.

    Example:

    >>> gamma = keras_masked.distributions.Gamma()
    >>> parameters = np.log(np.array([[[3.0, 2.0]]]))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     gamma.mean(parameters), gamma.variance(parameters),
    ...     gamma.cdf(np.array([[3.0]]), parameters), gamma.quantile(0.5, parameters))]
    [3.0, 4.5, 0.594, 2.5175]

    Source: McCullagh and Nelder 1989, chapter 8, for mean and shape; Jordan, Krueger and Lerch
    2019, appendix A, for the score.
    """

    parameters = ("log_mean", "log_shape")
    support = POSITIVE

    def _read(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """The label in units of the mean, and the shape."""
        parameters = ops.convert_to_tensor(parameters)
        y = ops.convert_to_tensor(y, dtype=parameters.dtype)
        ratio = y * ops.exp(-parameters[..., 0])
        ratio = _backend.maximum(ratio, 1e-36 * ops.ones_like(ratio))
        return ratio, ops.exp(parameters[..., 1]) + ops.zeros_like(ratio)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        ratio, shape = self._read(y, parameters)
        y = ops.convert_to_tensor(y, dtype=ratio.dtype)
        return ops.log(y) - _backend.log_gamma_density(shape, ratio)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the regularized incomplete gamma function P(k, k y / mean).

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        ratio, shape = self._read(y, parameters)
        return _backend.log_gamma_tails(shape, ratio)[0]

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        ratio, shape = self._read(y, parameters)
        return _backend.log_gamma_tails(shape, ratio)[1]

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        log_ratio = log_gamma_ratio(probability, ops.exp(parameters[..., 1]))
        return ops.exp(parameters[..., 0] + log_ratio)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        return ops.exp(ops.convert_to_tensor(parameters)[..., 0])

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns mean^2 / k.

        Args:
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        return ops.exp(2.0 * parameters[..., 0] - parameters[..., 1])

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, in the units of the label.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
        """
        ratio, shape = self._read(y, parameters)
        log_cdf, log_survival = _backend.log_gamma_tails(shape, ratio)
        density = 2.0 * ops.exp(_backend.log_gamma_density(shape, ratio) - ops.log(shape))
        # Gamma(k + 1/2) / (sqrt(pi) Gamma(k + 1))
        spread = ops.exp(-_backend.log_gamma_half(shape + 0.5) - 0.5 * math.log(math.pi))
        score = (ratio - 1.0) * (ops.exp(log_cdf) - ops.exp(log_survival)) + density - spread
        return self.mean(parameters) * score

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters of a label `scale` times as large; it cannot be shifted.

        Args:
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
            scale: Positive factors `(labels,)`.
            shift: 0.
        """
        parameters = ops.convert_to_tensor(parameters)
        log_mean = parameters[..., 0] + ops.log(scale) + unshifted(self, shift)
        return ops.stack([log_mean, parameters[..., 1]], axis=-1)

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters in the labels' units: 0 is a label of this mean and deviation.

        Args:
            parameters: Logarithms of means and shapes `(..., labels, 2)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation.

        Args:
            mean: Means, above 0 `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        log_mean = ops.log(mean)
        return ops.stack([log_mean, 2.0 * (log_mean - ops.log(standard_deviation))], axis=-1)


@register
class Beta(Distribution):
    r"""The beta distribution of a share in (0, 1), by the logit of the mean and a precision.

    $$-\log p(y) = (1 - a) \log y + (1 - b) \log (1 - y) + \log B(a, b), \quad
      a = \mu n, \; b = (1 - \mu) n$$

    Cloud cover, yields, proportions that are no counts. Shares of exactly 0 or 1 are outside its
    support.

    Shapes: parameters `(..., labels, 2)`: logits of the mean $\mu$ and logarithms of the precision
    $n$, the sum of both shapes.

    Example:

    >>> beta = keras_masked.distributions.Beta()
    >>> parameters = np.array([[[0.0, np.log(4.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     beta.mean(parameters), beta.variance(parameters),
    ...     beta.cdf(np.array([[0.25]]), parameters), beta.quantile(0.5, parameters))]
    [0.5, 0.05, 0.1562, 0.5]

    Source: Ferrari and Cribari-Neto 2004, "Beta regression for modelling rates and proportions";
    Jordan, Krueger and Lerch 2019, appendix A, for the score.
    """

    parameters = ("logit_mean", "log_precision")
    support = INSIDE_UNIT

    def _shapes(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both shapes and their sum."""
        parameters = ops.convert_to_tensor(parameters)
        logit, total = parameters[..., 0], ops.exp(parameters[..., 1])
        return total * ops.sigmoid(logit), total * ops.sigmoid(-logit), total

    def _arguments(self, y: Tensor, parameters: Tensor) -> tuple[Any, ...]:
        """What incomplete beta functions take."""
        parameters = ops.convert_to_tensor(parameters)
        x = ops.convert_to_tensor(y, dtype=parameters.dtype)
        x = _backend.clip(x, 1e-36, 1.0 - 1e-7)
        a, b, _ = self._shapes(parameters)
        a, b = a + ops.zeros_like(x), b + ops.zeros_like(x)
        m, rest = ops.sigmoid(parameters[..., 0]), ops.sigmoid(-parameters[..., 0])
        # x - m = (e^d - 1) m (1 - x), d the distance of the logits.
        d = ops.log(x) - ops.log1p(-x) - parameters[..., 0]
        near = _backend.absolute(d) < 0.5
        away = ops.expm1(ops.where(near, d, ops.zeros_like(d))) * (1.0 - x)
        excess = ops.where(near, away, x / m - 1.0)
        other = ops.where(near, -away * m / rest, (1.0 - x) / rest - 1.0)
        return a, b, (x, excess, x / m), (1.0 - x, other, (1.0 - x) / rest)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density.

        Args:
            y: Labels, above 0 and below 1 `(..., labels)`.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        a, b, x, rest = self._arguments(y, parameters)
        return ops.log(x[0]) + ops.log(rest[0]) - _backend.log_beta_density(a, b, x, rest)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the regularized incomplete beta function.

        Args:
            y: Labels, above 0 and below 1 `(..., labels)`.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels, above 0 and below 1 `(..., labels)`.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        return _backend.log_beta_tails(*self._arguments(y, parameters))[0]

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels, above 0 and below 1 `(..., labels)`.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        return _backend.log_beta_tails(*self._arguments(y, parameters))[1]

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        a, b, _ = self._shapes(parameters)
        probability = ops.convert_to_tensor(probability, dtype=a.dtype)
        return ops.sigmoid(beta_logit(probability, a, b))

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        return ops.sigmoid(ops.convert_to_tensor(parameters)[..., 0])

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns mean (1 - mean) / (n + 1).

        Args:
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        logit, total = parameters[..., 0], ops.exp(parameters[..., 1])
        return ops.sigmoid(logit) * ops.sigmoid(-logit) / (total + 1.0)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score.

        Args:
            y: Labels, above 0 and below 1 `(..., labels)`.
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
        """
        a, b, x, rest = self._arguments(y, parameters)
        log_cdf, log_survival = _backend.log_beta_tails(a, b, x, rest)
        density = ops.exp(_backend.log_beta_density(a, b, x, rest) - ops.log(a + b))
        # B(2 a, 2 b) / B(a, b)^2
        spread = 2.0 * _backend.log_beta_peak(a, b) - _backend.log_beta_peak(2.0 * a, 2.0 * b)
        spread = ops.exp(spread - ops.log(a + b))
        distance = x[1] * self.mean(parameters)
        inside = ops.exp(log_cdf) - ops.exp(log_survival)
        return distance * inside + 2.0 * (density - spread)

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of which 0 is a label of this mean and deviation.

        Args:
            parameters: Logits of means and logarithms of precisions `(..., labels, 2)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation.

        Args:
            mean: Means, above 0 and below 1 `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        spread = mean * (1.0 - mean)
        total = spread / ops.square(standard_deviation) - 1.0
        total = _backend.maximum(total, 1e-3 * ops.ones_like(total))
        return ops.stack([ops.log(mean) - ops.log1p(-mean), ops.log(total)], axis=-1)
