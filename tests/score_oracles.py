"""Quantile losses and scores of ensembles and intervals: float64 NumPy, and as Keras would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops
from scipy.stats import norm

Array = np.ndarray
LEVELS = (0.1, 0.5, 0.9)
"""Of predicted quantiles."""


def quantiles(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Labels, and three quantiles predicted for each, some of which cross."""
    y = rng.normal(size=shape)
    return y, y[..., None] + np.array([-0.8, 0, 0.8]) + rng.normal(size=(*shape, 3))


def intervals(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y = rng.normal(size=shape)
    return y, y[..., None] + np.array([-0.5, 0.5]) + rng.normal(size=(*shape, 2))


def ensembles(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y = rng.normal(size=shape)
    return y, y[..., None] + rng.normal(size=shape)[..., None] + rng.normal(size=(*shape, 4))


def ensembles_of_rows(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Rows of three labels."""
    return ensembles(rng, (*shape, 3))


# Of deleted data


def pinball(q: float) -> Callable[[Array, Array], Array]:
    return lambda y, p: np.maximum(q * (y - p), (q - 1) * (y - p))


def pinball_of_levels(y: Array, p: Array) -> Array:
    return np.mean([pinball(q)(y, p[..., k]) for k, q in enumerate(LEVELS)], axis=0)


def expectile(tau: float) -> Callable[[Array, Array], Array]:
    return lambda y, p: np.abs(tau - (y < p)) * (y - p) ** 2


def ensemble_crps(fair: bool) -> Callable[[Array, Array], Array]:
    def score(y: Array, p: Array) -> Array:
        m = p.shape[-1]
        apart = np.abs(p[..., :, None] - p[..., None, :]).sum((-2, -1))
        pairs = m * (m - 1) if fair else m * m
        return np.abs(p - y[..., None]).mean(-1) - apart / (2 * pairs)

    return score


def energy_score(fair: bool) -> Callable[[Array, Array], Array]:
    def score(y: Array, p: Array) -> Array:
        m = p.shape[-1]
        from_label = np.linalg.norm(p - y[..., None], axis=-2).mean(-1)
        apart = np.linalg.norm(p[..., :, None] - p[..., None, :], axis=-3).sum((-2, -1))
        return from_label - apart / (2 * (m * (m - 1) if fair else m * m))

    return score


def interval_score(level: float) -> Callable[[Array, Array], Array]:
    def score(y: Array, p: Array) -> Array:
        low, high = p[..., 0], p[..., 1]
        beyond = np.maximum(low - y, 0) + np.maximum(y - high, 0)
        return high - low + 2 / (1 - level) * beyond

    return score


def weighted_interval_score(levels: Sequence[float]) -> Callable[[Array, Array], Array]:
    """Bracher et al. 2021, equation 1."""

    def score(y: Array, p: Array) -> Array:
        size = len(levels)
        total = np.abs(y - p[..., size]) / 2
        for k, level in enumerate(levels, 1):
            ends = np.stack([p[..., size - k], p[..., size + k]], axis=-1)
            total = total + (1 - level) / 2 * interval_score(level)(y, ends)
        return total / (size + 0.5)

    return score


def of_gaussian(
    score: Callable[[Array, Array], Array], probabilities: Sequence[float]
) -> Callable[[Array, Array], Array]:
    """The score of quantiles, of the Gaussian's."""

    def of(y: Array, p: Array) -> Array:
        z = norm.ppf(probabilities)
        return score(y, p[..., :1] + np.exp(p[..., 1:] / 2) * z)

    return of


def gaussian_width(level: float) -> Callable[[Array, Array], Array]:
    return lambda y, p: 2 * norm.ppf(0.5 + level / 2) * np.exp(p[..., 1] / 2)


def gaussian_crps(y: Array, p: Array) -> Array:
    scale = np.exp(p[..., 1] / 2)
    z = (y - p[..., 0]) / scale
    return scale * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


def calibration_error(levels: Sequence[float]) -> Callable[[Array, Array, Array], float]:
    def error(y: Array, p: Array, w: Array) -> float:
        if not np.any(w):
            return np.nan
        q = p[:, :1] + np.exp(p[:, 1:] / 2) * norm.ppf(levels)
        below = np.average(y[:, None] <= q, axis=0, weights=w)
        return float(np.abs(below - np.asarray(levels)).mean())

    return error


def pit_histogram(bins: int) -> Callable[[Array, Array, Array], Any]:
    def shares(y: Array, p: Array, w: Array) -> Any:
        pit = norm.cdf(y, p[:, 0], np.exp(p[:, 1] / 2))
        counts = np.histogram(pit, bins, (0, 1), weights=w)[0]
        return counts / counts.sum() if np.any(w) else np.full(bins, np.nan)

    return shares


def d2_pinball(q: float) -> Callable[[Array, Array, Array], float]:
    def score(y: Array, p: Array, w: Array) -> float:
        y, p, w = y[w > 0], p[w > 0], w[w > 0]
        if len(np.unique(y)) < 2:
            return np.nan
        loss = pinball(q)
        best = min(np.sum(w * loss(y, a)) for a in y)  # the least is at a label
        return float(1 - np.sum(w * loss(y, p)) / best)

    return score


# As Keras would: backpropagation through another implementation.


def plain_pinball(q: float) -> Callable[[Any, Any], Any]:
    return lambda y, p: ops.relu(y - p) * q + ops.relu(p - y) * (1 - q)


def plain_pinball_of_levels(y: Any, p: Any) -> Any:
    return sum(plain_pinball(q)(y, p[..., k]) for k, q in enumerate(LEVELS)) / len(LEVELS)


def plain_expectile(tau: float) -> Callable[[Any, Any], Any]:
    return lambda y, p: ops.relu(y - p) ** 2 * tau + ops.relu(p - y) ** 2 * (1 - tau)


def plain_gaussian_crps(y: Any, p: Any) -> Any:
    scale = ops.sqrt(ops.exp(p[..., 1]))
    z = (y - p[..., 0]) / scale
    density = ops.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return scale * (z * ops.erf(z / np.sqrt(2)) + 2 * density - 1 / np.sqrt(np.pi))


def plain_crps(fair: bool) -> Callable[[Any, Any], Any]:
    def score(y: Any, p: Any) -> Any:
        m = p.shape[-1]
        pairs = m * (m - 1) if fair else m * m
        score = 0.0
        for i in range(m):
            score = score + ops.abs(p[..., i] - y) / m
            for j in range(i):
                score = score - ops.abs(p[..., i] - p[..., j]) / pairs
        return score

    return score


def plain_energy(fair: bool) -> Callable[[Any, Any], Any]:
    def score(y: Any, p: Any) -> Any:
        m = p.shape[-1]
        pairs = m * (m - 1) if fair else m * m
        score = 0.0
        for i in range(m):
            score = score + ops.norm(p[..., i] - y, axis=-1) / m
            for j in range(i):
                score = score - ops.norm(p[..., i] - p[..., j], axis=-1) / pairs
        return score

    return score


def plain_interval(level: float) -> Callable[[Any, Any], Any]:
    def score(y: Any, p: Any) -> Any:
        low, high = p[..., 0], p[..., 1]
        return high - low + 2 / (1 - level) * (ops.relu(low - y) + ops.relu(y - high))

    return score


def plain_weighted_interval(levels: Sequence[float]) -> Callable[[Any, Any], Any]:
    def score(y: Any, p: Any) -> Any:
        size = len(levels)
        total = ops.abs(y - p[..., size]) / 2
        for k, level in enumerate(levels, 1):
            ends = ops.stack([p[..., size - k], p[..., size + k]], axis=-1)
            total = total + (1 - level) / 2 * plain_interval(level)(y, ends)
        return total / (size + 0.5)

    return score


def plain_of_gaussian(
    score: Callable[[Any, Any], Any], probabilities: Sequence[float]
) -> Callable[[Any, Any], Any]:
    def of(y: Any, p: Any) -> Any:
        scale = ops.sqrt(ops.exp(p[..., 1]))
        each = [p[..., 0] + scale * float(z) for z in norm.ppf(probabilities)]
        return score(y, ops.stack(each, axis=-1))

    return of


def plain_width(level: float) -> Callable[[Any, Any], Any]:
    z = 2 * float(norm.ppf(0.5 + level / 2))
    return lambda y, p: z * ops.sqrt(ops.exp(p[..., 1]))
