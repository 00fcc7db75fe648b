"""Layers that belong to losses: where draws, priors and losses of several tensors live."""

from __future__ import annotations

from keras_masked.layers.variational import GaussianSampling, VariationalEndpoint

__all__ = ["GaussianSampling", "VariationalEndpoint"]
