"""Oracles of classification metrics: scikit-learn on deleted data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics

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
    """Of what is predicted and not there, scikit-learn warns."""

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
