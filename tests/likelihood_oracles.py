"""Likelihoods of labels whose distributions are predicted: float64 NumPy, and as Keras would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops
from scipy.special import logsumexp
from scipy.stats import norm

Array = np.ndarray


def gaussian_nll(y: Array, p: Array) -> Array:
    scale = np.exp(p[..., 1] / 2)
    return -norm.logpdf(y, p[..., 0], scale) - np.log(2 * np.pi) / 2


def mixture_nll(y: Array, p: Array) -> Array:
    log_weight = p[..., ::3] - logsumexp(p[..., ::3], axis=-1, keepdims=True)
    log_density = norm.logpdf(y[..., None], p[..., 1::3], np.exp(p[..., 2::3] / 2))
    return -np.asarray(logsumexp(log_weight + log_density, axis=-1))


def gaussian_covers(level: float) -> Callable[[Array, Array], Array]:
    def covers(y: Array, p: Array) -> Array:
        low, high = norm.interval(level, p[..., 0], np.exp(p[..., 1] / 2))
        return ((low <= y) & (y <= high)).astype(float)

    return covers


def scatter(y: Array, p: Array, w: Array) -> float:
    """Of standardized residuals."""
    z = (y - p[..., 0]) / np.exp(p[..., 1] / 2)
    if np.count_nonzero(w) < 2:
        return np.nan
    return float(np.sqrt(np.average((z - np.average(z, weights=w)) ** 2, weights=w)))


def nodes(draws: int, dimensions: int) -> Array:
    """Standard normals: ranks of the fractional parts of t / phi^j + 1/2."""
    phi = max(np.roots([1, *[0] * (dimensions - 1), -1, -1]).real)
    parts = np.arange(1, draws + 1)[:, None] / phi ** np.arange(1, dimensions + 1) + 0.5
    ranks = np.argsort(np.argsort(parts % 1, axis=0), axis=0)
    return np.asarray(norm.ppf((ranks + 0.5) / draws))


def crossentropy(y: Array, logits: Array, classes: bool) -> Array:
    if classes:
        return (y * (logsumexp(logits, axis=-1, keepdims=True) - logits)).sum(-1)
    return np.logaddexp(0, np.where(y > 0.5, -logits, logits))


def drawn(draws: int, classes: bool) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Cross-entropies at the mean and of each draw."""

    def both(y: Array, p: Array) -> tuple[Array, Array]:
        eps = nodes(draws, p.shape[-2] if classes else 1)
        eps = eps[:, None, :] if classes else eps
        logits = p[..., 0] + np.exp(p[..., 1] / 2) * eps
        return crossentropy(y, p[..., 0], classes), crossentropy(y[None], logits, classes)

    return both


def robust(draws: int, classes: bool) -> Callable[[Array, Array], Array]:
    def loss(y: Array, p: Array) -> Array:
        mean, each = drawn(draws, classes)(y, p)
        x = mean - each
        distorted = -np.where(x > 0, x, np.expm1(np.minimum(x, 0))).mean(0)
        variance = np.exp(p[..., 1]) - 1
        return mean + mean * distorted + (variance.mean(-1) if classes else variance)

    return loss


def bayesian(draws: int, classes: bool) -> Callable[[Array, Array], Array]:
    def loss(y: Array, p: Array) -> Array:
        return -np.log(np.exp(-drawn(draws, classes)(y, p)[1]).mean(0))

    return loss


# As Keras would: backpropagation through another implementation.


def plain_gaussian(y: Any, p: Any) -> Any:
    return (y - p[..., 0]) ** 2 / (2 * ops.exp(p[..., 1])) + p[..., 1] / 2


def plain_mixture(y: Any, p: Any) -> Any:
    density = 0.0
    for i in (0, 3):
        weight = ops.sigmoid(p[..., i] - p[..., 3 - i])
        exponent = -((y - p[..., i + 1]) ** 2) / (2 * ops.exp(p[..., i + 2]))
        density += weight * ops.exp(exponent - p[..., i + 2] / 2) / np.sqrt(2 * np.pi)
    return -ops.log(density)


def plain_covers(level: float) -> Callable[[Any, Any], Any]:
    def covers(y: Any, p: Any) -> Any:
        z = ops.abs(y - p[..., 0]) / ops.sqrt(ops.exp(p[..., 1]))
        return ops.cast(z <= norm.ppf(0.5 + level / 2), "float32")

    return covers


def plain_drawn(draws: int, classes: bool, likelihood: bool) -> Callable[[Any, Any], Any]:
    """One draw after the other, each in probabilities."""

    def values(y: Any, p: Any) -> Any:
        eps = ops.convert_to_tensor(nodes(draws, p.shape[-2] if classes else 1), dtype=p.dtype)

        def of_label(logits: Any) -> Any:
            if classes:
                return ops.sum(ops.softmax(logits) * y, axis=-1)
            q = ops.sigmoid(logits)
            return q * y + (1 - q) * (1 - y)

        each = [of_label(p[..., 0] + ops.sqrt(ops.exp(p[..., 1])) * e) for e in eps]
        if likelihood:
            return -ops.log(sum(each) / draws)
        mean = -ops.log(of_label(p[..., 0]))
        distorted = -sum(ops.elu(mean + ops.log(q)) for q in each) / draws
        variance = ops.exp(p[..., 1]) - 1
        return mean + mean * distorted + (ops.mean(variance, axis=-1) if classes else variance)

    return values


def signed_percentage_error(y: Array, p: Array) -> Array:
    return 100 * (y - p) / y
