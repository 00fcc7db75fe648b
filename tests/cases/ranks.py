"""Rows of rank correlations, and of medians of relative errors."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_masked as km
from tests import median_oracles, plain, rank_oracles
from tests.case_data import apart_from_0, reals
from tests.cases.case import Case, with_options

Array = np.ndarray


def following(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """So that the mean over columns is not 0 by chance, of fractions of few pairs."""
    y, p = reals(rng, shape)
    return y, p + np.arange(shape[0]).reshape(-1, *(1,) * (len(shape) - 1))


def low(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """So low predictions that the median is not near 0, where only differences of labels are."""
    y, p = apart_from_0(rng, shape)
    return y, p / 4


def metrics() -> list[Case]:
    def row(name: str, data: Any, value: Any, label: str = "", **kwargs: Any) -> Case:
        make = with_options(getattr(km.metrics, name), **kwargs.pop("options", {}))
        theirs = with_options(
            plain.OfBatches, value=value, per_column=kwargs.get("per_column", False)
        )
        return Case(name, make, data, value, theirs, label, **kwargs)

    few = {"capacity": 500}
    axes = {"test_no_option_is_lost": "of an axis there are two values alone"}
    finite = {"test_infinite_predictions_are_as_in_keras": "the oracle takes differences of scores"}
    return [
        row("SpearmanCorrelation", reals, rank_oracles.spearman, options=few),
        row("SpearmanCorrelation", reals, rank_oracles.spearman, "columns",
            options={"axis": 0, **few}, per_column=True, min_rank=2, without=axes),
        row("KendallTau", reals, rank_oracles.kendall, options=few, without=finite),
        row("KendallTau", following, rank_oracles.kendall, "columns",
            options={"axis": 0, **few}, per_column=True, min_rank=2, without=axes | finite),
        row("MedianPercentageError", low, median_oracles.relative(True),
            options={"capacity": 2000}, no_best=True),
        row("MedianAbsolutePercentageError", apart_from_0, median_oracles.relative(False),
            options={"capacity": 2000}),
    ]  # fmt: skip
