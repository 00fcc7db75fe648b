"""Draws from variational distributions, and the bound as the loss of a model."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.layers.base import StrictLayer, register
from keras_masked.losses.variational import gaussian_values
from keras_masked.losses.variational_mixtures import mixture_values
from keras_masked.observation import NAN, Missing, reduce_losses, standardize_missing
from keras_masked.validation import FINITE, INTEGER, POSITIVE_INTEGER, optional

Tensor = Any


@register
class GaussianSampling(StrictLayer):
    r"""Draws from Gaussians in training; their means otherwise.

    $$z = m + e^{s / 2} \epsilon, \quad \epsilon \sim \mathcal N(0, 1)$$

    Args:
        seed: Seed of the draws, which differ at every step all the same.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: a list of two tensors of one shape, means and logarithms of variances; the output has
    that shape.

    Example:

    >>> layer = keras_masked.layers.GaussianSampling()
    >>> layer([np.ones((1, 2)), np.zeros((1, 2))], training=True).shape == (1, 2)
    True
    >>> [float(z) for z in layer([np.ones((1, 2)), np.zeros((1, 2))])[0]]
    [1.0, 1.0]

    Source: Kingma and Welling 2014, the reparametrization of section 2.4.
    """

    admits = {"seed": optional(INTEGER)}

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._generator = keras.random.SeedGenerator(self.seed)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        """Returns the draws.

        Args:
            inputs: Means and logarithms of variances.
            training: Whether to draw.
        """
        mean, log_var = inputs
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self._generator)
        return mean + ops.exp(0.5 * log_var) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the means."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        return {**super().get_config(), "seed": self.seed}


@register
class VariationalEndpoint(StrictLayer):
    r"""Adds the negative evidence lower bound to a model's losses; passes the reconstruction on.

    $$L = \frac{\sum_i o_i L_i}{\sum_i o_i}$$

    with $L_i$ the bound of sample $i$, that of `keras_masked.losses.vae`, or with `clusters` that
    of `vae_gmm` or `vae_comp_gmm`, and $o_i$ 1 where any entry of the sample is observed, else 0.
    The model is compiled without a loss, and fitted to observations alone; `predict` returns their
    reconstructions, holes filled. The layer owns the clusters of the prior, which are trained along
    with the model.

    `evaluate` has the reconstruction of the latents' means in the place of that of a draw, where
    `GaussianSampling` draws: a little less than the bound.

    Args:
        clusters: Number of clusters of the prior; by default, the prior is a standard Gaussian.
        x_log_var: Logarithm of the variance of the observations about their reconstructions.
        missing: Which entries of the observations are missing: `"nan"`, a number, or a tuple.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: a list of four: observations and reconstruction `(samples, ...)`, means and logarithms
    of the variances of the latents `(samples, latent)`, or `(samples, pieces, latent)` for a
    mixture of each piece; the output is the reconstruction.

    Example:

    >>> layer = keras_masked.layers.VariationalEndpoint()
    >>> x, zeros = np.array([[1.0, np.nan], [np.nan, np.nan]]), np.zeros((2, 2))
    >>> reconstruction = layer([x, zeros, zeros, zeros])
    >>> round(float(layer.losses[0]), 4)  # 1 / 2 + log(2 pi) / 2, of the first sample
    1.4189

    Source: Kingma and Welling 2014; Jiang et al. 2017.
    """

    admits = {"clusters": optional(POSITIVE_INTEGER), "x_log_var": FINITE}

    def __init__(
        self,
        clusters: int | None = None,
        x_log_var: float = 0.0,
        missing: Missing = NAN,
        **kwargs: Any,
    ) -> None:
        # Half precision would lose digits, and observations their difference from sentinels.
        super().__init__(**{"autocast": False, **kwargs})
        self.clusters = clusters
        self.x_log_var = x_log_var
        self.missing = standardize_missing(missing)

    def build(self, input_shape: Any) -> None:
        """Creates the clusters, of one mixture or of one per piece."""
        if self.clusters is None:
            return
        *pieces, latent = tuple(input_shape[2])[1:]
        weights, shape = (*pieces, self.clusters), (*pieces, self.clusters, latent)
        # Apart from each other, for clusters that are equal stay equal.
        apart = keras.initializers.RandomNormal(stddev=1.0)
        self.means = self.add_weight(shape=shape, initializer=apart, name="means")
        self.log_vars = self.add_weight(shape=shape, initializer="zeros", name="log_vars")
        self.log_weights = self.add_weight(shape=weights, initializer="zeros", name="log_weights")

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Adds the loss and returns the reconstruction.

        Args:
            inputs: Observations, reconstruction, means and logarithms of variances of the latents.
        """
        x, reconstruction, z_mean, z_log_var = inputs
        shared = x, reconstruction, z_mean, z_log_var
        if self.clusters is None:
            losses, samples = gaussian_values(*shared, 0.0, 0.0, self.x_log_var, self.missing)
        else:
            prior = self.means, self.log_vars, self.log_weights
            losses, _, samples = mixture_values(*shared, *prior, self.x_log_var, self.missing)
        _backend.add_to_layer(self, reduce_losses(losses, samples, "mean", True))
        return reconstruction

    def responsibilities(self, z_mean: Tensor, z_log_var: Tensor) -> Tensor:
        """Returns the share of each cluster in each sample, `(samples, ..., clusters)`.

        Args:
            z_mean: Means of the latents.
            z_log_var: Logarithms of their variances.
        """
        if self.clusters is None:
            raise ValueError("The prior has no clusters. Received: clusters=None")
        nothing = ops.zeros((z_mean.shape[0], 1))
        prior = self.means, self.log_vars, self.log_weights
        return mixture_values(nothing, nothing, z_mean, z_log_var, *prior, 0.0, NAN)[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the reconstruction."""
        return input_shape[1]

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        own = {"clusters": self.clusters, "x_log_var": self.x_log_var, "missing": self.missing}
        return {**super().get_config(), **own}
