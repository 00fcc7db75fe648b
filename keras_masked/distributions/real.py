"""Distributions of real numbers."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register

Tensor = Any


@register
class Gaussian(Distribution):
    r"""The normal distribution, by its mean and the logarithm of its variance.

    $$-\log p(y) = \frac{(y - m)^2}{2 e^s} + \frac s 2 + \frac{\log 2 \pi}{2}$$

    The variance is predicted by its logarithm, so that any number that a network puts out is valid
    and no division by 0 occurs.

    Shapes: parameters `(..., labels, 2)`: means and logarithms of variances.

    Example:

    >>> gaussian = keras_masked.distributions.Gaussian()
    >>> parameters = np.array([[[1.0, np.log(4.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     gaussian.mean(parameters), gaussian.variance(parameters),
    ...     gaussian.cdf(np.array([[3.0]]), parameters), gaussian.quantile(0.8413, parameters))]
    [1.0, 4.0, 0.8413, 2.9997]

    Source: Nix and Weigend 1994, for the likelihood of predicted variances; Kendall and Gal 2017,
    equation 8, for the logarithm.
    """

    parameters = ("mean", "log_variance")
    constant = 0.5 * math.log(2.0 * math.pi)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - m)^2 / (2 exp(s)) + s / 2.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return 0.5 * (ops.square(self.standardize(y, parameters)) + parameters[..., 1])

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (1 + erf(z / sqrt(2))) / 2 with z the standardized label.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return 0.5 * (1.0 + ops.erf(z * math.sqrt(0.5)))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns log((1 + erf(z / sqrt(2))) / 2), as exact far out as near the mean.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return _backend.log_ndtr(z)

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns log((1 - erf(z / sqrt(2))) / 2), as exact far out as near the mean.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        z = self.standardize(ops.convert_to_tensor(y), ops.convert_to_tensor(parameters))
        return _backend.log_ndtr(-z)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns exp(s / 2) (z erf(z / sqrt(2)) + 2 phi(z) - 1 / sqrt(pi)), phi the density.

        Gneiting and Raftery 2007, equation 21 and what precedes it.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        y, parameters = ops.convert_to_tensor(y), ops.convert_to_tensor(parameters)
        z = self.standardize(y, parameters)
        density = math.sqrt(2.0 / math.pi) * ops.exp(-0.5 * ops.square(z))
        score = z * ops.erf(z * math.sqrt(0.5)) + density - 1.0 / math.sqrt(math.pi)
        return ops.exp(0.5 * parameters[..., 1]) * score

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns m + exp(s / 2) sqrt(2) erfinv(2 q - 1).

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        z = math.sqrt(2.0) * ops.erfinv(2.0 * probability - 1.0)
        return parameters[..., 0] + ops.exp(0.5 * parameters[..., 1]) * z

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns m.

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return ops.convert_to_tensor(parameters)[..., 0]

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns exp(s).

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return ops.exp(ops.convert_to_tensor(parameters)[..., 1])

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - m) exp(-s / 2), finite where the variance itself is not.

        Args:
            y: Labels `(..., labels)`.
            parameters: Means and log-variances `(..., labels, 2)`.
        """
        return (y - parameters[..., 0]) * ops.exp(-0.5 * parameters[..., 1])

    def widen(self, parameters: Tensor, error: Tensor) -> Tensor:
        """Returns m and log(exp(s) + err^2).

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
            error: Standard deviations of the labels' errors `(..., labels)`.
        """
        none = ops.equal(error, 0)
        log_error = 2.0 * ops.log(ops.where(none, ops.ones_like(error), ops.abs(error)))
        log_var = parameters[..., 1]
        # Not `ops.logaddexp`: at a tie TensorFlow's has slopes of 1 and 0, and a network that
        # starts at s = 0 with errors of 1 is at a tie.
        sum_ = log_var + ops.softplus(log_error - log_var)
        return ops.stack([parameters[..., 0], ops.where(none, log_var, sum_)], axis=-1)

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns a m + b and s + 2 log a.

        Args:
            parameters: Means and log-variances `(..., labels, 2)`.
            scale: Positive factors a `(labels,)`.
            shift: What is added then, b `(labels,)`.
        """
        mean = parameters[..., 0] * scale + shift
        return ops.stack([mean, parameters[..., 1] + 2.0 * ops.log(scale)], axis=-1)
