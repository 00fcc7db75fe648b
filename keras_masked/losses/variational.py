"""Negative evidence lower bounds: the maths and the functions."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked.losses.base import register
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    observe,
    replace,
    standardize_missing,
    with_mask,
)

Tensor = Any


LOG_2_PI = math.log(2 * math.pi)


def gaussian_values(
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    prior_mean: Tensor,
    prior_log_var: Tensor,
    x_log_var: Tensor,
    missing: Missing,
) -> tuple[Tensor, Observation]:
    """The bound of each sample with one Gaussian as prior, and which samples count."""
    losses, samples = _reconstruction_values(x, reconstruction, x_log_var, missing)
    z_mean, z_log_var = _latents(z_mean, z_log_var, losses, samples)

    def of_prior(parameter: Tensor) -> Tensor:
        parameter = ops.convert_to_tensor(parameter, dtype=losses.dtype)
        # Of each sample, perhaps: then as hidden as its latents are.
        return replace(ops.broadcast_to(parameter, ops.shape(z_mean)), samples.hidden, 0.0)

    mean, log_var = of_prior(prior_mean), of_prior(prior_log_var)
    squares = ops.exp(z_log_var - log_var) + ops.square(z_mean - mean) * ops.exp(-log_var)
    losses = losses + 0.5 * _sum_rows(log_var - z_log_var + squares - 1.0)
    return replace(losses, samples.hidden, 0.0), samples


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
    losses, samples = _reconstruction_values(x, reconstruction, x_log_var, missing)
    z_mean, z_log_var = _latents(z_mean, z_log_var, losses, samples)
    means, log_vars, log_weights = (
        ops.convert_to_tensor(each, dtype=losses.dtype) for each in (means, log_vars, log_weights)
    )
    _check_clusters(z_mean, means, log_vars, log_weights)
    log_weights = ops.log_softmax(log_weights, axis=-1)
    mean, var = ops.expand_dims(z_mean, -2), ops.expand_dims(ops.exp(z_log_var), -2)
    squares = (var + ops.square(mean - means)) * ops.exp(-log_vars)
    joint = log_weights - 0.5 * ops.sum(LOG_2_PI + log_vars + squares, axis=-1)
    entropy = 0.5 * _sum_rows(1.0 + LOG_2_PI + z_log_var)
    whole = ops.logsumexp(joint, axis=-1)
    losses = losses - _sum_rows(whole) - entropy
    shares = ops.exp(joint - ops.expand_dims(whole, -1))  # softmax warns of a single cluster
    if samples.hidden is not None:  # the prior's, where there is nothing to go by
        hidden = ops.reshape(samples.hidden(), (-1,) + (1,) * (len(shares.shape) - 1))
        shares = ops.where(hidden, ops.exp(log_weights), shares)
    return replace(losses, samples.hidden, 0.0), shares, samples


def _reconstruction_values(
    x: Tensor, reconstruction: Tensor, x_log_var: Tensor, missing: Missing
) -> tuple[Tensor, Observation]:
    """-log p(x | z), summed over the observed entries, and which samples have any."""
    seen = observe(x, reconstruction, missing=missing)
    shape = ops.shape(seen.y_pred)
    log_var = ops.convert_to_tensor(x_log_var, dtype=seen.y_pred.dtype)
    log_var = replace(ops.broadcast_to(log_var, shape), seen.hidden, 0.0)
    x, mean = (replace(each, seen.hidden, 0.0) for each in (seen.y_true, seen.y_pred))
    losses = 0.5 * (LOG_2_PI + log_var + ops.square(x - mean) * ops.exp(-log_var))
    losses = _sum_rows(replace(losses, seen.hidden, 0.0))
    observed = seen.observed
    if observed is not None and len(observed.shape) > 1:
        observed = ops.any(observed, axis=tuple(range(1, len(observed.shape))))
    return losses, Observation(seen.y_true, seen.y_pred, observed, None, seen.dtype)


def _latents(
    z_mean: Tensor, z_log_var: Tensor, losses: Tensor, samples: Observation
) -> tuple[Tensor, Tensor]:
    """Both parameters of q, 0 where a sample does not count."""
    z_mean = ops.convert_to_tensor(z_mean, dtype=losses.dtype)
    z_log_var = ops.convert_to_tensor(z_log_var, dtype=losses.dtype)
    shapes = tuple(z_mean.shape), tuple(z_log_var.shape)
    rows = losses.shape[0]
    apart = len(shapes[0]) > 0 and None not in (rows, shapes[0][0]) and rows != shapes[0][0]
    if shapes[0] != shapes[1] or len(shapes[0]) < 2 or apart:
        raise ValueError(
            "`z_mean` and `z_log_var` must have one shape, (samples, ..., latent). Received: "
            f"z_mean.shape={shapes[0]}, z_log_var.shape={shapes[1]} for {rows} samples."
        )
    return replace(z_mean, samples.hidden, 0.0), replace(z_log_var, samples.hidden, 0.0)


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


def _sum_rows(x: Tensor) -> Tensor:
    return x if len(x.shape) < 2 else ops.sum(x, axis=tuple(range(1, len(x.shape))))


@register
def vae(
    x: Tensor,
    reconstruction: Tensor,
    z_mean: Tensor,
    z_log_var: Tensor,
    *,
    prior_mean: Tensor = 0.0,
    prior_log_var: Tensor = 0.0,
    x_log_var: Tensor = 0.0,
    missing: Missing = NAN,
) -> Tensor:
    r"""Returns the negative evidence lower bound of each sample, of its observed entries.

    $$L_i = \sum_d o_{id} \left[ \frac{(x_{id} - \hat x_{id})^2}{2 \sigma^2_{id}}
        + \frac{1}{2} \log 2 \pi \sigma^2_{id} \right]
        + \mathrm{KL}\big(\mathcal N(m_i, v_i) \,\|\, \mathcal N(\mu, \nu)\big)$$

    with $o_{id}$ 1 where entry $d$ of sample $i$ is observed, else 0, and $\sigma^2$, $v$ and
    $\nu$ the exponentials of `x_log_var`, `z_log_var` and `prior_log_var`. It bounds
    $-\log p(x)$ of the observed entries from above, in the mean over draws of $z$. A sample of
    which nothing is observed is 0.

    Args:
        x: Observations `(samples, ...)`, some of them missing.
        reconstruction: What the decoder makes of one draw of the latents, of that shape.
        z_mean: Means of the latents, `(samples, latent)`.
        z_log_var: Logarithms of their variances.
        prior_mean: Mean of the prior; a number, `(latent,)` or one per sample.
        prior_log_var: Logarithm of its variance.
        x_log_var: Logarithm of the variance of `x` about the reconstruction: a number, or what
            broadcasts to the shape of `x`, predicted too, perhaps.
        missing: Which entries of `x` are missing: `"nan"`, a number, or a tuple of these.

    Example:

    >>> x = np.array([[1.0, np.nan], [np.nan, np.nan]])
    >>> reconstruction, zeros = np.array([[0.0, 5.0], [5.0, 5.0]]), np.zeros((2, 3))
    >>> losses = keras_masked.losses.vae(x, reconstruction, zeros + 1, zeros)
    >>> [round(float(loss), 4) for loss in losses]  # 1 / 2 + log(2 pi) / 2 + 3 / 2
    [2.9189, 0.0]

    Source: Kingma and Welling 2014, equation 10 and appendix B; `symjax.nn.losses.vae`.
    """
    losses, samples = gaussian_values(
        x,
        reconstruction,
        z_mean,
        z_log_var,
        prior_mean,
        prior_log_var,
        x_log_var,
        standardize_missing(missing),
    )
    return with_mask(losses, samples)


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
