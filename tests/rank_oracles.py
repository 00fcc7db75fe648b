"""Rank correlations with weights in float64 NumPy, pair by pair."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def _ranks(x: Array, w: Array) -> Array:
    """The weight of what is less, and half of that of what is equal."""
    return np.array([w[x < each].sum() + w[x == each].sum() / 2 for each in x])


def spearman(y: Array, p: Array, w: Array) -> float:
    if len(y) < 2 or (y == y[0]).all():
        return np.nan
    r, q = (_ranks(x, w) - w.sum() / 2 for x in (y, p))
    spread = (w * r * r).sum() * (w * q * q).sum()
    return float((w * r * q).sum() / np.sqrt(spread)) if spread else np.nan


def kendall(y: Array, p: Array, w: Array) -> float:
    if len(y) < 2 or (y == y[0]).all():
        return np.nan
    pairs = np.outer(w, w)
    a, b = (np.sign(x[:, None] - x[None]) for x in (y, p))
    spread = (pairs * a * a).sum() * (pairs * b * b).sum()
    return float((pairs * a * b).sum() / np.sqrt(spread)) if spread else np.nan
