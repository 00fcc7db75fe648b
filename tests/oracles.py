"""Independent values: float64 NumPy on data from which the missing labels are *deleted*.

Nothing here masks. An oracle gets arrays of observed labels only, one label per row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics

Array = np.ndarray
EPSILON = 1e-7


# Losses of single labels: (n,) or (n, classes) in, (n,) out.


def squared_error(y: Array, p: Array) -> Array:
    return (y - p) ** 2


def absolute_error(y: Array, p: Array) -> Array:
    return np.abs(y - p)


def huber(y: Array, p: Array) -> Array:
    e = np.abs(y - p)
    return np.where(e <= 1, e * e / 2, e - 0.5)


def binary_crossentropy(y: Array, p: Array, smoothing: float = 0.0) -> Array:
    y = y * (1 - smoothing) + smoothing / 2
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


def binary_crossentropy_of_logits(y: Array, z: Array) -> Array:
    return np.logaddexp(0, z) - y * z


def categorical_crossentropy(y: Array, p: Array, smoothing: float = 0.0) -> Array:
    y = y * (1 - smoothing) + smoothing / y.shape[-1]
    return -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1)


def categorical_crossentropy_of_logits(y: Array, z: Array) -> Array:
    return (y * (np.logaddexp.reduce(z, axis=-1, keepdims=True) - z)).sum(-1)


def sparse_crossentropy(y: Array, p: Array) -> Array:
    p = p / p.sum(-1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y.astype(int)])


def sparse_crossentropy_of_logits(y: Array, z: Array) -> Array:
    return np.logaddexp.reduce(z, axis=-1) - z[np.arange(len(y)), y.astype(int)]


def absolute_percentage_error(y: Array, p: Array) -> Array:
    return 100 * np.abs(y - p) / np.maximum(np.abs(y), EPSILON)


def squared_logarithmic_error(y: Array, p: Array) -> Array:
    return (np.log1p(np.maximum(y, EPSILON)) - np.log1p(np.maximum(p, EPSILON))) ** 2


def log_cosh(y: Array, p: Array) -> Array:
    return np.log(np.cosh(y - p))


def poisson(y: Array, p: Array) -> Array:
    return p - y * np.log(p)


def hinge(y: Array, p: Array) -> Array:
    return np.maximum(1 - y * p, 0)


def squared_hinge(y: Array, p: Array) -> Array:
    return np.maximum(1 - y * p, 0) ** 2


def binary_focal(y: Array, p: Array, alpha: float | None = None, gamma: float = 2.0) -> Array:
    of_label = np.where(y == 1, p, 1 - p)
    weight = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
    return weight * (1 - of_label) ** gamma * -np.log(of_label)


def categorical_focal(y: Array, p: Array, alpha: float = 0.25, gamma: float = 2.0) -> Array:
    p = p / p.sum(-1, keepdims=True)
    return (alpha * (1 - p) ** gamma * -y * np.log(p)).sum(-1)


def categorical_hinge(y: Array, p: Array) -> Array:
    return np.maximum(0, 1 + ((1 - y) * p).max(-1) - (y * p).sum(-1))


def kl_divergence(y: Array, p: Array) -> Array:
    return (y * np.log(y / p)).sum(-1)


def cosine_similarity(y: Array, p: Array) -> Array:
    return -(y * p).sum(-1) / np.linalg.norm(y, axis=-1) / np.linalg.norm(p, axis=-1)


def generalized_crossentropy(y: Array, p: Array, q: float = 0.5) -> Array:
    return (1 - p[np.arange(len(y)), y.astype(int)] ** q) / q


def exponentially_weighted_squared_error(y: Array, p: Array, a: float = 0.7) -> Array:
    return np.exp(a * y) * (p - y) ** 2


def dual_weighted_squared_error(y: Array, p: Array, gamma: float = 1.0) -> Array:
    return np.max([np.abs(y), np.abs(p)], axis=0) ** gamma * (p - y) ** 2


def asymmetric_squared_error(y: Array, p: Array, miss_weight: float = 3.0) -> Array:
    return np.where(p < y, miss_weight, 1) * (p - y) ** 2


def binary_match(y: Array, p: Array) -> Array:
    return ((p > 0.5) == (y > 0.5)).astype(float)


def exact_match(y: Array, p: Array) -> Array:
    return (y == p).astype(float)


def top_2_match(y: Array, p: Array) -> Array:
    return sparse_top_2_match(y.argmax(-1), p)


def sparse_top_2_match(y: Array, p: Array) -> Array:
    best = np.argsort(-p, axis=-1)[:, :2]
    return (best == y.astype(int)[:, None]).any(-1).astype(float)


def categorical_match(y: Array, p: Array) -> Array:
    return (y.argmax(-1) == p.argmax(-1)).astype(float)


def sparse_match(y: Array, p: Array) -> Array:
    return (y.astype(int) == p.argmax(-1)).astype(float)


# Reductions, by deletion.


def reduce_by_deletion(
    formula: Callable[[Array, Array], Array],
    y: Array,
    p: Array,
    observed: Array,
    weight: Array | None,
    reduction: str | None,
    rows_are_labels: bool,
) -> Array:
    """What a loss must return. `observed` and `weight` have the labels' shape."""
    weight = np.ones(observed.shape) if weight is None else weight
    if reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
        losses = formula(y[observed], p[observed]) * weight[observed]
        counted = reduction != "mean_with_sample_weight"
        denominator = len(losses) if counted else weight[observed].sum()
        return losses.sum() / denominator if denominator else np.zeros(())
    if rows_are_labels:
        rows = np.zeros(observed.shape)
        rows[observed] = formula(y[observed], p[observed]) * weight[observed]
    else:
        rows = np.zeros(observed.shape[:-1])
        for i in np.ndindex(rows.shape):
            o = observed[i]
            if o.any():
                rows[i] = np.mean(formula(y[i][o], p[i][o]) * weight[i][o])
    return rows.sum() if reduction == "sum" else rows


# Metrics: deleted labels in, a number out. Columns are lists of arrays of different lengths.


def mean_of(formula: Callable[[Array, Array], Array]) -> Callable[[Array, Array, Array], float]:
    return lambda y, p, w: float(np.average(formula(y, p), weights=w))


def root_mean_squared_error(y: Array, p: Array, w: Array) -> float:
    return float(np.sqrt(np.average((y - p) ** 2, weights=w)))


def perplexity(y: Array, p: Array, w: Array) -> float:
    """By scikit-learn's log-loss."""
    labels = np.arange(p.shape[-1])
    p = p / p.sum(-1, keepdims=True)  # to more digits than those of float32
    return float(np.exp(sklearn_metrics.log_loss(y, p, sample_weight=w, labels=labels)))


def two_classes(y: Array) -> bool:
    return len(np.unique(y)) > 1


def roc_auc(y: Array, p: Array, w: Array) -> float:
    return float(sklearn_metrics.roc_auc_score(y, p, sample_weight=w)) if two_classes(y) else np.nan


def average_precision(y: Array, p: Array, w: Array) -> float:
    """The lower sum under the precision-recall curve, of which scikit-learn has the points."""
    if not two_classes(y):
        return np.nan
    precision, recall, _ = sklearn_metrics.precision_recall_curve(y, p, sample_weight=w)
    precision[-1] = 0  # as Keras has it where nothing is predicted to be positive
    return float(-np.sum(np.diff(recall) * np.minimum(precision[:-1], precision[1:])))


def precision(y: Array, p: Array, w: Array) -> float:
    return float(sklearn_metrics.precision_score(y, p > 0.5, sample_weight=w, zero_division=0))


def recall(y: Array, p: Array, w: Array) -> float:
    return float(sklearn_metrics.recall_score(y, p > 0.5, sample_weight=w, zero_division=np.nan))


def count(label: int, said: int) -> Callable[[Array, Array, Array], float]:
    return lambda y, p, w: float(w[(y == label) & ((p > 0.5) == said)].sum())


def best_where(best: str, constrained: str, least: float) -> Callable[[Array, Array, Array], float]:
    """The best rate over 200 thresholds, by counting at each."""

    def rates(y: Array, said: Array, w: Array) -> dict[str, float]:
        tp, fp = w[said & (y == 1)].sum(), w[said & (y == 0)].sum()
        positives, negatives = w[y == 1].sum(), w[y == 0].sum()
        return {
            "precision": tp / (tp + fp) if tp else 0.0,
            "recall": tp / positives,
            "specificity": 1 - fp / negatives,
        }

    def oracle(y: Array, p: Array, w: Array) -> float:
        if not two_classes(y):
            return np.nan
        found = [rates(y, p > threshold, w) for threshold in np.linspace(0, 1, 200)]
        return max(r[best] if r[constrained] >= least else 0.0 for r in found)

    return oracle


def f_score(beta: float) -> Callable[[Array, Array, Array], float]:
    def oracle(y: Array, p: Array, w: Array) -> float:
        if not (y.any() or (p > 0.5).any()):
            return np.nan
        return float(sklearn_metrics.fbeta_score(y, p > 0.5, beta=beta, sample_weight=w))

    return oracle


def iou(targets: list[int]) -> Callable[[Array, Array, Array], float]:
    def oracle(y: Array, p: Array, w: Array) -> float:
        there = [c for c in targets if (y == c).any() or (p == c).any()]
        if not there:
            return np.nan
        values = sklearn_metrics.jaccard_score(y, p, labels=there, average=None, sample_weight=w)
        return float(np.mean(values))

    return oracle


def of_greatest(oracle: Any) -> Callable[[Array, Array, Array], float]:
    return lambda y, p, w: oracle(y.argmax(-1), p.argmax(-1), w)


def r2(y: Array, p: Array, w: Array) -> float:
    return float(sklearn_metrics.r2_score(y, p, sample_weight=w)) if two_classes(y) else np.nan


def pearson(y: Array, p: Array, w: Array) -> float:
    if not two_classes(y):
        return np.nan
    covariance = np.cov(y, p, aweights=w, ddof=0)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


def concordance(y: Array, p: Array, w: Array) -> float:
    if len(y) < 2:
        return np.nan
    covariance = np.cov(y, p, aweights=w, ddof=0)
    bias = np.average(y, weights=w) - np.average(p, weights=w)
    return float(2 * covariance[0, 1] / (np.trace(covariance) + bias**2))


def huber_mean(y: Array, p: Array, w: Array) -> float:
    return float(np.average(huber(y, p), weights=w))


def share_of_close_pairs(data: Any, precision: float) -> float:
    """The error that the docstring of `AUC` states: pairs that no threshold tells apart.

    Rounding puts neighbours between the same two thresholds.
    """
    p = data.p[data.observed]
    close = np.abs(p[:, None] - p[None, :]) < 1 / 199 + 1e-6
    y = data.y[data.observed] > 0
    pairs = y[:, None] & ~y[None, :]
    return float((close & pairs).sum() / pairs.sum())
