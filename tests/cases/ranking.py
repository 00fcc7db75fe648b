"""Rows of metrics of lists, whose items are on the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import keras_masked as km
from tests import ranking_oracles as o
from tests.case_data import binary
from tests.cases.case import Case, with_options

Array = np.ndarray


FINITE = {
    "test_infinite_predictions_are_as_in_keras": "the oracle, scikit-learn's, refuses infinity"
}


def relevances(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Grades from 0 to 3, and scores among which are ties."""
    y = rng.choice([0.0, 0.0, 1.0, 2.0, 3.0], size=shape)
    return y, binary(rng, shape)[1]


def metrics() -> list[Case]:
    def row(name: str, data: Any, value: Any, label: str = "", **kwargs: Any) -> Case:
        make = with_options(getattr(km.metrics, name), **kwargs.pop("options", {}))
        theirs = with_options(o.OfRows, value=value)
        return Case(name, make, data, value, theirs, label, per_row=True, min_rank=1, **kwargs)

    def ranked(name: str, value: Callable[..., Any], weight: Any = o.by_relevance) -> list[Case]:
        return [
            row(name, relevances, value(), row_weight=weight),
            row(name, relevances, value(3), "3", options={"k": 3}, row_weight=weight),
        ]

    return [
        *ranked("NDCG", o.ndcg, o.by_gains),
        *ranked("MeanReciprocalRank", o.reciprocal_rank),
        *ranked("MeanAveragePrecision", o.average_precision),
        *ranked("PrecisionAtK", o.precision),
        *ranked("RecallAtK", o.recall),
        row("LabelRankingAveragePrecision", binary,
            o.of_sklearn("label_ranking_average_precision_score"), without=FINITE),
        row("LabelRankingLoss", binary, o.of_sklearn("label_ranking_loss"), without=FINITE),
        row("CoverageError", binary, o.of_sklearn("coverage_error"), without=FINITE),
    ]  # fmt: skip
