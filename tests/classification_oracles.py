"""Oracles of classification metrics: scikit-learn on deleted data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from tests.oracles import two_classes

Array = np.ndarray
Oracle = Callable[[Array, Array, Array], float]


def of_decisions(score: Any, needs: Callable[[Array, Array], bool], **options: Any) -> Oracle:
    """Of binary labels, and predictions above 0.5."""

    def oracle(y: Array, p: Array, w: Array) -> float:
        said = p > 0.5
        if not len(y) or not needs(y, said):
            return np.nan
        return float(score(y > 0, said, sample_weight=w, **options))

    return oracle


def of_classes(score: Any, needs: Callable[[Array, Array], bool], **options: Any) -> Oracle:
    """Of one-hot rows or class ids, and one score per class."""

    def oracle(y: Array, p: Array, w: Array) -> float:
        ids = y.argmax(-1) if y.ndim > 1 else y.astype(int)
        said = p.argmax(-1)
        if not len(y) or not needs(ids, said):
            return np.nan
        return float(score(ids, said, sample_weight=w, **options))

    return oracle


def of_logits(oracle: Oracle) -> Oracle:
    return lambda y, p, w: oracle(y, 1 / (1 + np.exp(-p)), w)


def always(y: Array, said: Array) -> bool:
    return True


def labels_differ(y: Array, said: Array) -> bool:
    return two_classes(y)


def anything_differs(y: Array, said: Array) -> bool:
    return two_classes(np.concatenate([y, said]))


def no_warning(score: Any) -> Any:
    """scikit-learn warns of classes that are not there, and of sums in float32 that are not 1."""

    def quiet(*args: Any, **kwargs: Any) -> float:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(score(*args, **kwargs))

    return quiet


matthews = of_decisions(sklearn_metrics.matthews_corrcoef, labels_differ)
matthews_of_classes = of_classes(sklearn_metrics.matthews_corrcoef, labels_differ)
balanced = of_decisions(no_warning(sklearn_metrics.balanced_accuracy_score), always)
balanced_of_classes = of_classes(no_warning(sklearn_metrics.balanced_accuracy_score), always)
NEGATIVE = {"pos_label": False, "zero_division": np.nan}
specificity = of_decisions(sklearn_metrics.recall_score, always, **NEGATIVE)
negative_predictive_value = of_decisions(sklearn_metrics.precision_score, always, **NEGATIVE)


def kappa(weights: str | None, classes: int | None = None) -> Oracle:
    of = of_decisions if classes is None else of_classes

    def score(y: Array, said: Array, sample_weight: Array, **options: Any) -> float:
        return sklearn_metrics.cohen_kappa_score(y, said, sample_weight=sample_weight, **options)

    labels = [False, True] if classes is None else list(range(classes))
    return of(no_warning(score), anything_differs, weights=weights, labels=labels)


# Events, each from its own definition of the counts.


def event_score(name: str, threshold: float) -> Oracle:
    """By the words of the verification handbook, label by label; tests/test_scores.py has more."""

    def oracle(y: Array, p: Array, w: Array) -> float:
        was, foreseen = y >= threshold, p >= threshold
        if name == "HeidkeSkillScore":  # is kappa
            return kappa(None)(was, foreseen, w)
        if name in ("CriticalSuccessIndex", "EquitableThreatScore"):
            if not (was.any() or foreseen.any()):
                return np.nan
            index = float(sklearn_metrics.jaccard_score(was, foreseen, sample_weight=w))
            if name == "CriticalSuccessIndex":
                return index
            either = w[was | foreseen].sum()
            chance = w[was].sum() * w[foreseen].sum() / w.sum()
            best = either - chance
            return float((index * either - chance) / best) if not np.isclose(best, 0) else np.nan
        options = {"sample_weight": w, "zero_division": np.nan}
        if name == "ProbabilityOfDetection":
            return float(sklearn_metrics.recall_score(was, foreseen, **options))
        if name == "FalseAlarmRatio":
            return 1 - float(sklearn_metrics.precision_score(was, foreseen, **options))
        return float(w[foreseen].sum() / w[was].sum()) if was.any() else np.nan

    return oracle


# Probabilities.


def hamming(y: Array, p: Array, w: Array) -> float:
    score = of_decisions if y.ndim == 1 and p.ndim == 1 else of_classes
    return score(sklearn_metrics.hamming_loss, always)(y, p, w)


def all_right(y: Array, p: Array, w: Array) -> float:
    """Of one row."""
    return float(((p > 0.5) == (y > 0)).all()) if len(y) else np.nan


def brier(y: Array, p: Array, w: Array) -> float:
    if not len(y):
        return np.nan
    return float(
        no_warning(sklearn_metrics.brier_score_loss)(*_classes(y, p), sample_weight=w, **_labels(p))
    )


def d2_brier(y: Array, p: Array, w: Array) -> float:
    y, p = _classes(y, p)
    if not two_classes(y):
        return np.nan
    return float(no_warning(sklearn_metrics.d2_brier_score)(y, p, sample_weight=w, **_labels(p)))


def d2_log_loss(y: Array, p: Array, w: Array) -> float:
    y, p = _classes(y, p)
    if not two_classes(y):
        return np.nan
    labels = _labels(p) or {"labels": [0, 1]}
    return float(no_warning(sklearn_metrics.d2_log_loss_score)(y, p, sample_weight=w, **labels))


def _classes(y: Array, p: Array) -> tuple[Array, Array]:
    return (y.argmax(-1) if y.ndim > 1 else y.astype(int)), p


def _labels(p: Array) -> dict[str, Any]:
    return {"labels": range(p.shape[-1])} if p.ndim > 1 else {}


def calibration_error(
    bins: int, norm: str = "l1", mode: str = "binary", binning: str = "uniform"
) -> Oracle:
    """Bin by bin, of those of scikit-learn's calibration curve."""

    def oracle(y: Array, p: Array, w: Array) -> float:
        if not len(y):
            return np.nan
        if mode == "class_wise":
            y = y if y.ndim > 1 else np.eye(p.shape[-1])[y.astype(int)]
            return float(np.mean([error(y[:, c], p[:, c], w) for c in range(p.shape[-1])]))
        if mode == "top_label":
            ids = y.argmax(-1) if y.ndim > 1 else y.astype(int)
            y, p = (p.argmax(-1) == ids).astype(float), p.max(-1)
        return error(y, p, w)

    def error(y: Array, p: Array, w: Array) -> float:
        if binning == "quantile":
            edges = np.percentile(np.repeat(p, w.astype(int)), np.linspace(0, 1, bins + 1) * 100)
        else:
            edges = np.linspace(0, 1, bins + 1)
        place = np.searchsorted(edges[1:-1], p)
        if (w == 1).all():
            right, predicted = calibration_curve(y, p, n_bins=bins, strategy=binning)
            mine = [(y[place == b].mean(), p[place == b].mean()) for b in np.unique(place)]
            np.testing.assert_allclose(mine, np.stack([right, predicted], -1))
        parts = [place == b for b in np.unique(place)]
        share = np.array([w[b].sum() for b in parts]) / w.sum()
        gaps = [np.average(p[b], weights=w[b]) - np.average(y[b], weights=w[b]) for b in parts]
        gaps = np.abs(gaps)
        if norm == "max":
            return float(gaps.max())
        return float((share * gaps).sum() if norm == "l1" else np.sqrt((share * gaps**2).sum()))

    return oracle


def roc_auc_of_classes(average: str) -> Oracle:
    """One-vs-rest, over the classes that are there and are not all there is."""

    def oracle(y: Array, p: Array, w: Array) -> float:
        y = y if y.ndim > 1 else np.eye(p.shape[-1])[y.astype(int)]
        there = [c for c in range(y.shape[-1]) if two_classes(y[:, c])]
        if not there:
            return np.nan
        each = [sklearn_metrics.roc_auc_score(y[:, c], p[:, c], sample_weight=w) for c in there]
        weights = [w[y[:, c] > 0].sum() if average == "weighted" else 1.0 for c in there]
        return float(np.average(each, weights=weights))

    return oracle


def average_precision(y: Array, p: Array, w: Array) -> float:
    if not y.any():
        return np.nan
    return float(sklearn_metrics.average_precision_score(y, p, sample_weight=w))


def micro_average_precision(y: Array, p: Array, w: Array) -> float:
    y = y if y.ndim > 1 else np.eye(p.shape[-1])[y.astype(int)]
    return average_precision(y.ravel(), p.ravel(), np.repeat(w, p.shape[-1])) if len(y) else np.nan
