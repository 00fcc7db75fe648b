"""Correlations: of rows, as functions; over the whole data, with offsets and in any split."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests import oracles
from tests.backend import to_numpy
from tests.test_metric_values import value_of

M = km.metrics
ORACLES = {
    "pearson_correlation": oracles.pearson,
    "concordance_correlation": oracles.concordance,
}
FUNCTIONS = set(ORACLES)
"""What tests/test_public.py takes for tested."""

CLASSES = {M.PearsonCorrelation: oracles.pearson, M.ConcordanceCorrelation: oracles.concordance}
NAMES = pytest.mark.parametrize("name", ORACLES)
METRICS = pytest.mark.parametrize("cls", CLASSES)


def data(shape: tuple[int, ...], offset: float = 0.0, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    y = (offset + rng.normal(size=shape)).astype("float32")
    p = (y + 0.7 * rng.normal(size=shape) + 0.3).astype("float32")
    return y, p, rng.random(shape) < 0.7


def of(oracle: Any, y: Any, p: Any, o: Any) -> float:
    return oracle(y[o].astype("float64"), p[o].astype("float64"), np.ones(o.sum()))


@NAMES
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_function(name: str, offset: float) -> None:
    y, p, o = data((6, 9), offset)
    o[0] = False
    o[1] = [True] + [False] * 8
    rows = getattr(M, name)(np.where(o, y, np.nan), p)
    expected = [of(ORACLES[name], y[i], p[i], o[i]) for i in range(6)]
    assert np.isnan(expected[:2]).all()
    np.testing.assert_allclose(to_numpy(rows), np.nan_to_num(expected), rtol=1e-4)
    mask = to_numpy(get_keras_mask(rows)) > 0
    np.testing.assert_array_equal(mask, [False, False, True, True, True, True])
    np.testing.assert_array_equal(
        to_numpy(getattr(M, name)(np.where(o, y, -9.0), p, missing=-9.0)), to_numpy(rows)
    )


@NAMES
@pytest.mark.parametrize("axis", [-1, 0])
def test_identity(name: str, axis: int) -> None:
    y, p, _ = data((6, 9))
    theirs = getattr(keras.metrics, name)(y, p, axis=axis)
    np.testing.assert_allclose(
        to_numpy(getattr(M, name)(y, p, axis=axis)), to_numpy(theirs), rtol=1e-4
    )


@METRICS
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
@pytest.mark.parametrize("axis", [-1, 0, None])
def test_survives_an_offset(cls: Any, offset: float, axis: int | None) -> None:
    """Squares of 1e6 + noise leave nothing of the noise in float32; differences do."""
    oracle = CLASSES[cls]
    y, p, o = data((400, 14), offset, 1)
    labels = np.where(o, y, np.nan)
    metric, parts = cls(axis=axis), [cls(axis=axis) for _ in range(2)]
    for start in range(0, 400, 40):
        metric.update_state(labels[start : start + 40], p[start : start + 40])
        parts[start // 200].update_state(labels[start : start + 40], p[start : start + 40])
    parts[0].merge_state(parts[1:])
    if axis is None:
        expected = of(oracle, y, p, o)
    else:
        lines = range(14) if axis == 0 else range(400)
        at = (lambda i: np.s_[:, i]) if axis == 0 else (lambda i: np.s_[i])
        expected = np.nanmean([of(oracle, y[at(i)], p[at(i)], o[at(i)]) for i in lines])
    np.testing.assert_allclose(value_of(metric), expected, rtol=1e-4)
    np.testing.assert_allclose(value_of(parts[0]), expected, rtol=1e-4)


@METRICS
def test_what_is_undefined(cls: Any) -> None:
    p = np.array([[1.0, 2.0, 4.0], [2.0, 1.0, 5.0]])
    nan = np.nan
    for labels in ([[nan] * 3] * 2, [[1, nan, nan], [nan, 2, nan]]):
        assert np.isnan(value_of(cls(), (np.array(labels), p)))
        assert np.isnan(value_of(cls(axis=0), (np.array(labels), p)))
    one = value_of(cls(), (np.array([[1.0, 2.0, 3.0], [nan, 7.0, nan]]), p))
    np.testing.assert_allclose(one, value_of(cls(), (np.array([[1.0, 2.0, 3.0]]), p[:1])))


def test_constants() -> None:
    y, p = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 4.0]] * 2)
    alone = value_of(M.PearsonCorrelation(), (y[1:], p[1:]))
    np.testing.assert_allclose(value_of(M.PearsonCorrelation(), (y, p)), alone)
    assert np.isnan(value_of(M.PearsonCorrelation(), (p, np.full_like(p, 0.3))))  # as in Keras
    assert value_of(M.ConcordanceCorrelation(), (p, np.full_like(p, 0.3))) == 0


@METRICS
@pytest.mark.parametrize("shape", [(4,), (4, 1)], ids=str)
def test_row_of_one_label(cls: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"axis=0.*axis=None.*axis=-1"):
        cls().update_state(np.ones(shape), np.ones(shape))
    y, p, _ = data((8, 1))
    np.testing.assert_allclose(
        value_of(cls(axis=0), (y[:, 0], p[:, 0])), of(CLASSES[cls], y, p, y == y), rtol=1e-5
    )


@METRICS
def test_of_another_axis(cls: Any) -> None:
    y, p, o = data((3, 7, 2))
    labels = np.where(o, y, np.nan)
    swapped = [np.swapaxes(x, 1, 2) for x in (labels, p)]
    np.testing.assert_allclose(
        value_of(cls(axis=1), (labels, p)), value_of(cls(), swapped), rtol=1e-6
    )


def test_weighted_rows() -> None:
    """Weights of labels count within a row, and a row counts with their mean."""
    y, p, _ = data((2, 5))
    w = np.array([[1.0, 2.0, 1.0, 0.0, 4.0], [2.0] * 5])
    rows = [oracles.pearson(y[i][w[i] > 0], p[i][w[i] > 0], w[i][w[i] > 0]) for i in range(2)]
    value = value_of(M.PearsonCorrelation(), (y, p, w))
    np.testing.assert_allclose(value, np.average(rows, weights=[2, 2]), rtol=1e-5)
