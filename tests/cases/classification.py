"""Rows of classification metrics that Keras does not have."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import keras_masked as km
from tests import classification_oracles as o
from tests import oracles, plain, symjax_oracles
from tests.case_data import (
    binary,
    binary_logits,
    binary_logits_on_grid,
    class_ids,
    class_ids_on_grid,
    informed_class_ids,
    informed_one_hot,
    one_hot,
    one_hot_on_grid,
    reals,
)
from tests.cases.case import IDS, LOGITS, VECTOR, Case, with_options

M = km.metrics
ONE_HOT = {"num_classes": 4}
NO_INFINITY = (
    "AveragePrecision", "BrierScore", "D2BrierScore", "D2LogLossScore",
    "ExpectedCalibrationError", "ROCAUC",
)  # fmt: skip
"""An infinite prediction is no probability: NaN."""
SPARSE = {"num_classes": 4, "sparse_y_true": True}


def metrics() -> list[Case]:
    def new(name: str, data: Any, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        make = with_options(getattr(M, name), **kwargs.pop("options", {}))
        of_classes = {
            "parameters": 4 if "label_axes" in kwargs else 0,
            "vectors": "one_hot" in data.__name__,
        }
        value = symjax_oracles.of_batch(oracle) if name in NO_INFINITY else oracle
        if name == "AveragePrecision" and label == "logits":
            value = oracle
        theirs = with_options(plain.OfBatches, value=value, **of_classes)
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
        new("HammingLoss", binary, o.hamming),
        new("HammingLoss", one_hot, o.hamming, "vectors", options=ONE_HOT, **VECTOR),
        new("ExactMatch", binary, o.all_right, per_row=True, min_rank=2,
            keras=plain.mean_of_rows(lambda y, p: keras.ops.all((p > 0.5) == (y > 0), axis=-1))),
        new("BrierScore", binary, o.brier),
        new("BrierScore", class_ids, o.brier, "ids", options=SPARSE, infinite=np.nan, **IDS),
        new("D2BrierScore", binary, o.d2_brier),
        new("D2BrierScore", informed_one_hot, o.d2_brier, "vectors", options=ONE_HOT, **VECTOR),
        new("D2LogLossScore", binary_logits, o.of_logits(o.d2_log_loss), "logits", options=LOGITS),
        new("D2LogLossScore", informed_class_ids, o.d2_log_loss, "ids", options=SPARSE, **IDS),
        new("ExpectedCalibrationError", binary, o.calibration_error(7), options={"bins": 7}),
        new("ExpectedCalibrationError", class_ids, o.calibration_error(4, "l2", "top_label"),
            "ids", options=SPARSE | {"bins": 4, "norm": "l2"}, **IDS),
        new("ExpectedCalibrationError", one_hot, o.calibration_error(4, "max", "class_wise"),
            "vectors", options=ONE_HOT | {"bins": 4, "norm": "max", "mode": "class_wise"},
            class_wise=True, **VECTOR),
        new("ROCAUC", binary, oracles.roc_auc),
        new("ROCAUC", class_ids_on_grid, o.roc_auc_of_classes("weighted"), "ids",
            options=SPARSE | {"average": "weighted"}, class_wise=True, **IDS),
        new("AveragePrecision", binary_logits_on_grid, o.of_logits(o.average_precision), "logits",
            options=LOGITS),
        new("AveragePrecision", one_hot_on_grid, o.micro_average_precision, "vectors",
            options=ONE_HOT | {"average": "micro"}, class_wise=True, **VECTOR),
        event("CriticalSuccessIndex", 0.25),
        event("ProbabilityOfDetection", 0.25),
        event("FalseAlarmRatio", 0.25),
        event("FrequencyBias", 0.25, no_best=True),
        event("EquitableThreatScore", 0.25),
        event("HeidkeSkillScore", 0.25),
    ]  # fmt: skip
