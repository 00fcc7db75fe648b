"""The negative evidence lower bound of a Gaussian prior, one value per sample: maths and function.

With q(z) = N(m, exp(s)) the variational distribution of a sample's latents, x its observed entries
and x_hat what the decoder makes of one draw of z, the bound on -log p(x) is

    -log p(x | x_hat) + E_q log q(z) - E_q log p(z)

of which the first term, a sum over the observed entries alone, estimates its mean over q, and the
others have closed forms. Leaving entries out of the sum marginalizes over them: the entries are
independent given z. Priors that are mixtures are in `variational_mixtures`.
"""

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
    losses, samples = reconstruction_values(x, reconstruction, x_log_var, missing)
    z_mean, z_log_var = latents_of(z_mean, z_log_var, losses, samples)

    def of_prior(parameter: Tensor) -> Tensor:
        parameter = ops.convert_to_tensor(parameter, dtype=losses.dtype)
        # Of each sample, perhaps: then as hidden as its latents are.
        return replace(ops.broadcast_to(parameter, ops.shape(z_mean)), samples.hidden, 0.0)

    mean, log_var = of_prior(prior_mean), of_prior(prior_log_var)
    squares = ops.exp(z_log_var - log_var) + ops.square(z_mean - mean) * ops.exp(-log_var)
    losses = losses + 0.5 * sum_rows(log_var - z_log_var + squares - 1.0)
    return replace(losses, samples.hidden, 0.0), samples


def reconstruction_values(
    x: Tensor, reconstruction: Tensor, x_log_var: Tensor, missing: Missing
) -> tuple[Tensor, Observation]:
    """-log p(x | z), summed over the observed entries, and which samples have any."""
    seen = observe(x, reconstruction, missing=missing)
    shape = ops.shape(seen.y_pred)
    log_var = ops.convert_to_tensor(x_log_var, dtype=seen.y_pred.dtype)
    log_var = replace(ops.broadcast_to(log_var, shape), seen.hidden, 0.0)
    x, mean = (replace(each, seen.hidden, 0.0) for each in (seen.y_true, seen.y_pred))
    losses = 0.5 * (LOG_2_PI + log_var + ops.square(x - mean) * ops.exp(-log_var))
    losses = sum_rows(replace(losses, seen.hidden, 0.0))
    observed = seen.observed
    if observed is not None and len(observed.shape) > 1:
        observed = ops.any(observed, axis=tuple(range(1, len(observed.shape))))
    return losses, Observation(seen.y_true, seen.y_pred, observed, None, seen.dtype)


def latents_of(
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


def sum_rows(x: Tensor) -> Tensor:
    """The sum over all axes but the first."""
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
