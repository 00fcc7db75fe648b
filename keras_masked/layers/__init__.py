"""Layers that belong to losses: where draws, priors and losses of several tensors live."""

from __future__ import annotations

from keras_masked.layers.denormalization import LabelDenormalization
from keras_masked.layers.endpoint import LossEndpoint
from keras_masked.layers.fill_missing import FillMissing
from keras_masked.layers.heads import DistributionHead
from keras_masked.layers.normalization import LabelNormalization
from keras_masked.layers.variational import GaussianSampling, VariationalEndpoint
from keras_masked.layers.vocabulary import LinearCrossentropy

__all__ = [
    "DistributionHead",
    "FillMissing",
    "GaussianSampling",
    "LabelDenormalization",
    "LabelNormalization",
    "LinearCrossentropy",
    "LossEndpoint",
    "VariationalEndpoint",
]


def __dir__() -> list[str]:
    """What is public, for completions."""
    return sorted(__all__)
