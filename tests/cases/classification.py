"""Rows of classification metrics that Keras does not have."""

from __future__ import annotations

from typing import Any

import keras_masked as km
from tests import classification_oracles as o
from tests import plain
from tests.case_data import binary, binary_logits, class_ids, one_hot, reals
from tests.cases.case import IDS, LOGITS, VECTOR, Case, with_options

M = km.metrics
ONE_HOT = {"num_classes": 4}
SPARSE = {"num_classes": 4, "sparse_y_true": True}


def metrics() -> list[Case]:
    def new(name: str, data: Any, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        make = with_options(getattr(M, name), **kwargs.pop("options", {}))
        of_classes = {"parameters": 4 if "label_axes" in kwargs else 0, "vectors": data is one_hot}
        theirs = with_options(plain.OfBatches, value=oracle, **of_classes)
        return Case(name, make, data, oracle, kwargs.pop("keras", theirs), label, **kwargs)

    def event(name: str, threshold: float, **kwargs: Any) -> Case:
        oracle = o.event_score(name, threshold)
        return new(name, reals, oracle, options={"threshold": threshold}, **kwargs)

    return [
        new("MatthewsCorrelation", binary, o.matthews),
        new("MatthewsCorrelation", one_hot, o.matthews_of_classes, "vectors", options=ONE_HOT,
            **VECTOR),
        new("CohenKappa", class_ids, o.kappa("quadratic", 4), "ids", **IDS,
            options=SPARSE | {"weights": "quadratic"}),
        new("CohenKappa", binary, o.kappa(None)),
        new("BalancedAccuracy", binary_logits, o.of_logits(o.balanced), "logits", options=LOGITS),
        new("BalancedAccuracy", class_ids, o.balanced_of_classes, "ids", options=SPARSE, **IDS),
        new("Specificity", binary, o.specificity),
        new("NegativePredictiveValue", binary, o.negative_predictive_value),
        event("CriticalSuccessIndex", 0.25),
        event("ProbabilityOfDetection", 0.25),
        event("FalseAlarmRatio", 0.25),
        event("FrequencyBias", 0.25, no_best=True),
        event("EquitableThreatScore", 0.25),
        event("HeidkeSkillScore", 0.25),
    ]  # fmt: skip
