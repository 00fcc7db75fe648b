"""Labels normalized by what is observed of them, and predictions mapped back by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, compile_, tensor, to_numpy, value_and_grad
from tests.label_tables import LABELS, SENTINEL, adapted, oracle, split, state, table

Normalization = km.layers.LabelNormalization
Denormalization = km.layers.LabelDenormalization


def test_layer_has_what_is_measured_and_starts_afresh() -> None:
    layer, y, gone = adapted()
    np.testing.assert_allclose(state(layer), np.stack(oracle(y, gone)), rtol=1e-6)
    other, other_gone = table(1)
    layer.adapt(np.where(other_gone, np.nan, other), batch_size=5)
    np.testing.assert_allclose(state(layer), np.stack(oracle(other, other_gone)), rtol=1e-6)
    assert layer.trainable_weights == []
    assert [w.name for w in layer.weights] == ["mean", "standard_deviation"]


# Normalizing


@pytest.mark.parametrize("missing", ["nan", SENTINEL, ("nan", SENTINEL, -1)])
def test_call(missing: Any) -> None:
    y, gone = table()
    marker = np.nan if missing == "nan" else SENTINEL
    labels = np.where(gone, marker, y).astype("float32")
    layer = Normalization(missing)
    layer.adapt(labels)
    found = to_numpy(layer(labels))
    np.testing.assert_array_equal(found[gone], np.full(gone.sum(), marker))
    mean, deviation = oracle(labels.astype("float64"), gone)
    expected = (labels - mean) / deviation
    np.testing.assert_allclose(found[~gone], expected[~gone], atol=2e-4)
    np.testing.assert_allclose(oracle(found, gone), [np.zeros(LABELS), np.ones(LABELS)], atol=1e-4)
    again = to_numpy(layer.inverse(found))
    np.testing.assert_allclose(again[~gone], labels[~gone], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("received", ["float16", "bfloat16", "float32", "float64", "int32"])
def test_half_precision(dtype: str, received: str) -> None:
    """The sentinel is found as it was rounded, and becomes what it is in the layer's dtype."""
    if (BACKEND, received) == ("jax", "float64"):
        pytest.skip("JAX has no float64 unless asked")
    y = np.array([[100.0, 4000.0], [300.0, -9999.0], [-9999.0, 8000.0]])
    layer = Normalization(-9999, dtype=dtype)
    layer.adapt(y)
    found = layer(tensor(y, received))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    expected = tensor(np.array([[-1.0, -1.0], [1.0, -9999.0], [-9999.0, 1.0]]), dtype)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=2**-6)
    marker = to_numpy(tensor(-9999.0, dtype))
    assert to_numpy(found)[1, 1] == to_numpy(found)[2, 0] == marker
    assert keras.backend.standardize_dtype(layer.mean.dtype) == "float32"


def test_integers() -> None:
    y = np.array([[1, 20], [3, -1], [-1, 40]])
    layer = Normalization(-1)
    layer.adapt(y)
    # The first is one standard deviation below the mean, and must not become the sentinel.
    found = to_numpy(layer(y))
    np.testing.assert_allclose(found, [[-1, -1], [1, -1], [-1, 1]], atol=1e-6)
    np.testing.assert_array_equal(found == -1, [[False, False], [False, True], [True, False]])
    if BACKEND != "jax":
        assert to_numpy(layer(y.astype("int64"))).shape == (3, 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("marker", [0, -1, 1])
def test_observed_labels_do_not_become_sentinels(marker: int, dtype: str) -> None:
    layer = Normalization((marker, "nan"), dtype=dtype)
    layer.adapt(np.array([[9.0], [11.0]]))
    found = to_numpy(layer(np.array([[9.0], [10.0], [11.0], [marker], [np.nan]])))[:, 0]
    np.testing.assert_array_equal(found == marker, [False, False, False, True, False])
    np.testing.assert_allclose(found[:3], [-1, 0, 1], atol=0.02)
    assert np.isnan(found[4])


def test_float64() -> None:
    """Labels with more digits than float32 has."""
    if BACKEND == "jax":
        pytest.skip("JAX has no float64 unless asked")
    y = 2.45e6 + np.array([[0.01], [0.02], [0.03], [np.nan]])
    layer = Normalization(dtype="float64")
    layer.adapt(y)
    found = keras.ops.convert_to_numpy(layer(y))
    np.testing.assert_allclose(found[:3, 0], [-(1.5**0.5), 0, 1.5**0.5], atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer.inverse(found)), y, rtol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 3)])
def test_inverses(shape: tuple[int, ...]) -> None:
    layer, y, gone = adapted(SENTINEL)
    mean, deviation = oracle(y, gone)
    z = np.random.default_rng(2).normal(size=shape)
    np.testing.assert_allclose(to_numpy(layer.inverse(z)), z * deviation + mean, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(layer(to_numpy(layer.inverse(z)))), z, atol=2e-3)
    log_variances = to_numpy(layer.inverse_log_variances(z))
    np.testing.assert_allclose(np.exp(log_variances), np.exp(z) * deviation**2, rtol=1e-4)
    errors = np.abs(z)
    errors.flat[1] = SENTINEL
    for method, factor in ((layer.errors, 1 / deviation), (layer.inverse_errors, deviation)):
        found = to_numpy(method(errors.tolist()))
        assert found.flat[1] == SENTINEL
        expected = np.where(errors == SENTINEL, SENTINEL, errors * factor)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    stacked = np.stack([z, z / 2], axis=-1)
    for distribution in ("gaussian", km.distributions.Gaussian()):
        found = to_numpy(layer.inverse_parameters(stacked, distribution))
        np.testing.assert_allclose(found[..., 0], to_numpy(layer.inverse(z)), rtol=1e-6)
        expected = to_numpy(layer.inverse_log_variances(z / 2))
        np.testing.assert_allclose(found[..., 1], expected, rtol=1e-5)


def test_gradients() -> None:
    layer, y, gone = adapted(SENTINEL)
    deviation = oracle(y, gone)[1]
    z = tensor(np.ones((2, LABELS), "float32"))
    _, gradient = value_and_grad(lambda p: keras.ops.sum(layer.inverse(p)))(z)
    np.testing.assert_allclose(to_numpy(gradient), np.tile(deviation, (2, 1)), rtol=1e-5)
    for of in (layer, layer.inverse_errors, layer.inverse_log_variances):
        _, gradient = value_and_grad(lambda p, of=of: keras.ops.sum(of(p)))(z)
        assert np.isfinite(to_numpy(gradient)).all()
    nan = Normalization()
    nan.adapt(y)
    y = tensor(np.where(gone, np.nan, y).astype("float32"))
    _, gradient = value_and_grad(lambda p: keras.ops.sum(nan(p)[~gone]))(y)
    np.testing.assert_allclose(to_numpy(gradient)[gone], 0)


METHODS = ["__call__", "inverse", "inverse_log_variances", "errors", "inverse_errors"]


@pytest.mark.parametrize("method", [*METHODS, "inverse_parameters", "denormalize"])
def test_compiles_in_one_graph(method: str) -> None:
    layer, y, _ = adapted(SENTINEL)
    x = tensor(y.astype("float32"))
    function = getattr(layer, method, None)
    if method in ("inverse_parameters", "denormalize"):
        x = tensor(np.ones((4, LABELS, 2), "float32"))
    if function is None:
        function = Denormalization(layer, "gaussian")
        function.build((None, LABELS, 2))
    expected = to_numpy(function(x))
    np.testing.assert_allclose(to_numpy(compile_(lambda x: function(x))(x)), expected, rtol=1e-5)

    def total(x: Any) -> Any:
        return keras.ops.sum(function(x))

    _, gradient = value_and_grad(total, compiled=True)(x)
    np.testing.assert_allclose(to_numpy(gradient), to_numpy(value_and_grad(total)(x)[1]), rtol=1e-5)


# Bad input


@pytest.mark.parametrize("names", [("teff", "logg", "fe_h"), None])
def test_never_observed(names: Any) -> None:
    layer, y, _ = adapted(names=names)
    before = state(layer)
    y[:, 1] = np.nan
    y = y + 1
    for data in (y, split(y, 5), y.astype("float32")):
        with pytest.raises(ValueError, match="'logg' has no" if names else "of column 1 has no"):
            layer.adapt(data, verbose=0)
        assert state(layer) == before
    fresh = Normalization(names=names)
    with pytest.raises(ValueError, match="has no observed label"):
        fresh.adapt(y)
    assert not fresh.built
    assert fresh.weights == []


def test_infinite_labels() -> None:
    layer, y, _ = adapted(names=["a", "b", "c"])
    before = state(layer)
    y[0, 2] = -np.inf
    with pytest.raises(ValueError, match="The label 'c' holds infinite labels"):
        layer.adapt(y)
    with pytest.raises(ValueError, match="'a' has a mean or standard deviation too large"):
        layer.adapt(np.eye(3) * [1e300, 1, 1])
    assert state(layer) == before
    Normalization(float("-inf")).adapt(np.array([[1.0], [-np.inf]]))  # a marker like any other


def test_bad_arguments() -> None:
    y = np.ones((4, 2))
    with pytest.raises(ValueError, match=r"those of the names \['a'\], 1"):
        Normalization(names=["a"]).adapt(y)
    with pytest.raises(ValueError, match=r"shape \(..., 1\)"):
        Normalization(names=["a"]).build((None, 2))
    for names in ("ab", [], ["a", "a"], [1, 2]):
        with pytest.raises(ValueError, match="distinct strings"):
            Normalization(names=names)
    for options, message in (
        ({"batch_size": 0}, "Argument `batch_size`"),
        ({"steps": 1.5}, "Argument `steps`"),
        ({"steps": 2}, "need `batch_size`"),
        ({"verbose": "loud"}, "Argument `verbose`"),
    ):
        with pytest.raises(ValueError, match=message):
            Normalization().adapt(y, **options)
    with pytest.raises(ValueError, match="Argument `missing`"):
        Normalization(missing=())
    with pytest.raises(ValueError, match="must be a `keras_masked.layers.LabelNormalization`"):
        Denormalization(keras.layers.Normalization())
    with pytest.raises(ValueError, match="Argument `distribution`"):
        Denormalization(Normalization(), "cauchy")


def test_bad_shapes() -> None:
    layer, _, _ = adapted()
    for x in (np.zeros((2, 4)), np.zeros((3, 1)), np.array(1.0)):
        for method in METHODS:
            with pytest.raises(ValueError, match="adapted to 3 labels"):
                getattr(layer, method)(x)
    for shape in ((2, 4, 2), (3,)):
        with pytest.raises(ValueError, match="adapted to 3 labels"):
            layer.inverse_parameters(np.zeros(shape))
    with pytest.raises(ValueError, match="mean, log_variance"):
        layer.inverse_parameters(np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="adapted to 3 labels"):
        Denormalization(layer)(keras.Input((4,)))
    with pytest.raises(ValueError, match="as many labels as those seen before, 3"):
        layer.adapt(np.eye(2))
    with pytest.raises(ValueError, match="masked array"):
        layer(np.ma.masked_less(np.zeros((2, 3)), 1))


def test_wide_integers() -> None:
    """JAX has no such integers: the sentinel would become another number."""
    y = np.array([[1], [-(2**40)], [3]])
    layer = Normalization(-(2**40))
    layer.adapt(y)
    assert state(layer) == [[2], [1]]
    if BACKEND == "jax":
        with pytest.raises(ValueError, match="does not fit int32"):
            layer(y)
    else:
        np.testing.assert_array_equal(to_numpy(layer(y)), [[-1], [-(2**40)], [1]])


def test_unadapted() -> None:
    fresh, built = Normalization(), Normalization()
    built.build((None, 2))
    for layer in (fresh, built):
        for method in METHODS:
            with pytest.raises(ValueError, match="call `adapt`"):
                getattr(layer, method)(np.zeros((1, 2)))
        with pytest.raises(ValueError, match="call `adapt`"):
            Denormalization(layer)(np.zeros((1, 2)))
    assert np.isnan(state(built)).all()
    built.set_weights([np.ones(2), np.full(2, 4.0)])  # counts as adapted
    np.testing.assert_array_equal(to_numpy(built(np.array([[1.0, 9.0]]))), [[0, 2]])
