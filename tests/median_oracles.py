"""Weighted medians in float64 NumPy, of deleted data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def weighted_median(values: Array, weights: Array) -> float:
    """Value by value, until half of the weight is passed."""
    pairs = sorted((v, w) for v, w in zip(values, weights, strict=True) if w > 0)
    if not pairs:
        return np.nan
    if np.isnan(values[weights > 0]).any():
        return np.nan
    whole, passed = sum(w for _, w in pairs), 0.0
    for i, (value, weight) in enumerate(pairs):
        passed += weight
        if abs(passed - whole / 2) < 1e-9 * whole:
            return float((value + pairs[i + 1][0]) / 2)
        if passed > whole / 2:
            return float(value)
    raise AssertionError


def median_error(y: Array, p: Array, w: Array) -> float:
    return weighted_median(p - y, w)


def deviation(scale: float = 1.0) -> Callable[..., float]:
    return lambda y, p, w: scale * weighted_median(np.abs(p - y), w)


def relative(signed: bool) -> Callable[..., float]:
    def value(y: Array, p: Array, w: Array) -> float:
        errors = 100 * (y - p) / y
        return weighted_median(errors if signed else np.abs(errors), w)

    return value


ORACLES = {
    "MedianError": median_error,
    "MedianAbsoluteDeviation": deviation(),
    "MADStandardDeviation": deviation(1.4826),
}
