"""What `_backend` leans on without a promise of Keras or of a backend; replicas are elsewhere."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_masked as km
from keras_masked import _backend
from keras_masked._backend import masks
from tests.backend import BACKEND, compile_, tensor, to_numpy, value_and_grad

NAN, INF = np.nan, np.inf
X = np.array([[1.0, -2.0, NAN], [INF, 0.0, 3.0]], "float32")
HIDDEN = np.array([[False, True, True], [True, False, False]])


@pytest.fixture(scope="module")
def elsewhere() -> ModuleType:
    """`_backend.masks` with a Keras that keeps the accessors of masks in a place we do not know."""
    place = "keras.src.backend.common.masking"
    spec = importlib.util.spec_from_file_location("masks_elsewhere", masks.__file__)
    module = importlib.util.module_from_spec(spec)
    known = sys.modules[place]
    sys.modules[place] = None  # its import then fails
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules[place] = known
    assert module.get_keras_mask is not _backend.get_keras_mask
    return module


@pytest.fixture(params=["known", "elsewhere"])
def backend(request: pytest.FixtureRequest) -> ModuleType:
    return masks if request.param == "known" else request.getfixturevalue("elsewhere")


def run_compiled(function: Any, *arguments: Any) -> Any:
    # PyTorch's compiler does not trace layers made within a function; masks on its tensors are
    # attributes, compiled or not.
    return (function if BACKEND == "torch" else compile_(function))(*arguments)


def test_masks_are_those_of_layers(backend: ModuleType) -> None:
    x = np.array([[[1.0, 2.0], [0.0, 0.0]]], "float32")
    layer = keras.layers.Masking()

    def read(x: Any) -> Any:
        return ops.cast(backend.get_keras_mask(layer(x)), "int32")

    for value in (read(tensor(x)), run_compiled(read, tensor(x))):
        np.testing.assert_array_equal(to_numpy(value), [[1, 0]])
    assert backend.get_keras_mask(tensor(x)) is None


def test_masks_reach_layers_and_losses(backend: ModuleType, monkeypatch: Any) -> None:
    monkeypatch.setattr(_backend, "get_keras_mask", backend.get_keras_mask)
    x = np.array([[[1.0], [5.0]]], "float32")
    pool, loss = keras.layers.GlobalAveragePooling1D(), km.losses.MeanSquaredError()

    def masked(x: Any, mask: Any) -> Any:
        x = 1.0 * x
        backend.set_keras_mask(x, mask)
        return ops.stack([pool(x)[0, 0], loss(ops.zeros((1, 2, 1)), x)])

    mask = tensor(np.array([[True, False]]))
    for value in (masked(tensor(x), mask), run_compiled(masked, tensor(x), mask)):
        np.testing.assert_array_equal(to_numpy(value), [1.0, 1.0])


def test_bfloat16_labels_keep_their_dtype() -> None:
    default = keras.config.floatx()
    keras.config.set_floatx("bfloat16")
    try:
        labels = ops.cast(tensor(np.array([1.0, -9999.0], "float32")), "bfloat16")
        found = _backend.as_received(labels)
    finally:
        keras.config.set_floatx(default)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"


@pytest.mark.parametrize("compiled", [False, True])
def test_values(compiled: bool) -> None:
    """NaN is found, hidden infinities become 0, and sums of every form are sums."""

    def everything(x: Any, hidden: Any) -> Any:
        shown = ops.logical_not(hidden)
        kept = _backend.zero_where(hidden, x)
        columns = _backend.count_columns(shown)
        return _backend.isnan(x), kept, _backend.count(shown), columns, _backend.add_up(kept)

    found = (compile_(everything) if compiled else everything)(tensor(X), tensor(HIDDEN))
    expected = np.isnan(X), np.where(HIDDEN, 0, X), 3, [1, 1, 1], 4
    for actual, value in zip(found, expected, strict=True):
        np.testing.assert_array_equal(to_numpy(actual), value)


@pytest.mark.parametrize("size", [60, 62, 61])
def test_sums_in_runs(size: int) -> None:
    """Also of axes that divide into runs, into few, or into none; of numbers and of masks."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(size, size)).astype("float32")
    several = [x, x > 0, x, x < 1, x > -1]
    for axis, light in itertools.product([None, 0, -1], [False, True]):
        found = _backend.totals([tensor(each) for each in several], axis, light)
        for actual, each in zip(found, several, strict=True):
            assert keras.backend.standardize_dtype(actual.dtype) == "float32"
            expected = each.sum(axis, dtype="float64")
            np.testing.assert_allclose(to_numpy(actual), expected, rtol=1e-5, atol=1e-4)
    assert to_numpy(_backend.count(tensor(x > 0))) == (x > 0).sum()
    columns = to_numpy(_backend.count_columns(tensor(x > 0)))
    np.testing.assert_array_equal(columns, (x > 0).sum(axis=0))


# JAX has no float64 unless asked.
@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", *["float64"][: BACKEND != "jax"]]
)
def test_zero_by_bits(dtype: str) -> None:
    """Of each width: PyTorch's integers of the same width stand in for floats."""
    x = ops.cast(tensor(X), dtype)
    found = _backend.zero_where(tensor(HIDDEN), x)
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(to_numpy(found), np.where(HIDDEN, 0, X))
    for number in (1.0, -0.25, NAN):
        found = _backend.set_where(tensor(HIDDEN), x, number)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(to_numpy(found), np.where(HIDDEN, number, X))


@pytest.mark.parametrize("compiled", [False, True])
def test_gradient_stops_where_hidden(compiled: bool) -> None:
    """At exactly 0, whatever comes from above; elsewhere it passes."""
    x = np.where(np.isfinite(X), X, 1.0).astype("float32")
    scale = np.array([[2.0, NAN, INF], [NAN, 5.0, 7.0]], "float32")

    def function(x: Any, hidden: Any, scale: Any) -> Any:
        kept = _backend.stop_gradient_where(lambda: hidden, x)
        return ops.sum(kept * scale)

    arguments = map(tensor, (x, HIDDEN, scale))
    _, gradient = value_and_grad(function, compiled)(*arguments)
    np.testing.assert_array_equal(to_numpy(gradient), np.where(HIDDEN, 0, scale))


@pytest.mark.parametrize("compiled", [False, True])
def test_bounds_keep_nan(compiled: bool) -> None:
    """On this rests that a diverged prediction shows; TensorFlow's compiler dropped NaN once."""

    def bounded(x: Any) -> Any:
        low, high = ops.full_like(x, 0.2), ops.full_like(x, 0.8)
        return ops.clip(x, 0.2, 0.8), ops.maximum(low, x), ops.minimum(x, high), ops.relu(x)

    x = np.resize(np.array([0.5, NAN, 2.0, -1.0], "float32"), 64)
    for found in (compile_(bounded) if compiled else bounded)(tensor(x)):
        np.testing.assert_array_equal(np.isnan(to_numpy(found)), np.isnan(x))


def test_repeated_steps_are_one_loop_of_a_graph() -> None:
    """A quantile by search compiles for seconds if its steps are written out."""
    calls = []

    def step(x: Any, y: Any) -> tuple[Any, Any]:
        calls.append(1)
        return x + y, 0.5 * y

    def function(x: Any) -> Any:
        return ops.sum(_backend.repeat(step, 20, (x, 2.0 * x))[0] + x)

    x = np.array([1.0, -3.0], "float32")
    for compiled in (False, True):
        calls.clear()
        value, gradient = value_and_grad(function, compiled)(tensor(x))
        np.testing.assert_allclose(to_numpy(value), 6 * x.sum(), rtol=1e-5)
        np.testing.assert_array_equal(to_numpy(gradient), 1)  # of what is outside alone
    assert BACKEND == "torch" or len(calls) < 20
