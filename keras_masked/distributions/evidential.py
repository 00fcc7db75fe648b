"""Evidential distributions: of the parameters of others."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.real import StudentT

Tensor = Any


@register
class NormalInverseGamma(Distribution):
    r"""Evidential regression: a distribution of the mean and the variance of a Gaussian.

    $$\mu \sim N(m, \sigma^2 / \nu), \quad \sigma^2 \sim \Gamma^{-1}(\alpha, \beta)$$

    so that a label has Student's t distribution with $2 \alpha$ degrees of freedom, location $m$
    and squared scale $\beta (1 + \nu) / (\nu \alpha)$. `aleatoric` and `epistemic` are the two
    parts of its variance. The likelihood says nothing of how to part them: only their sum is
    learned.

    Shapes: parameters `(..., labels, 4)`: $m$, and logarithms of $\nu$, of $\alpha - 1$ and of
    $\beta$.

    Example:

    >>> evidential = keras_masked.distributions.NormalInverseGamma()
    >>> parameters = np.array([[[1.0, 0.0, 0.0, 0.0]]])  # nu 1, alpha 2, beta 1
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     evidential.mean(parameters), evidential.variance(parameters),
    ...     evidential.aleatoric(parameters), evidential.epistemic(parameters))]
    [1.0, 2.0, 1.0, 1.0]

    Source: Amini et al. 2020, "Deep evidential regression", equations 5 and 8, here without the
    regularizer of equation 9; Meinert, Gawlikowski and Lavin 2023, "The unreasonable effectiveness
    of deep evidential regression", for what it does not deliver.
    """

    parameters = ("mean", "log_nu", "log_alpha", "log_beta")
    constant = StudentT.constant
    _student = StudentT()

    def _predictive(self, parameters: Tensor) -> Tensor:
        """Location, log-scale and log(df - 2) of Student's t distribution."""
        parameters = ops.convert_to_tensor(parameters)
        mean, log_nu, log_alpha, log_beta = (parameters[..., i] for i in range(4))
        # (1 + nu) / nu = 1 + exp(-log_nu), alpha = 1 + exp(log_alpha)
        squared = log_beta + ops.softplus(-log_nu) - ops.softplus(log_alpha)
        return ops.stack([mean, 0.5 * squared, log_alpha + math.log(2.0)], axis=-1)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density, less log(pi) / 2.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.nll(y, self._predictive(parameters))

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.cdf(y, self._predictive(parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.log_cdf(y, self._predictive(parameters))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.log_survival(y, self._predictive(parameters))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability, by search.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.quantile(probability, self._predictive(parameters))

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns m.

        Args:
            parameters: The parameters `(..., labels, 4)`.
        """
        return ops.convert_to_tensor(parameters)[..., 0]

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance of a label, aleatoric and epistemic.

        Args:
            parameters: The parameters `(..., labels, 4)`.
        """
        return self.aleatoric(parameters) + self.epistemic(parameters)

    def aleatoric(self, parameters: Tensor) -> Tensor:
        """Returns beta / (alpha - 1), what is expected of the variance of labels.

        Args:
            parameters: The parameters `(..., labels, 4)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        return ops.exp(parameters[..., 3] - parameters[..., 2])

    def epistemic(self, parameters: Tensor) -> Tensor:
        """Returns beta / (nu (alpha - 1)), the variance of the mean.

        Args:
            parameters: The parameters `(..., labels, 4)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        return ops.exp(parameters[..., 3] - parameters[..., 2] - parameters[..., 1])

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, in the units of the label.

        Args:
            y: Labels `(..., labels)`.
            parameters: The parameters `(..., labels, 4)`.
        """
        return self._student.crps(y, self._predictive(parameters))

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns the parameters with a m + b and log(beta) + 2 log a.

        Args:
            parameters: The parameters `(..., labels, 4)`.
            scale: Positive factors a `(labels,)`.
            shift: What is added then, b `(labels,)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        mean = parameters[..., 0] * scale + shift
        log_beta = parameters[..., 3] + 2.0 * ops.log(scale)
        return ops.stack([mean, parameters[..., 1], parameters[..., 2], log_beta], axis=-1)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns parameters that have this mean and standard deviation, half of it epistemic.

        Args:
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations, above 0 `(labels,)`.
        """
        zeros = ops.zeros_like(mean)
        log_beta = 2.0 * ops.log(standard_deviation) - math.log(2.0)
        return ops.stack([mean, zeros, zeros, log_beta], axis=-1)
