"""Distributions that are one of them, moved and stretched: of labels, or of their logarithms."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution
from keras_masked.distributions.support import POSITIVE

Tensor = Any


class LocationScale(Distribution):
    """Base class: (y - location) / exp(log_scale) has one distribution, whatever is predicted.

    A subclass implements what follows from the standardized label z: `_nll`, `_log_cdf`,
    `_log_survival`, `_quantile` and `_crps`, and names the standard variance, `_variance`.
    """

    parameters: tuple[str, ...] = ("location", "log_scale")
    _variance = 1.0

    def _nll(self, z: Tensor) -> Tensor:
        raise NotImplementedError

    def _log_cdf(self, z: Tensor) -> Tensor:
        raise NotImplementedError

    def _log_survival(self, z: Tensor) -> Tensor:
        return self._log_cdf(-z)

    def _quantile(self, probability: Tensor) -> Tensor:
        raise NotImplementedError

    def _crps(self, z: Tensor) -> Tensor:
        raise NotImplementedError

    def _z(self, y: Tensor, parameters: Tensor) -> Tensor:
        """The label in units of the scale, from the location on."""
        parameters = ops.convert_to_tensor(parameters)
        y = ops.convert_to_tensor(y, dtype=parameters.dtype)
        return (y - parameters[..., 0]) * ops.exp(-parameters[..., 1])

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density, less the constant.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        return self._nll(self._z(y, parameters)) + parameters[..., 1]

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return self._log_cdf(self._z(y, parameters))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return self._log_survival(self._z(y, parameters))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        z = self._quantile(ops.convert_to_tensor(probability, dtype=parameters.dtype))
        return parameters[..., 0] + ops.exp(parameters[..., 1]) * z

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the location.

        Args:
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return ops.convert_to_tensor(parameters)[..., 0]

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance, in proportion to the square of the scale.

        Args:
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return self._variance * ops.exp(2.0 * ops.convert_to_tensor(parameters)[..., 1])

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - mean) / standard deviation, finite where the variance itself is not.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        return self._z(y, parameters) * (1.0 / math.sqrt(self._variance))

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, in the units of the label.

        Args:
            y: Labels `(..., labels)`.
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
        """
        scale = ops.exp(ops.convert_to_tensor(parameters)[..., 1])
        return scale * self._crps(self._z(y, parameters))

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns a location + b, log_scale + log a.

        Args:
            parameters: Locations and logarithms of scales `(..., labels, 2)`.
            scale: Positive factors a `(labels,)`.
            shift: What is added then, b `(labels,)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        location = parameters[..., 0] * scale + shift
        rest = [parameters[..., i] for i in range(2, parameters.shape[-1])]
        return ops.stack([location, parameters[..., 1] + ops.log(scale), *rest], axis=-1)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation.

        Args:
            mean: Means `(labels,)`.
            standard_deviation: Standard deviations, above 0 `(labels,)`.
        """
        log_scale = ops.log(standard_deviation) - 0.5 * math.log(self._variance)
        return ops.stack([mean, log_scale], axis=-1)


class LogLocationScale(Distribution):
    """Base class: (log y - location) / scale has one distribution, that of `standard`.

    A subclass names it, and says how its parameters are read, and what follows for the mean.
    """

    parameters: tuple[str, ...] = ("location", "log_scale")
    support = POSITIVE
    standard: LocationScale

    def _read(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Location and log-scale of the logarithm."""
        parameters = ops.convert_to_tensor(parameters)
        return parameters[..., 0], parameters[..., 1]

    def _z(self, y: Tensor, parameters: Tensor) -> Tensor:
        location, log_scale = self._read(parameters)
        return log_ratio(y, location) * ops.exp(-log_scale)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density, less the constant.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        _, log_scale = self._read(parameters)
        y = ops.convert_to_tensor(y, dtype=log_scale.dtype)
        return self.standard._nll(self._z(y, parameters)) + log_scale + ops.log(y)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return ops.exp(self.log_cdf(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return self.standard._log_cdf(self._z(y, parameters))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels, above 0 `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        return self.standard._log_survival(self._z(y, parameters))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        location, log_scale = self._read(parameters)
        z = self.standard._quantile(ops.convert_to_tensor(probability, dtype=location.dtype))
        return ops.exp(location + ops.exp(log_scale) * z)

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters of a label `scale` times as large; it cannot be shifted.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            scale: Positive factors `(labels,)`.
            shift: 0.
        """
        parameters = ops.convert_to_tensor(parameters)
        first = parameters[..., 0] + ops.log(scale) + unshifted(self, shift)
        rest = [parameters[..., i] for i in range(1, parameters.shape[-1])]
        return ops.stack([first, *rest], axis=-1)

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters in the labels' units: 0 is a label of this mean and deviation.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)


def log_ratio(y: Tensor, log_scale: Tensor) -> Tensor:
    """log(y) - log_scale, exact also where both are large and nearly the same."""
    y = ops.convert_to_tensor(y, dtype=log_scale.dtype)
    ratio = y * ops.exp(-log_scale)
    known = (ratio > 1e-30) & (ratio < 1e30)
    near = ops.log(ops.where(known, ratio, ops.ones_like(ratio)))
    plain = ops.log(y) - log_scale  # whose slopes are those of the logarithm, too, in any range
    return plain + ops.stop_gradient(ops.where(known, near - plain, ops.zeros_like(plain)))


def unshifted(distribution: Distribution, shift: Any) -> Any:
    """0, or NaN where a distribution that cannot be shifted is to be; raises of numbers."""
    if isinstance(shift, (int, float)):
        if shift:
            raise ValueError(
                f"{type(distribution).__name__} cannot be shifted. Received: shift={shift}"
            )
        return 0.0
    shift = ops.convert_to_tensor(shift)
    return ops.where(shift == 0, ops.zeros_like(shift), ops.full_like(shift, float("nan")))


class StandardNormal(LocationScale):
    """Of what is left of a normal variable."""

    constant = 0.5 * math.log(2.0 * math.pi)

    def _nll(self, z: Tensor) -> Tensor:
        return 0.5 * ops.square(z)

    def _log_cdf(self, z: Tensor) -> Tensor:
        return _backend.log_ndtr(z)

    def _quantile(self, probability: Tensor) -> Tensor:
        return _backend.ndtri(probability)


class StandardGumbel(LocationScale):
    """Of log(t), t of the exponential distribution with mean 1."""

    def _nll(self, z: Tensor) -> Tensor:
        return ops.exp(z) - z

    def _log_cdf(self, z: Tensor) -> Tensor:
        # log(1 - exp(-t)), t = exp(z): as log t - t / 2 where t is small and would be rounded.
        small = z < -10
        t = ops.exp(_backend.minimum(ops.where(small, 0.0 * z, z), 80.0 * ops.ones_like(z)))
        half = 0.5 * ops.exp(ops.where(small, z, 0.0 * z))
        return ops.where(small, z - half, _backend.log1mexp(-t))

    def _log_survival(self, z: Tensor) -> Tensor:
        return -ops.exp(z)

    def _quantile(self, probability: Tensor) -> Tensor:
        return ops.log(-ops.log1p(-probability))
