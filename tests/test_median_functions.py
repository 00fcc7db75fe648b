"""Medians of a batch: as functions, of rows, of columns and of all labels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests.backend import compile_, set_mask, tensor, to_numpy
from tests.median_oracles import ORACLES

M = km.metrics
NAN, INF = np.nan, np.inf
OF_CLASS = {
    "MedianError": M.median_error,
    "MedianAbsoluteDeviation": M.median_absolute_deviation,
    "MADStandardDeviation": M.mad_std,
}
NAMES = pytest.mark.parametrize("name", ORACLES)


def rows_of(x: Any, axis: int | None) -> Any:
    return x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


@NAMES
@pytest.mark.parametrize("axis", [-1, 0, 1, -2, None])
@pytest.mark.parametrize("shape", [(7,), (6, 5), (4, 3, 6), (4, 1)], ids=str)
def test_function(name: str, shape: tuple[int, ...], axis: int | None) -> None:
    if axis is not None and not -len(shape) <= axis < len(shape):
        pytest.skip("no such axis")
    rng = np.random.default_rng(9)
    y, p = (rng.normal(size=shape).astype("float32") for _ in range(2))
    o = rng.random(shape) < 0.6
    if len(shape) > 1:
        o[0] = o[:, 0] = False
    labels = np.where(o, y, NAN)
    errors = np.where(o, p.astype("float64") - y, NAN)
    if name != "MedianError":
        errors = np.abs(errors)
    scale = 1.4826 if name == "MADStandardDeviation" else 1
    some = np.any(o, axis=axis)
    expected = np.zeros(some.shape)
    with np.errstate(all="ignore"):
        expected = np.apply_along_axis(_nanmedian, 1, rows_of(errors, axis)).reshape(some.shape)
    found = OF_CLASS[name](labels, np.where(o, p, INF), axis=axis)
    assert found.shape == some.shape
    np.testing.assert_allclose(to_numpy(found), scale * np.nan_to_num(expected), rtol=1e-5)
    np.testing.assert_array_equal(to_numpy(get_keras_mask(found)) > 0, some)
    marked = OF_CLASS[name](np.where(o, y, -9), np.where(o, p, NAN), axis=axis, missing=-9.0)
    np.testing.assert_array_equal(to_numpy(marked), to_numpy(found))


def _nanmedian(x: Any) -> float:
    return float(np.nanmedian(x)) if not np.isnan(x).all() else NAN


def test_functions_of_relative_errors() -> None:
    rng = np.random.default_rng(9)
    y, p = rng.normal(size=(2, 5, 7)).astype("float32")
    o = rng.random((5, 7)) < 0.6
    o[0] = False
    errors = np.where(o, 100 * (y.astype("float64") - p) / y, NAN)[1:]
    labels, scores = np.where(o, y, NAN), np.where(o, p, INF)
    found = to_numpy(M.median_percentage_error(labels, scores))
    np.testing.assert_allclose(found, [0, *np.nanmedian(errors, axis=1)], rtol=1e-5)
    found = to_numpy(M.median_absolute_percentage_error(labels, scores))
    np.testing.assert_allclose(found, [0, *np.nanmedian(np.abs(errors), axis=1)], rtol=1e-5)


@NAMES
def test_function_of_complete_labels(name: str) -> None:
    y, p = np.zeros((3, 4), "int32"), np.arange(12, dtype="float32").reshape(3, 4)[::-1].copy()
    found = OF_CLASS[name](y, p)
    np.testing.assert_allclose(
        to_numpy(found), np.median(p, axis=-1) * (1.4826 if "Standard" in name else 1), rtol=1e-6
    )
    assert get_keras_mask(found) is None
    assert "float16" in str(OF_CLASS[name](y, tensor(p, "float16")).dtype)


@NAMES
def test_function_of_keras_mask(name: str) -> None:
    """A mask of rows is one of rows along any axis, also where there are as many columns."""
    rng = np.random.default_rng(10)
    p = rng.normal(size=(4, 4)).astype("float32")
    mask = np.array([True, False, True, True])
    for axis in (-1, 0, None):
        found = OF_CLASS[name](np.zeros((4, 4)), set_mask(p, mask), axis=axis)
        expected = OF_CLASS[name](np.where(mask[:, None], np.zeros((4, 4)), NAN), p, axis=axis)
        np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))
        np.testing.assert_array_equal(
            to_numpy(get_keras_mask(found)), to_numpy(get_keras_mask(expected))
        )


@NAMES
def test_function_shows_divergence(name: str) -> None:
    p = np.array([[1.0, NAN, 3.0], [1.0, 2.0, 3.0], [NAN, NAN, NAN]])
    y = np.array([[0.0, 0.0, NAN], [NAN, 0.0, 0.0], [NAN, NAN, NAN]])
    found = to_numpy(OF_CLASS[name](y, p))
    np.testing.assert_array_equal(np.isnan(found), [True, False, False])
    assert np.isnan(to_numpy(OF_CLASS[name](y, p, axis=None)))


def test_function_of_infinities() -> None:
    y = np.array([[0.0, 0.0, NAN, NAN], [0.0, 0.0, 0.0, NAN], [0.0, NAN, NAN, NAN]])
    p = np.array([[INF, INF, 0.0, 0.0], [-INF, 1.0, INF, 0.0], [-INF, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(to_numpy(M.median_error(y, p)), [INF, 1, -INF])
    np.testing.assert_array_equal(to_numpy(M.median_absolute_deviation(y, p)), [INF, INF, INF])


@pytest.mark.parametrize("axis", [2, -3, 1.0, (0, 1), "rows"], ids=repr)
def test_bad_axis(axis: Any) -> None:
    for function in OF_CLASS.values():
        with pytest.raises(ValueError, match=r"`axis`.*-2 to 1.*axis="):
            function(np.ones((2, 3)), np.ones((2, 3)), axis=axis)


@NAMES
@pytest.mark.parametrize("axis", [-1, 0, None])
def test_function_compiled(name: str, axis: int | None) -> None:
    y = np.array([[0.0, NAN, 0.0], [NAN, NAN, NAN], [0.0, 0.0, 0.0]], "float32")
    p = np.array([[1.0, 7.0, -3.0], [NAN, 7.0, INF], [-2.0, 5.0, 1.0]], "float32")

    def of(y: Any, p: Any) -> Any:
        return OF_CLASS[name](y, p, axis=axis)

    found = compile_(of)(tensor(y), tensor(p))
    np.testing.assert_allclose(to_numpy(found), to_numpy(of(y, p)), rtol=1e-6)


def test_functions_in_compile() -> None:
    """Keras averages rows; as a loss, the mask leaves out the empty ones."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model.compile(loss=M.median_error, metrics=[M.median_error])
    p = np.array([[1.0, 7.0, 4.0], [2.0, 2.0, 2.0], [-2.0, 5.0, 1.0]])
    y = np.array([[0.0, 0.0, 0.0], [NAN, NAN, NAN], [NAN, 0.0, 0.0]])
    found = model.evaluate(p, y, batch_size=3, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["loss"], (4 + 3) / 2)
    # As a metric, Keras looks at the mask only where there are weights.
    np.testing.assert_allclose(found["median_error"], (4 + 3) / 3, rtol=1e-6)
