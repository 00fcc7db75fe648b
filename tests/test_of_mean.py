"""`OfMean`: ordinary metrics of the means that a stacked output predicts."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import set_mask, to_numpy
from tests.likelihood_data import ROWS, P

L, M = km.losses, km.metrics
NAN = np.nan


def test_of_mean() -> None:
    o = P.observed
    metric = M.OfMean(M.MeanAbsoluteError(), name="mae")
    weight = np.arange(1.0, ROWS + 1)
    metric.update_state(P.labels(), P.p, weight)
    w = np.broadcast_to(weight[:, None], o.shape)[o]
    expected = np.average(np.abs(P.y - P.mean)[o], weights=w)
    np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-5)
    assert to_numpy(metric.support()) == w.sum()
    assert metric.name == "mae"
    assert metric._direction == "down"

    other = M.OfMean(M.MeanAbsoluteError(), name="mae")
    other.update_state(P.labels(), P.p, weight)
    other.update_state(P.labels(), P.p + 1)
    both = M.OfMean(M.MeanAbsoluteError())
    both.update_state(P.labels(), P.p + 1)
    both.merge_state([metric])
    np.testing.assert_allclose(to_numpy(both.result()), to_numpy(other.result()), rtol=1e-6)
    copy = pickle.loads(pickle.dumps(other))
    np.testing.assert_array_equal(to_numpy(copy.result()), to_numpy(other.result()))
    assert M.OfMean.from_config(other.get_config()).get_config() == other.get_config()
    other.reset_state()
    assert np.isnan(to_numpy(other.result()))


def test_of_mean_of_columns() -> None:
    names = ["a", "b", "c"]
    metric = M.OfMean(M.PerLabel(M.R2Score(), names))
    metric.update_state(P.labels(), P.p)
    plain = M.PerLabel(M.R2Score(), names)
    plain.update_state(P.labels()[..., 0], P.mean)
    expected = {k: to_numpy(v) for k, v in plain.result().items()}
    assert {k: to_numpy(v) for k, v in metric.result().items()} == expected
    lazily = M.OfMean(M.R2Score())  # creates its state at the first update
    lazily.update_state(P.labels(), P.p)
    value = to_numpy(lazily.result())
    np.testing.assert_array_equal(to_numpy(pickle.loads(pickle.dumps(lazily)).result()), value)
    per_label = M.PerLabel(M.OfMean(M.R2Score()), names)
    per_label.update_state(P.labels(), P.p)
    for key, value in expected.items():
        np.testing.assert_allclose(to_numpy(per_label.result()[key]), value, rtol=1e-5)


def test_of_mean_of_logits() -> None:
    """Also of the mean logits of classes."""
    y = np.array([[1.0, 0, 0], [0, 1, 0], [NAN] * 3])
    p = np.stack([[[2.0, 1, 0], [2, 1, 0], [0, 1, 0]], np.zeros((3, 3))], -1)
    metric = M.OfMean(M.CategoricalAccuracy())
    metric.update_state(y, p)
    assert to_numpy(metric.result()) == 0.5


def test_of_mean_sees_masks_and_divergence() -> None:
    mask = np.arange(ROWS) < 4
    metric, plain = M.OfMean(M.MeanSquaredError()), M.MeanSquaredError()
    metric.update_state(P.labels(), set_mask(P.p, mask))
    plain.update_state(P.labels()[:4, :, 0], P.mean[:4])
    np.testing.assert_allclose(to_numpy(metric.result()), to_numpy(plain.result()), rtol=1e-6)
    p = P.p.copy()
    p[tuple(np.argwhere(P.observed)[0])] = NAN
    metric.update_state(P.labels(), p)
    assert np.isnan(to_numpy(metric.result()))


@pytest.mark.parametrize(
    "inner", [keras.metrics.MeanSquaredError(), M.IntervalCoverage(), L.MeanSquaredError(), None]
)
def test_bad_inner_metric(inner: Any) -> None:
    with pytest.raises(ValueError, match="Argument `metric`"):
        M.OfMean(inner)
