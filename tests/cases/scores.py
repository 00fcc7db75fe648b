"""Rows of quantiles, intervals and ensembles."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import keras_masked as km
from tests import oracles, plain
from tests import score_oracles as so
from tests.case_data import gaussians, grid_reals, reals
from tests.cases.case import STACKED, STACKED_VECTOR, Case, with_options

L, M = km.losses, km.metrics
ENDS = (0.1, 0.9)
WIDE = (0.05, 0.25, 0.5, 0.75, 0.95)
OF_GAUSSIAN = {"distribution": "gaussian"}

OF_VECTORS = {
    "test_visibility": "a NaN in each entry of a vector: test_quantiles.py",
    **dict.fromkeys(
        ("test_each_label_as_if_alone", "test_divergence_stays_visible", "test_nothing_observed",
         "test_saving", "test_merging_and_reset", "test_metric"),
        "a vector is refused, one number wanted for each label: test_quantiles.py"),
}  # fmt: skip

INFINITE = {
    "test_infinite_predictions_are_as_in_keras":
    "infinity less infinity, written in another order; either value is seen to have diverged",
}  # fmt: skip

SCORES: list[tuple[str, Any, Any, Any, str, dict[str, Any], dict[str, Any]]] = [
    ("Expectile", reals, so.expectile(0.8), so.plain_expectile(0.8), "", {"tau": 0.8}, {}),
    ("ContinuousRankedProbabilityScore", gaussians, so.gaussian_crps, so.plain_gaussian_crps, "",
     {}, STACKED),
    ("ContinuousRankedProbabilityScore", so.quantiles,
     lambda y, p: 2 * so.pinball_of_levels(y, p),
     lambda y, p: 2 * so.plain_pinball_of_levels(y, p), "quantiles",
     {"distribution": km.distributions.Quantiles(so.LEVELS)}, STACKED),
    ("EnsembleCRPS", so.ensembles, so.ensemble_crps(False), so.plain_crps(False), "", {},
     STACKED | {"without": INFINITE}),
    ("EnsembleCRPS", so.ensembles, so.ensemble_crps(True), so.plain_crps(True), "fair",
     {"fair": True, "missing_members": False}, STACKED | {"without": INFINITE}),
    ("EnergyScore", so.ensembles_of_rows, so.energy_score(False), so.plain_energy(False), "", {},
     STACKED_VECTOR),
    ("EnergyScore", so.ensembles_of_rows, so.energy_score(True), so.plain_energy(True), "fair",
     {"fair": True}, STACKED_VECTOR),
    ("IntervalScore", so.intervals, so.interval_score(0.8), so.plain_interval(0.8), "",
     {"level": 0.8}, STACKED),
    ("IntervalScore", gaussians, so.of_gaussian(so.interval_score(0.8), ENDS),
     so.plain_of_gaussian(so.plain_interval(0.8), ENDS), "gaussian",
     {"level": 0.8, **OF_GAUSSIAN}, STACKED | {"without": INFINITE}),
    ("WeightedIntervalScore", so.quantiles, so.weighted_interval_score([0.8]),
     so.plain_weighted_interval([0.8]), "", {"levels": (0.8,)}, STACKED),
    ("WeightedIntervalScore", gaussians,
     so.of_gaussian(so.weighted_interval_score([0.5, 0.9]), WIDE),
     so.plain_of_gaussian(so.plain_weighted_interval([0.5, 0.9]), WIDE), "gaussian",
     {"levels": (0.5, 0.9), **OF_GAUSSIAN}, STACKED | {"without": INFINITE}),
]  # fmt: skip
"""Both a loss and a metric: name, data, oracle, as Keras would, label, options, kind of label."""


def losses() -> list[Case]:
    def row(
        name: str, data: Any, oracle: Any, of_keras: Any, label: str, options: Any, kind: Any
    ) -> Case:
        theirs = (plain.of_rows if kind is STACKED_VECTOR else plain.of_labels)(of_keras)
        make = with_options(getattr(L, name), **options)
        return Case(name, make, data, oracle, theirs, label, **kind)

    return [
        row("PinballLoss", reals, so.pinball(0.9), so.plain_pinball(0.9), "", {"quantiles": 0.9},
            {}),
        row("PinballLoss", so.quantiles, so.pinball_of_levels, so.plain_pinball_of_levels,
            "levels", {"quantiles": so.LEVELS}, STACKED),
        *(row(*each) for each in SCORES),
    ]  # fmt: skip


def metrics() -> list[Case]:
    mean = oracles.mean_of

    def row(
        name: str, data: Any, oracle: Any, of_keras: Any, label: str, options: Any, kind: Any
    ) -> Case:
        of_rows = with_options(keras.metrics.MeanMetricWrapper, fn=of_keras)
        theirs = of_rows if kind is STACKED_VECTOR else plain.mean_of_labels(of_keras)
        make = with_options(getattr(M, name), **options)
        return Case(name, make, data, mean(oracle), theirs, label, **kind)

    def d2(data: Any, q: float, label: str = "", **options: Any) -> Case:
        theirs = with_options(plain.OfBatches, value=so.d2_pinball(q), per_column=True)
        make = with_options(M.D2PinballScore, quantile=q, **options)
        return Case("D2PinballScore", make, data, so.d2_pinball(q), theirs, label, per_column=True,
                    half_error=lambda data, precision: precision)  # fmt: skip

    def vector(name: str, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        options = kwargs.pop("options", {})
        make = with_options(getattr(M, name), **options)
        theirs = with_options(plain.OfBatches, value=oracle, parameters=2)
        return Case(name, make, gaussians, oracle, theirs, label, **kwargs, **STACKED)

    return [
        vector("CalibrationError", so.calibration_error(np.arange(1, 10) / 10)),
        vector("CalibrationError", so.calibration_error([0.2, 0.75]), "levels",
               options={"levels": (0.2, 0.75)}),
        vector("PITHistogram", so.pit_histogram(5), options={"bins": 5}, no_best=True,
               without=OF_VECTORS),
        row("MeanPinballLoss", reals, so.pinball(0.9), so.plain_pinball(0.9), "",
            {"quantiles": 0.9}, {}),
        row("MeanPinballLoss", so.quantiles, so.pinball_of_levels, so.plain_pinball_of_levels,
            "levels", {"quantiles": so.LEVELS}, STACKED),
        *(row(*each) for each in SCORES),
        row("IntervalWidth", gaussians, so.gaussian_width(0.8), so.plain_width(0.8), "",
            {"level": 0.8}, {"no_best": True, "without": INFINITE, **STACKED}),
        d2(reals, 0.5, capacity=200),
        d2(grid_reals, 0.8, "bins"),
    ]  # fmt: skip
