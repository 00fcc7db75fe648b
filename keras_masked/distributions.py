"""Distributions of a label, whose parameters a model predicts: what losses and metrics ask of them.

A distribution holds no parameters of its own. A model predicts them, on the last axis of its
output, `(..., labels, parameters)`; each method takes them from there.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import serialization

Tensor = Any

register = serialization.register("keras_masked.distributions")

__all__ = ["Distribution", "Gaussian", "deserialize", "get", "serialize"]


class Distribution:
    """Base class: the distribution of a label, given the parameters predicted for it.

    A subclass names its `parameters` and implements `nll`, `cdf`, `quantile`, `mean` and
    `variance`; `rescale` and `widen`, if it has them. Decorated with
    `keras.saving.register_keras_serializable`, it saves with the losses that use it. Then
    `NegativeLogLikelihood` trains it, `IntervalCoverage` and `StandardizedResidualScatter` check
    it, `OfMean` measures its mean, and `DistributionHead` predicts it.
    """

    parameters: tuple[str, ...] = ()
    """Names of the parameters, in their order on the last axis."""
    constant = 0.0
    """The part of the negative log-density that depends on nothing; `nll` leaves it out."""

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density at `y`, less `constant`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        raise NotImplementedError

    def log_prob(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the log-density at `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        return -(self.nll(y, parameters) + self.constant)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the distribution function at `y`: the probability of less.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        raise NotImplementedError

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label `(..., labels)`, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise NotImplementedError

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the means.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise NotImplementedError

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variances.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        raise NotImplementedError

    def standardize(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns (y - mean) / standard deviation.

        Args:
            y: Labels `(..., labels)`.
            parameters: Their parameters `(..., labels, parameters)`.
        """
        return (y - self.mean(parameters)) * ops.rsqrt(self.variance(parameters))

    def widen(self, parameters: Tensor, error: Tensor) -> Tensor:
        """Returns the parameters of the label with its own error added, independent and Gaussian.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            error: Standard deviations of the errors `(..., labels)`.
        """
        raise ValueError(f"{type(self).__name__} cannot take known errors of labels into account.")

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters of `scale` times the label plus `shift`.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            scale: Positive factors `(labels,)`.
            shift: What is added then `(labels,)`.
        """
        raise ValueError(f"{type(self).__name__} cannot be rescaled.")

    def check(self, parameters: Tensor) -> None:
        """Raises `ValueError` where the last axis does not hold these parameters.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        size = parameters.shape[-1]
        if size is not None and size != len(self.parameters):
            raise ValueError(
                f"The last axis of `y_pred` must hold {', '.join(self.parameters)}. "
                f"Received: y_pred.shape={tuple(parameters.shape)}"
            )

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs: the arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Distribution:
        """Builds a distribution from its config."""
        return cls(**config)


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


KNOWN: dict[str, Any] = {"gaussian": Gaussian, "Gaussian": Gaussian}


def serialize(distribution: Distribution) -> Any:
    """Returns the configuration of a distribution.

    >>> config = keras_masked.distributions.serialize(keras_masked.distributions.Gaussian())
    >>> type(keras_masked.distributions.deserialize(config)).__name__
    'Gaussian'
    """
    return serialization.serialize(distribution)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the distribution of a configuration.

    >>> type(keras_masked.distributions.deserialize("gaussian")).__name__
    'Gaussian'
    """
    return serialization.deserialize(config, KNOWN, custom_objects)


def get(identifier: Any) -> Distribution:
    """Returns a distribution by name, configuration, class or instance.

    >>> type(keras_masked.distributions.get("gaussian")).__name__
    'Gaussian'

    Raises:
        ValueError: If nothing is known under this name.
    """
    found = identifier
    if isinstance(found, dict) or (isinstance(found, str) and found in KNOWN):
        found = deserialize(found)
    if isinstance(found, type) and issubclass(found, Distribution):
        found = found()
    if not isinstance(found, Distribution):
        raise ValueError(
            "Argument `distribution` must be 'gaussian', an instance of "
            "`keras_masked.distributions.Distribution`, or its configuration. "
            f"Received: distribution={identifier!r}"
        )
    return found
