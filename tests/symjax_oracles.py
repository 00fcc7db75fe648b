"""Oracles of SymJAX's names, in float64 NumPy on deleted data."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics

Array = np.ndarray


def hinge(delta: float) -> Callable[..., Array]:
    return lambda y, p: np.maximum(0, delta - y * p)


def multiclass_hinge(delta: float) -> Callable[..., Array]:
    def one(label: int, p: Array) -> float:
        others = [p[j] - p[label] + delta for j in range(len(p)) if j != label]
        return max(0.0, *others)

    return lambda y, p: np.array([one(int(a), b) for a, b in zip(y, p, strict=True)])


def explained_variance(y: Array, p: Array, w: Array) -> float:
    if len(np.unique(y)) < 2:
        return np.nan
    return float(sklearn_metrics.explained_variance_score(y, p, sample_weight=w))


def majority_accuracy(y: Array, p: Array, w: Array) -> float:
    """Cluster by cluster."""
    if not len(y):
        return np.nan
    best = [max(w[(p == k) & (y == c)].sum() for c in np.unique(y)) for k in np.unique(p)]
    return float(sum(best) / w.sum())


def optimal_accuracy(classes: int, clusters: int) -> Callable[..., float]:
    """The best of all one-to-one assignments, one by one."""

    def accuracy(y: Array, p: Array, w: Array) -> float:
        if not len(y):
            return np.nan
        most = max(classes, clusters)  # a class or cluster without labels changes nothing
        found = 0.0
        for assigned in itertools.permutations(range(most)):
            found = max(found, w[np.array(assigned)[p.astype(int)] == y].sum())
        return float(found / w.sum())

    return accuracy


def of_batch(oracle: Any) -> Callable[..., float]:
    """What NumPy says of infinite predictions, or ids: nothing."""

    def value(y: Array, p: Array, w: Array) -> float:
        return oracle(y, p, w) if np.isfinite(p).all() else np.nan

    return value
