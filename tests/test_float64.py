"""What is asked for in float64 is computed in it: to 1e-12 of float64 oracles.

Several operations of Keras compute in float32 what is float64, without a word: many on PyTorch, a
few on JAX, comparisons with Python's numbers everywhere. JAX has no float64 unless told to.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, float64
from tests.cases import Case, Draw, draw
from tests.test_metric_values import expected

Array = np.ndarray

KERAS_FORMULA = {"Masked", "MeanMetricWrapper"}
"""What calls formulas of Keras, whose Huber, say, is of float32 on PyTorch."""

WITH_EPSILON = {"Poisson": lambda y, p: p - y * np.log(p + 1e-7)}
"""Oracles of formulas to which Keras adds epsilon."""

ON_JAX = {"AUC", "CIoULoss", "CosineSimilarity", "IoU", "MeanSquaredError", "R2Score"}
"""A few, since JAX compiles every operation anew for float64."""


def exact(x: Any) -> Array:
    return np.asarray(keras.ops.convert_to_numpy(x))


def wide(case: Case) -> Draw:
    """Data that float32 cannot hold, of which some is missing."""
    if case.covers in KERAS_FORMULA:
        pytest.skip("a formula of Keras's")
    if BACKEND == "jax" and str(case) not in ON_JAX:
        pytest.skip("on JAX, a few")
    data = draw(case)
    data.y, data.p = case.data(np.random.default_rng(7), data.observed.shape)
    if case.per_column:
        data.y[1:3] = np.array([0.0, 1.0]).reshape(2, *(1,) * (data.y.ndim - 1))
    return data


def test_metric(metric_case: Case) -> None:
    data = wide(metric_case)
    weight = np.random.default_rng(1).random(data.observed.shape)
    with float64():
        metric = metric_case.make(dtype="float64")
        metric.update_state(data.with_missing(), data.p, weight)
        value = exact(metric.result())
    assert value.dtype == "float64"
    if metric_case.covers in WITH_EPSILON:
        o, formula = data.observed, WITH_EPSILON[metric_case.covers]
        target = float(np.average(formula(data.y[o], data.p[o]), weights=weight[o]))
    else:
        target = expected(metric_case, data, weight)
    np.testing.assert_allclose(value, target, rtol=1e-12)


def test_loss(loss_case: Case) -> None:
    data = wide(loss_case)
    o, formula = data.observed, WITH_EPSILON.get(loss_case.covers, loss_case.oracle)
    with float64():
        value = exact(loss_case.make(dtype="float64")(data.with_missing(), data.p))
    assert value.dtype == "float64"
    np.testing.assert_allclose(value, np.mean(formula(data.y[o], data.p[o])), rtol=1e-12)


@pytest.mark.parametrize(
    "metric",
    [
        lambda **options: km.metrics.Precision(thresholds=0.1, **options),
        lambda **options: km.metrics.F1Score(average="micro", threshold=0.1, **options),
        lambda **options: km.metrics.BinaryAccuracy(threshold=0.1, **options),
        lambda **options: km.metrics.PerLabel(
            km.metrics.Precision(thresholds=0.1, **options), ["a"], average=None, **options
        ),
    ],
    ids=["precision", "f1", "accuracy", "per_label"],
)
def test_thresholds(metric: Any) -> None:
    """Predictions that float32 takes for the threshold, one above, one not."""
    with float64():
        made = metric(dtype="float64")
        made.update_state(np.array([[1.0], [0.0]]), np.array([[0.1 + 1e-10], [0.1 - 1e-10]]))
        (value,) = (exact(x) for x in keras.tree.flatten(made.result()))
    assert value == 1.0


def test_greatest_score() -> None:
    with float64():
        metric = km.metrics.MeanIoU(2, sparse_y_pred=False, dtype="float64")
        metric.update_state(np.array([1, 0]), np.array([[0.5, 0.5 + 1e-12], [0.5 + 1e-12, 0.5]]))
        assert exact(metric.result()) == 1.0
