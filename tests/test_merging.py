"""States of parts of the data, merged: in one process, pickled, and from two gloo processes."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy
from tests.cases import METRICS, Case, draw
from tests.laws import grid, intakes
from tests.test_metric_values import expected, value_of

M = km.metrics


@grid("metric_case", intakes(METRICS, "collect"))
def test_two_halves(metric_case: Case) -> None:
    """Merged into one of them, pickled before, and into a new one: the oracle's value of both."""
    data = draw(metric_case, (10, 5), seed=4)
    y = data.with_missing()
    whole, first, second = (metric_case.make() for _ in range(3))
    for half, metric in ((slice(5), first), (slice(5, 10), second)):
        metric.update_state(y[half], data.p[half])
        whole.update_state(y[half], data.p[half])
    value, support = expected(metric_case, data), to_numpy(whole.support())
    copy = pickle.loads(pickle.dumps(first))
    assert type(copy) is type(first)
    assert copy.get_config() == first.get_config()
    np.testing.assert_array_equal(to_numpy(copy.result()), to_numpy(first.result()))
    np.testing.assert_array_equal(to_numpy(copy.support()), to_numpy(first.support()))
    # Also where the number of columns is not known yet.
    new = metric_case.make()
    new.merge_state([first, second, metric_case.make()])
    np.testing.assert_allclose(to_numpy(new.result()), value, rtol=2e-5)
    for one in (first, copy):
        one.merge_state([second])
        np.testing.assert_allclose(to_numpy(one.result()), value, rtol=2e-5)
        np.testing.assert_allclose(to_numpy(one.support()), support)


def test_infinite_sums_stay_infinite() -> None:
    metrics = [M.MeanSquaredError(), M.MeanSquaredError()]
    for metric in metrics:
        metric.update_state(np.array([[1.0]]), np.array([[np.inf]]))
        metric.update_state(np.array([[1.0]]), np.array([[2.0]]))
    metrics[0].merge_state(metrics[1:])
    assert to_numpy(metrics[0].result()) == np.inf


@pytest.mark.parametrize(
    "other",
    [M.MeanAbsoluteError(), M.MeanSquaredError(missing=-1.0), keras.metrics.MeanSquaredError(), 3],
    ids=str,
)
def test_not_mergeable(other: Any) -> None:
    metric = M.MeanSquaredError()
    with pytest.raises(ValueError, match="`metrics` must hold metrics of the same class"):
        metric.merge_state([other])


def test_other_columns() -> None:
    metrics = [M.R2Score(), M.R2Score()]
    metrics[0].update_state(np.ones((3, 2)), np.ones((3, 2)))
    metrics[1].update_state(np.ones((3, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="columns"):
        metrics[0].merge_state(metrics[1:])


def test_names_may_differ() -> None:
    """Keras numbers them: `auc`, `auc_1`."""
    metrics = [M.AUC(), M.AUC(), M.AUC()]
    for metric in metrics[1:]:
        metric.update_state(np.array([0.0, 1.0, np.nan]), np.array([0.2, 0.8, 0.5]))
    metrics[0].merge_state(metrics[1:])
    assert value_of(metrics[0]) == 1
    assert to_numpy(metrics[0].support()) == 4
