"""Distributions of a label, whose parameters a model predicts: what losses and metrics ask of them.

A distribution holds no parameters of its own. A model predicts them, on the last axis of its
output, `(..., labels, parameters)`; each method takes them from there.
"""

from keras_masked.distributions.base import Distribution
from keras_masked.distributions.counts import NegativeBinomial, Poisson
from keras_masked.distributions.evidential import NormalInverseGamma
from keras_masked.distributions.hazards import DiscreteHazard
from keras_masked.distributions.histogram import Histogram
from keras_masked.distributions.inflated import ZeroInflated
from keras_masked.distributions.lookup import deserialize, get, serialize
from keras_masked.distributions.mixtures import Mixture
from keras_masked.distributions.multivariate import MultivariateGaussian
from keras_masked.distributions.positive import Exponential, LogLogistic, LogNormal, Weibull
from keras_masked.distributions.quantiles import Quantiles
from keras_masked.distributions.real import Gaussian, Laplace, Logistic, StudentT
from keras_masked.distributions.shapes import Beta, Gamma

__all__ = [
    "Beta",
    "DiscreteHazard",
    "Distribution",
    "Exponential",
    "Gamma",
    "Gaussian",
    "Histogram",
    "Laplace",
    "LogLogistic",
    "LogNormal",
    "Logistic",
    "Mixture",
    "MultivariateGaussian",
    "NegativeBinomial",
    "NormalInverseGamma",
    "Poisson",
    "Quantiles",
    "StudentT",
    "Weibull",
    "ZeroInflated",
    "deserialize",
    "get",
    "serialize",
]


def __dir__() -> list[str]:
    """What is public, for completions."""
    return sorted(__all__)
