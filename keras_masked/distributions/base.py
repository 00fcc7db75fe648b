"""Distributions of a label, whose parameters a model predicts: what losses and metrics ask of them.

A distribution holds no parameters of its own. A model predicts them, on the last axis of its
output, `(..., labels, parameters)`; each method takes them from there.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import serialization

Tensor = Any


register = serialization.register("keras_masked.distributions")


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
