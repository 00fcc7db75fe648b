"""SymJAX's names that have no row in the case table: values of labels, variance of batches."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import explained_variance_score

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests import case_data, oracles, symjax_oracles
from tests.backend import set_mask, tensor, to_numpy, value_and_grad

L, M = km.losses, km.metrics
NAN = np.nan
PER_LABEL = {
    "squared_differences": (case_data.reals, oracles.squared_error),
    "hinge_loss": (case_data.signs, symjax_oracles.hinge(1.0)),
    "sigmoid_crossentropy_logits": (case_data.binary_logits, oracles.binary_crossentropy_of_logits),
}
NAMES = pytest.mark.parametrize("name", PER_LABEL)


def draw(name: str) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    y, p = (x.astype("float32") for x in PER_LABEL[name][0](rng, (5, 4)))
    o = rng.random(y.shape) < 0.6
    o[1] = False
    return y, p, o


# One value per label


@NAMES
def test_values_of_labels(name: str) -> None:
    y, p, o = draw(name)
    expected = np.where(o, PER_LABEL[name][1](y.astype("float64"), p.astype("float64")), 0)
    values = getattr(L, name)(np.where(o, y, NAN), p)
    np.testing.assert_allclose(to_numpy(values), expected, rtol=1e-5)
    np.testing.assert_array_equal(to_numpy(get_keras_mask(values)) > 0, o)
    garbage = getattr(L, name)(np.where(o, y, -9.0), np.where(o, p, np.inf), missing=-9.0)
    np.testing.assert_array_equal(to_numpy(garbage), to_numpy(values))
    half = getattr(L, name)(np.where(o, y, NAN), tensor(p, "float16"))
    assert "float16" in str(half.dtype)


@NAMES
def test_gradient_of_labels(name: str) -> None:
    y, p, o = draw(name)
    sloped = o & (PER_LABEL[name][1](y, p) > 0)  # no slope of a margin that is kept
    p = np.where(o, p, NAN).astype("float32")

    def total(p: Any, y: Any) -> Any:
        return keras.ops.sum(getattr(L, name)(y, p))

    y = np.where(o, y, NAN).astype("float32")
    _, gradient = value_and_grad(total)(tensor(p), tensor(y))
    np.testing.assert_array_equal(to_numpy(gradient) != 0, sloped)
    _, compiled = value_and_grad(total, compiled=True)(tensor(p), tensor(y))
    np.testing.assert_allclose(to_numpy(compiled), to_numpy(gradient), rtol=1e-5)


@NAMES
def test_in_compile_it_is_the_mean_over_labels(name: str) -> None:
    y, p, o = draw(name)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Identity()])
    model.compile(loss=getattr(L, name))
    loss = model.evaluate(p, np.where(o, y, NAN), batch_size=5, verbose=0)
    np.testing.assert_allclose(loss, PER_LABEL[name][1](y[o], p[o]).mean(), rtol=1e-5)


# Accuracy


def test_accuracy_of_scores() -> None:
    y = np.array([1, 0, -1, 1])
    p = np.array([[0.2, 0.8], [0.1, 0.9], [0.5, 0.5], [NAN, 0.5]])
    for labels in (y, y[:, None]):
        matches = M.accuracy(labels, p)
        np.testing.assert_array_equal(to_numpy(matches), [1, 0, 0, NAN])
        np.testing.assert_array_equal(to_numpy(get_keras_mask(matches)) > 0, [1, 1, 0, 1])


# Explained variance


@pytest.mark.parametrize("axis", [None, -1, 0])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_explained_variance_of_a_batch(axis: int | None, offset: float) -> None:
    rng = np.random.default_rng(1)
    y = (offset + rng.normal(size=(12, 9))).astype("float32")
    y[1] = offset
    p = (y - 7 + 0.5 * rng.normal(size=y.shape)).astype("float32")
    o = rng.random(y.shape) < 0.6
    o[0] = o[:, 0] = False
    value = M.explained_variance(np.where(o, y, NAN), np.where(o, p, 1e30), axis, 0.0)
    assert value.shape == (() if axis is None else y.shape[:-1] if axis else y.shape[1:])
    sets: Any = [(y, p, o)]
    if axis is not None:
        sets = zip(*(np.moveaxis(x, axis, -1) for x in (y, p, o)), strict=True)
    expected = []
    for a, b, k in sets:
        a, b = a[k].astype("float64"), b[k].astype("float64")
        expected.append(symjax_oracles.explained_variance(a, b, np.ones(k.sum())))
    np.testing.assert_allclose(np.ravel(to_numpy(value)), np.nan_to_num(expected), rtol=1e-4)
    mask = to_numpy(get_keras_mask(value)) > 0
    np.testing.assert_array_equal(np.ravel(mask), ~np.isnan(expected))


def test_explained_variance_of_masked_rows() -> None:
    """A mask is one of rows, also where the values are those of columns."""
    rng = np.random.default_rng(0)
    y, p = (rng.normal(size=(5, 5)) for _ in range(2))
    mask = np.arange(5) < 3
    found = M.explained_variance(y, set_mask(p, mask), axis=0)
    expected = M.explained_variance(y[:3], p[:3], axis=0)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=1e-5)


def test_explained_variance_sees_no_bias() -> None:
    """Which R2 does, also where it is far larger than what varies."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(300, 2)).astype("float32")
    p = (y + 1e4 + 0.5 * rng.normal(size=y.shape)).astype("float32")
    metric, parts = M.ExplainedVariance(), [M.ExplainedVariance() for _ in range(2)]
    for start in range(0, 300, 50):
        batch = y[start : start + 50], p[start : start + 50]
        metric.update_state(*batch)
        parts[start // 150].update_state(*batch)
    parts[0].merge_state(parts[1:])
    expected = explained_variance_score(y.astype("float64"), p.astype("float64"))
    for each in (metric, parts[0]):
        np.testing.assert_allclose(to_numpy(each.result()), expected, rtol=1e-4)
    perfect = M.ExplainedVariance()
    perfect.update_state(y, y + 3)
    assert 1 - 1e-6 < float(perfect.result()) <= 1


@pytest.mark.parametrize("aggregation", ["uniform_average", "variance_weighted_average", None])
def test_explained_variance_aggregation(aggregation: str | None) -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(40, 3)) * [1, 2, 3]
    p = y + rng.normal(size=y.shape)
    metric = M.ExplainedVariance(aggregation)
    metric.update_state(y, p)
    multioutput = {"uniform_average": "uniform_average", None: "raw_values"}
    expected = explained_variance_score(
        y, p, multioutput=multioutput.get(aggregation, "variance_weighted")
    )
    np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-4)


def test_explained_variance_with_epsilon() -> None:
    y, p = np.array([[1.0, 2.0, 4.0, NAN], [3, 3, 3, 3]]), np.array([[1, 3, 4, 9.0], [3, 3, 3, 4]])
    variances = [(np.var([0, -1, 0]), np.var([1, 2, 4])), (np.var([0, 0, 0, -1]), 0)]
    for epsilon, positional in ((1e-6, ()), (0.5, (0.5,))):
        found = M.explained_variance(y, p, -1, *positional)
        expected = [1 - error / (variance + epsilon) for error, variance in variances]
        np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-5)


# Margins


def test_margins_as_in_symjax() -> None:
    p = np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.5], [0.0, 0.0, 9.0]])
    one_hot = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, NAN]])
    marked = np.where(np.arange(3)[:, None] == 2, -1, one_hot)
    for labels in (np.array([0, 2, -1]), one_hot, marked):
        for delta, rows in ((1.0, [0, 1.5, 0]), (3.0, [1.5, 3.5, 0])):
            found = L.multiclass_hinge_loss(labels, p, delta)
            np.testing.assert_allclose(to_numpy(found), rows, rtol=1e-6)
    found = L.hinge_loss(np.array([[1.0, NAN, -1.0]]), np.array([[0.5, NAN, 0.5]]), 2.0)
    np.testing.assert_allclose(to_numpy(found), [[1.5, 0, 2.5]], rtol=1e-6)
