"""The negative evidence lower bound with mixtures as priors, one value per sample."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.losses.base import register
from keras_masked.losses.variational import LOG_2_PI, latents_of, reconstruction_values, sum_rows
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    replace,
    standardize_missing,
    with_mask,
)

Tensor = Any


def mixture_values(
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    means: Tensor,
    log_vars: Tensor,
    log_weights: Tensor,
    x_log_var: Tensor,
    missing: Missing,
) -> tuple[Tensor, Tensor, Observation]:
    """The bound of each sample with mixtures as prior, their responsibilities, and what counts.

    Latents are `(samples, ..., latent)`, the means of clusters `(..., clusters, latent)`. With
    e_c = log pi_c + E_q log N(z; mu_c, var_c), the bound over all q(c | x) q(z) is tightest at
    q(c | x) = softmax(e), where E_q [log p(z, c) - log q(c | x)] = logsumexp(e).
    """
    losses, samples = reconstruction_values(x, reconstruction, x_log_var, missing)
    z_mean, z_log_var = latents_of(z_mean, z_log_var, losses, samples)
    means, log_vars, log_weights = (
        ops.convert_to_tensor(each, dtype=losses.dtype) for each in (means, log_vars, log_weights)
    )
    _check_clusters(z_mean, means, log_vars, log_weights)
    log_weights = ops.log_softmax(log_weights, axis=-1)
    mean, var = ops.expand_dims(z_mean, -2), ops.expand_dims(ops.exp(z_log_var), -2)
    squares = (var + ops.square(mean - means)) * ops.exp(-log_vars)
    joint = log_weights - 0.5 * ops.sum(LOG_2_PI + log_vars + squares, axis=-1)
    entropy = 0.5 * sum_rows(1.0 + LOG_2_PI + z_log_var)
    whole = ops.logsumexp(joint, axis=-1)
    losses = losses - sum_rows(whole) - entropy
    shares = ops.exp(joint - ops.expand_dims(whole, -1))  # softmax warns of a single cluster
    if samples.hidden is not None:  # the prior's, where there is nothing to go by
        hidden = ops.reshape(samples.hidden(), (-1,) + (1,) * (len(shares.shape) - 1))
        shares = ops.where(hidden, ops.exp(log_weights), shares)
    return replace(losses, samples.hidden, 0.0), shares, samples


def _check_clusters(z_mean: Tensor, means: Tensor, log_vars: Tensor, log_weights: Tensor) -> None:
    latent, shape = tuple(z_mean.shape)[1:], tuple(means.shape)
    right = len(shape) == len(latent) + 1 and (*shape[:-2], shape[-1]) == latent
    if not right or tuple(log_vars.shape) != shape or tuple(log_weights.shape) != shape[:-1]:
        raise ValueError(
            "`means` and `log_vars` must have the shape of the latents with an axis of clusters "
            "before the last, `log_weights` that shape without the last. Received: "
            f"z_mean.shape={tuple(z_mean.shape)}, means.shape={shape}, "
            f"log_vars.shape={tuple(log_vars.shape)}, log_weights.shape={tuple(log_weights.shape)}"
        )


@register
def vae_gmm(
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    means: Tensor,
    log_vars: Tensor,
    log_weights: Tensor,
    *,
    x_log_var: Tensor = 0.0,
    missing: Missing = NAN,
) -> tuple[Tensor, Tensor]:
    r"""Returns the bound of `vae` with a mixture of Gaussians as prior, and its responsibilities.

    $$L_i = -\log p(x_i \mid \hat x_i) - \sum_c \gamma_{ic} \left(e_{ic} - \log \gamma_{ic}\right)
        - \mathrm H\big[\mathcal N(m_i, v_i)\big], \quad
      \gamma_i = \mathrm{softmax}(e_i)$$

    $$e_{ic} = \log \pi_c + \mathrm E_{z \sim \mathcal N(m_i, v_i)} \log \mathcal N(z; \mu_c, \nu_c)
      = \log \pi_c - \frac{1}{2} \sum_k \left[ \log 2 \pi \nu_{ck}
        + \frac{v_{ik} + (m_{ik} - \mu_{ck})^2}{\nu_{ck}} \right]$$

    with the first term as in `vae`, over the observed entries. The responsibilities $\gamma$ are
    those that make the bound tightest. A sample of which nothing is observed has a loss of 0 and
    the prior's weights for responsibilities.

    Args:
        x: Observations `(samples, ...)`, some of them missing.
        reconstruction: What the decoder makes of one draw of the latents, of that shape.
        z_mean: Means of the latents, `(samples, latent)`.
        z_log_var: Logarithms of their variances.
        means: Means of the clusters, `(clusters, latent)`.
        log_vars: Logarithms of their variances.
        log_weights: Logarithms of their weights, `(clusters,)`; the softmax is taken, so that they
            need not be normalized.
        x_log_var: Logarithm of the variance of `x` about the reconstruction.
        missing: Which entries of `x` are missing: `"nan"`, a number, or a tuple of these.

    Returns:
        The losses `(samples,)` and the responsibilities `(samples, clusters)`.

    Example:

    >>> x, reconstruction = np.array([[1.0, np.nan]]), np.array([[0.0, 5.0]])
    >>> losses, shares = keras_masked.losses.vae_gmm(
    ...     x, reconstruction, np.zeros((1, 1)), np.zeros((1, 1)),
    ...     means=np.array([[0.0], [2.0]]), log_vars=np.zeros((2, 1)), log_weights=np.zeros(2))
    >>> [round(float(share), 4) for share in shares[0]]  # 1 / (1 + exp(-2))
    [0.8808, 0.1192]

    Source: Jiang et al. 2017 (VaDE), equation 9, with the responsibilities that maximize it rather
    than those of one draw of z (equation 16); `symjax.nn.losses.vae_gmm`.
    """
    return _mixture(
        2,
        x,
        reconstruction,
        z_mean,
        z_log_var,
        means,
        log_vars,
        log_weights,
        x_log_var,
        missing,
    )


@register
def vae_comp_gmm(
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    means: Tensor,
    log_vars: Tensor,
    log_weights: Tensor,
    *,
    x_log_var: Tensor = 0.0,
    missing: Missing = NAN,
) -> tuple[Tensor, Tensor]:
    r"""Returns the bound of `vae_gmm` for latents in pieces, each with a mixture of its own.

    The prior is the product of the mixtures, $p(z) = \prod_j \sum_c \pi_{jc}
    \mathcal N(z_j; \mu_{jc}, \nu_{jc})$, so that the terms of the latents in the bound of `vae_gmm`
    become sums over the pieces, and each piece has its responsibilities.

    Args:
        x: Observations `(samples, ...)`, some of them missing.
        reconstruction: What the decoder makes of one draw of the latents, of that shape.
        z_mean: Means of the latents, `(samples, pieces, latent)`.
        z_log_var: Logarithms of their variances.
        means: Means of the clusters, `(pieces, clusters, latent)`.
        log_vars: Logarithms of their variances.
        log_weights: Logarithms of their weights, `(pieces, clusters)`, not necessarily normalized.
        x_log_var: Logarithm of the variance of `x` about the reconstruction.
        missing: Which entries of `x` are missing: `"nan"`, a number, or a tuple of these.

    Returns:
        The losses `(samples,)` and the responsibilities `(samples, pieces, clusters)`.

    Example:

    >>> x, reconstruction = np.array([[1.0, np.nan]]), np.array([[0.0, 5.0]])
    >>> means = np.array([[[0.0], [2.0]], [[1.0], [-1.0]]])  # two pieces of two clusters
    >>> losses, shares = keras_masked.losses.vae_comp_gmm(
    ...     x, reconstruction, np.zeros((1, 2, 1)), np.zeros((1, 2, 1)),
    ...     means=means, log_vars=np.zeros_like(means), log_weights=np.zeros((2, 2)))
    >>> [[round(float(share), 4) for share in piece] for piece in shares[0]]
    [[0.8808, 0.1192], [0.5, 0.5]]

    Source: the product of the priors of Jiang et al. 2017; `symjax.nn.losses.vae_comp_gmm`.
    """
    return _mixture(
        3,
        x,
        reconstruction,
        z_mean,
        z_log_var,
        means,
        log_vars,
        log_weights,
        x_log_var,
        missing,
    )


def _mixture(
    rank: int,
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    means: Tensor,
    log_vars: Tensor,
    log_weights: Tensor,
    x_log_var: Tensor,
    missing: Missing,
) -> tuple[Tensor, Tensor]:
    if len(z_mean.shape) != rank:
        axes = "(samples, latent)" if rank == 2 else "(samples, pieces, latent)"
        raise ValueError(
            f"`z_mean` must have shape {axes}. Received: z_mean.shape={tuple(z_mean.shape)}"
        )
    losses, shares, samples = mixture_values(
        x,
        reconstruction,
        z_mean,
        z_log_var,
        means,
        log_vars,
        log_weights,
        x_log_var,
        standardize_missing(missing),
    )
    return with_mask(losses, samples), shares
