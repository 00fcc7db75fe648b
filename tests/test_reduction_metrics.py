"""`Mean` and `Sum` of values with holes, and `MeanMetricWrapper`."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import compile_, tensor, to_numpy
from tests.test_metric_values import value_of

M, KM = km.metrics, keras.metrics
BOTH = pytest.mark.parametrize("name", ["Mean", "Sum"])
RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(6, 3))
OBSERVED = RNG.random((6, 3)) < 0.6
HOLES = np.where(OBSERVED, VALUES, np.nan)


def oracle(name: str, values: Any, weights: Any) -> float:
    total = float(np.sum(values * weights))
    return total if name == "Sum" else total / float(np.sum(weights))


@BOTH
@pytest.mark.parametrize("shape", [None, (), (6,), (6, 1), (6, 3)], ids=str)
def test_deletion(name: str, shape: Any) -> None:
    weight = np.ones(()) if shape is None else RNG.integers(1, 4, shape).astype("float64")
    full = np.broadcast_to(weight.reshape(weight.shape + (1,) * (2 - weight.ndim)), (6, 3))
    args = (HOLES,) if shape is None else (HOLES, weight)
    metric = getattr(M, name)()
    value = value_of(metric, args)
    np.testing.assert_allclose(value, oracle(name, VALUES[OBSERVED], full[OBSERVED]), rtol=1e-5)
    np.testing.assert_allclose(to_numpy(metric.support()), full[OBSERVED].sum())


@BOTH
@pytest.mark.parametrize("value", [3.0, [1.0, 3.0, 5.0], VALUES, VALUES[None]], ids=np.shape)
def test_identity(name: str, value: Any) -> None:
    batches = [(value,), (np.asarray(value) + 1,)]
    ours = value_of(getattr(M, name)(), *batches)
    np.testing.assert_allclose(ours, value_of(getattr(KM, name)(), *batches), rtol=1e-6)


@BOTH
def test_sentinel_visibility_and_emptiness(name: str) -> None:
    cls = getattr(M, name)
    marked = np.where(OBSERVED, VALUES, -9.0)
    assert value_of(cls(missing=-9.0), (marked,)) == value_of(cls(), (HOLES,))
    assert np.isnan(value_of(cls(missing=-9.0), (HOLES,)))  # only what is named is missing
    np.testing.assert_equal(value_of(cls(), (np.full(3, np.nan),)), 0 if name == "Sum" else np.nan)
    np.testing.assert_equal(value_of(cls()), 0 if name == "Sum" else np.nan)


@BOTH
def test_does_not_saturate(name: str) -> None:
    metric = getattr(M, name)()
    metric.update_state(np.array([1.0]), np.array([3e7]))
    for _ in range(100):
        metric.update_state(np.array([1.0]))
    np.testing.assert_allclose(np.asarray(metric.support(), "float64"), 3e7 + 100, atol=2)


@BOTH
def test_compiled_and_saved(name: str) -> None:
    metric = getattr(M, name)(missing=(-9.0, "nan"))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded.get_config() == metric.get_config()
    x = tensor(HOLES)
    if keras.backend.backend() == "jax":
        step = compile_(metric.stateless_update_state)
        value = metric.stateless_result(step([v.value for v in metric.variables], x))
    else:
        compile_(lambda x: metric.update_state(x))(x)
        value = metric.result()
    np.testing.assert_allclose(to_numpy(value), value_of(loaded, (HOLES,)), rtol=1e-6)


@keras.saving.register_keras_serializable("tests")
def power_error(y_true: Any, y_pred: Any, power: float = 1.0) -> Any:
    return keras.ops.abs(y_true - y_pred) ** power


def test_wrapper_passes_arguments_and_saves() -> None:
    metric = M.MeanMetricWrapper(power_error, "cubic", missing=-9.0, power=3.0)
    y, p = np.array([[1.0, -9.0], [3.0, 4.0]]), np.array([[2.0, 7.0], [3.0, 6.0]])
    assert value_of(metric, (y, p)) == 3
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded.get_config() == metric.get_config()
    assert value_of(loaded, (y, p)) == 3
    theirs = KM.MeanMetricWrapper(power_error, "cubic", power=3.0)
    full = (np.array([[1.0], [3.0]]), np.array([[2.0], [5.0]]))
    assert value_of(M.MeanMetricWrapper(power_error, power=3.0), full) == value_of(theirs, full)


def test_wrapper_of_vectors() -> None:
    metric = M.MeanMetricWrapper(
        keras.losses.sparse_categorical_crossentropy, label_axes=1, missing=-1
    )
    y, p = np.array([0, -1, 1]), np.array([[0.5, 0.5], [0.9, 0.1], [0.75, 0.25]])
    np.testing.assert_allclose(value_of(metric, (y, p)), (np.log(2) + np.log(4)) / 2, rtol=1e-6)
    assert metric._direction == "down"


def test_wrapper_refuses() -> None:
    with pytest.raises(ValueError, match="`fn` must be a function"):
        M.MeanMetricWrapper("mse")
    with pytest.raises(ValueError, match="label_axes"):
        M.MeanMetricWrapper(power_error, label_axes=2)
    metric = M.MeanMetricWrapper(lambda y, p: keras.ops.mean(y - p))
    with pytest.raises(ValueError, match="`fn` must return one value per row"):
        metric.update_state(np.ones((2, 2)), np.ones((2, 2)))
