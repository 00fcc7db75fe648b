"""Counts or amounts with extra zeros."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend, serialization
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.mixtures import log_sum, part
from keras_masked.distributions.support import COUNTS, NON_NEGATIVE, POSITIVE

Tensor = Any


@register
class ZeroInflated(Distribution):
    r"""A distribution of counts or positive numbers with more zeros than it has itself.

    $$p(0) = \pi + (1 - \pi) f(0), \quad p(y) = (1 - \pi) f(y), \quad
      \pi = \frac{1}{1 + e^{-l}}$$

    with $f$ the distribution, of which $f(0)$ is 0 if it is continuous: days without rain, fields
    without the species, costs of those who claim none.

    Args:
        distribution: The distribution of what is no extra zero, of counts or of positive numbers: a
            name, or a `keras_masked.distributions.Distribution`.

    Shapes: parameters `(..., labels, 1 + parameters)`: the logit $l$ of an extra zero, then those
    of the distribution.

    Example:

    >>> inflated = keras_masked.distributions.ZeroInflated("poisson")
    >>> inflated.parameters
    ('logit_zero', 'log_rate')
    >>> parameters = np.array([[[0.0, np.log(2.0)]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     inflated.mean(parameters), inflated.variance(parameters),
    ...     inflated.cdf(np.array([[0.0]]), parameters), inflated.quantile(0.9, parameters))]
    [1.0, 2.0, 0.5677, 3.0]

    Source: Lambert 1992, "Zero-inflated Poisson regression, with an application to defects in
    manufacturing".
    """

    def __init__(self, distribution: Any = "poisson") -> None:
        self.distribution = part(distribution, "ZeroInflated")
        if self.distribution.support not in (COUNTS, POSITIVE):
            raise ValueError(
                "ZeroInflated: argument `distribution` must be a distribution of counts or of "
                f"positive numbers. Received: distribution={distribution!r}"
            )
        self.parameters = ("logit_zero", *self.distribution.parameters)
        self.discrete = self.distribution.discrete
        self.support = COUNTS if self.discrete else NON_NEGATIVE
        inner = self.distribution.initial
        self.initial = (0.0, *inner) if inner else ()

    def _parts(self, y: Any, parameters: Tensor) -> tuple[Tensor, ...]:
        """The logit, the other parameters, and a label in the support of both, where it is 0."""
        parameters = ops.convert_to_tensor(parameters)
        y = ops.convert_to_tensor(y, dtype=parameters.dtype)
        zero = y <= 0
        least = 0.0 if self.discrete else 1e-30
        y = ops.where(zero, least * ops.ones_like(y), y)
        return parameters[..., 0], parameters[..., 1:], y, zero

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density, or log-probability of 0.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        logit_, inner, y, zero = self._parts(y, parameters)
        some = self.distribution.log_prob(y, inner)
        log_zero, log_some = ops.log_sigmoid(logit_), ops.log_sigmoid(-logit_) + some
        both = log_zero
        if self.discrete:
            both = log_sum(ops.stack([log_zero + 0.0 * log_some, log_some], axis=-1))
        return -ops.where(zero, both, log_some)

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
        negative = ops.convert_to_tensor(y) < 0
        logit_, inner, y, zero = self._parts(y, parameters)
        some = ops.log_sigmoid(-logit_) + self.distribution.log_cdf(y, inner)
        none = ops.log_sigmoid(logit_) + ops.zeros_like(some)
        found = log_sum(ops.stack([none, some], axis=-1))
        if not self.discrete:  # of small shapes much is less than what stands for 0
            found = ops.where(zero, none, found)
        return ops.where(negative, ops.full_like(found, -float("inf")), found)

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        negative = ops.convert_to_tensor(y) < 0
        logit_, inner, y, zero = self._parts(y, parameters)
        some = self.distribution.log_survival(y, inner)
        if not self.discrete:
            some = ops.where(zero, ops.zeros_like(some), some)
        found = ops.log_sigmoid(-logit_) + some
        return ops.where(negative, ops.zeros_like(found), found)

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        probability = ops.convert_to_tensor(probability, dtype=parameters.dtype)
        share, inner = ops.sigmoid(parameters[..., 0]), parameters[..., 1:]
        none = probability <= share
        rest = (probability - share) / ops.sigmoid(-parameters[..., 0])
        rest = _backend.clip(ops.where(none, 0.5 * ops.ones_like(rest), rest), 1e-7, 1.0 - 1e-7)
        found = self.distribution.quantile(rest, inner)
        return ops.where(none, ops.zeros_like(found), found)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        return ops.sigmoid(-parameters[..., 0]) * self.distribution.mean(parameters[..., 1:])

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        share, inner = ops.sigmoid(parameters[..., 0]), parameters[..., 1:]
        between = share * ops.square(self.distribution.mean(inner))
        return ops.sigmoid(-parameters[..., 0]) * (self.distribution.variance(inner) + between)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, from those of the distribution.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, parameters)`.
        """
        logit_, inner, y, zero = self._parts(y, parameters)
        share, rest = ops.sigmoid(logit_), ops.sigmoid(-logit_)
        least = ops.zeros_like(y) + (0.0 if self.discrete else 1e-30)
        some = self.distribution.crps(y, inner) - share * self.distribution.crps(least, inner)
        return share * ops.where(zero, ops.zeros_like(y), y) + rest * some

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters with those of the distribution rescaled.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            scale: Positive factors `(labels,)`.
            shift: 0.
        """
        parameters = ops.convert_to_tensor(parameters)
        inner = self.distribution.rescale(parameters[..., 1:], scale, shift)
        return ops.concatenate([parameters[..., :1], inner], axis=-1)

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of which 0 is a label of about this mean and deviation.

        Args:
            parameters: The parameters `(..., labels, parameters)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters of this mean, one label in eight an extra zero, and about this spread.

        Args:
            mean: Means of the labels, above 0 `(labels,)`.
            standard_deviation: Their standard deviations, above 0 `(labels,)`.
        """
        share = 1.0 / (1.0 + math.exp(2.0))
        inner = mean / (1.0 - share)
        squared = ops.square(standard_deviation) / (1.0 - share) - share * ops.square(inner)
        squared = _backend.maximum(squared, 0.1 * ops.square(standard_deviation))
        rest = self.distribution.start(inner, ops.sqrt(squared))
        return ops.concatenate([ops.full_like(rest[..., :1], -2.0), rest], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"distribution": serialization.serialize(self.distribution)}
