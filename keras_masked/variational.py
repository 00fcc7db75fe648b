"""Negative evidence lower bounds of observations with holes, one value per sample.

With q(z) = N(m, exp(s)) the variational distribution of a sample's latents, x its observed entries
and x_hat what the decoder makes of one draw of z, the bound on -log p(x) is

    -log p(x | x_hat) + E_q log q(z) - E_q log p(z)

of which the first term, a sum over the observed entries alone, estimates its mean over q, and the
others have closed forms. Leaving entries out of the sum marginalizes over them: the entries are
independent given z.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked.hiding import replace
from keras_masked.missing import Missing
from keras_masked.observation import Observation, observe

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
