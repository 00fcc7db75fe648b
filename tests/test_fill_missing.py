"""`layers.FillMissing`, and what a missing feature does without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer

import keras_masked as km
from tests.backend import BACKEND, tensor, to_numpy, value_and_grad

NAN = np.nan
X = np.array([[1.0, NAN, 4.0], [3.0, 8.0, NAN], [NAN, 10.0, NAN]], "float32")
Y = np.array([[1.0], [2.0], [NAN]], "float32")


def small_model(*first: Any) -> Any:
    model = keras.Sequential([keras.Input((3,)), *first, keras.layers.Dense(1)])
    model.compile("sgd", km.losses.MeanSquaredError())
    return model


def test_nan_features_ruin_all_weights() -> None:
    """The loss hides the row, whose label is missing; the kernel's gradient is 0 x NaN."""
    x = np.where(np.arange(3)[:, None] == 2, NAN, np.ones((3, 3))).astype("float32")
    model = small_model()
    history = model.fit(x, Y, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.isnan(model.get_weights()[0]).all()
    model = small_model(km.layers.FillMissing())
    model.fit(x, Y, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize("indicators", [False, True])
@pytest.mark.parametrize("value", [0.0, 2.5, "mean"])
def test_as_in_scikit_learn(value: Any, indicators: bool) -> None:
    layer = km.layers.FillMissing(value, indicators=indicators)
    strategy = {"strategy": "mean"} if value == "mean" else {"strategy": "constant"}
    fill = None if value == "mean" else value
    target = SimpleImputer(fill_value=fill, **strategy).fit_transform(X)
    if value == "mean":
        layer.adapt(X)
    if indicators:
        target = np.hstack([target, MissingIndicator(features="all").fit_transform(X)])
    found = layer(X)
    np.testing.assert_allclose(to_numpy(found), target, rtol=1e-6)
    assert tuple(layer.compute_output_shape((None, 3))) == (None, 6 if indicators else 3)
    symbolic = layer(keras.Input((3,)))
    assert tuple(symbolic.shape) == (None, 6 if indicators else 3)


def test_markers() -> None:
    x = np.where(np.isnan(X), -99.0, X)
    x[0, 1] = NAN
    layer = km.layers.FillMissing("mean", missing=(-99.0, "nan"), indicators=True)
    layer.adapt(x[:, None, :])
    assert to_numpy(layer.mean).tolist() == [2, 9, 4]
    assert to_numpy(layer(x))[0].tolist() == [1, 9, 4, 0, 1, 0]
    ids = np.array([[1, -1], [3, 2]])  # integers come out as floats; none can be NaN
    assert to_numpy(km.layers.FillMissing(missing=-1)(ids)).tolist() == [[1, 0], [3, 2]]
    whole = km.layers.FillMissing(indicators=True)(ids)
    assert to_numpy(whole).tolist() == [[1, -1, 0, 0], [3, 2, 0, 0]]
    kept = km.layers.FillMissing(missing=-99.0)(X)  # only what is named is missing
    np.testing.assert_array_equal(to_numpy(kept), X)


def test_half_precision() -> None:
    """The marker is found before it is rounded."""
    layer = km.layers.FillMissing(missing=-9999.0, dtype="mixed_bfloat16")
    found = layer(np.array([[-9999.0, 1.0]], "float32"))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    assert to_numpy(found).tolist() == [[0, 1]]


def test_adapt_on_streams() -> None:
    def batches() -> Any:
        yield X[:2], Y[:2]
        yield X[2:], Y[2:], np.ones(1)

    class Sequence(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return X[i : i + 1], Y[i : i + 1]

    streams: list[Any] = [batches(), [X[:1], X[1:]], Sequence()]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        streams.append(tf.data.Dataset.from_tensor_slices((X, Y)).batch(2))
    if BACKEND == "torch":
        import torch

        data = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
        streams.append(torch.utils.data.DataLoader(data, batch_size=2))
    for stream in streams:
        layer = km.layers.FillMissing("mean")
        layer.adapt(stream, verbose=0)
        assert to_numpy(layer.mean).tolist() == [2, 9, 4]


@pytest.mark.parametrize("compiled", [False, True])
def test_gradient(compiled: bool) -> None:
    layer = km.layers.FillMissing("mean", indicators=True)
    layer.adapt(X)

    def total(x: Any) -> Any:
        return keras.ops.sum(layer(x)[:, :3] ** 2)

    value, gradient = value_and_grad(total, compiled)(tensor(X))
    known = ~np.isnan(X)
    np.testing.assert_array_equal(to_numpy(gradient), np.where(known, 2 * np.nan_to_num(X), 0))
    np.testing.assert_allclose(float(value), 14 + 245 + 48)


def test_saving(tmp_path: Path) -> None:
    layer = km.layers.FillMissing("mean", missing=(-1.0, "nan"), indicators=True)
    layer.adapt(X)
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    assert again.layers[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(to_numpy(again.layers[0].mean), to_numpy(layer.mean))
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert np.isfinite(model.predict(X, verbose=0)).all()
    plain = km.layers.FillMissing.from_config(km.layers.FillMissing(3).get_config())
    assert plain.value == 3.0


def test_padding_mask_passes() -> None:
    x = np.array([[[1.0, 2.0], [0.0, 0.0]]], "float32")
    masked = keras.layers.Masking()(tensor(x))
    assert km.layers.FillMissing()(masked)._keras_mask is not None


def test_errors() -> None:
    for value in (NAN, np.inf, "median", None, True, [1.0]):
        with pytest.raises(ValueError, match="finite number or 'mean'"):
            km.layers.FillMissing(value)
    with pytest.raises(ValueError, match="`value` is a number"):
        km.layers.FillMissing().adapt(X)
    layer = km.layers.FillMissing("mean")
    with pytest.raises(ValueError, match="call `adapt`"):
        layer(X)
    with pytest.raises(ValueError, match="feature of column 1 has no observed feature"):
        layer.adapt(np.array([[1.0, NAN, 2.0]]))
    with pytest.raises(ValueError, match="must hold features"):
        layer.adapt(np.ones(3))
    layer = km.layers.FillMissing("mean")
    layer.adapt(X)
    with pytest.raises(ValueError, match=r"3 features and expects the shape \(\.\.\., 3\)"):
        layer(np.ones((2, 2)))
    with pytest.raises(ValueError, match="masked array"):
        km.layers.FillMissing()(np.ma.masked_invalid(X))
