"""Models that work in normalized units and predict in those of the labels: saved, trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests.backend import BACKEND, tensor, to_numpy
from tests.label_tables import LABELS, SENTINEL, adapted, state, table

pytestmark = pytest.mark.slow

Normalization = km.layers.LabelNormalization
Denormalization = km.layers.LabelDenormalization


# Configuration and saving


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]])
@pytest.mark.parametrize("missing", ["nan", SENTINEL, (SENTINEL, "nan")])
def test_config(missing: Any, names: Any) -> None:
    layer = Normalization(missing, names=names, name="n", dtype="float16")
    config = layer.get_config()
    again = Normalization.from_config(config)
    assert again.get_config() == config
    assert (again.missing, config["names"], again.name) == (missing, names, "n")
    assert again.compute_dtype == "float16"
    layer.adapt(table()[0])
    for distribution in (None, "gaussian"):
        config = Denormalization(layer, distribution, name="d").get_config()
        end = Denormalization.from_config(config)
        assert end.get_config() == config
        assert end.normalization.missing == missing
        assert (end.distribution is None) == (distribution is None)


def sequential(normalization: Any) -> keras.Model:
    end = Denormalization(normalization, "gaussian")
    return keras.Sequential([keras.Input((4,)), km.layers.DistributionHead(LABELS), end])


def functional(normalization: Any) -> keras.Model:
    x = keras.Input((4,))
    first = Denormalization(normalization)(keras.layers.Dense(LABELS)(x))
    second = Denormalization(normalization, "gaussian")(km.layers.DistributionHead(LABELS)(x))
    return keras.Model(x, [first, second])  # of one normalization for two


def without_input(normalization: Any) -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(LABELS), Denormalization(normalization)])
    model.build((None, 4))
    return model


def of_labels(normalization: Any) -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, normalization(x[:, :LABELS]))


@pytest.mark.parametrize("build", [sequential, functional, without_input, of_labels])
@pytest.mark.parametrize("adapt_first", [True, False])
def test_save_and_load(build: Any, adapt_first: bool, tmp_path: Path) -> None:
    y, gone = table()
    normalization = Normalization(SENTINEL)
    if adapt_first:
        normalization.adapt(np.where(gone, SENTINEL, y))
    model = build(normalization)
    if not adapt_first:
        normalization.adapt(np.where(gone, SENTINEL, y))
    x = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")
    expected = [to_numpy(p) for p in keras.tree.flatten(model(x))]
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")

    def check(loaded: keras.Model, predict: bool = False) -> None:
        found = loaded.predict(x, verbose=0) if predict else loaded(x)
        for p, q in zip(keras.tree.flatten(found), expected, strict=True):
            np.testing.assert_allclose(to_numpy(p), q, rtol=1e-6)

    for predict in (True, False):
        check(keras.saving.load_model(tmp_path / "model.keras"), predict)
    fresh = build(Normalization(SENTINEL))
    fresh.load_weights(tmp_path / "model.weights.h5")
    check(fresh)
    clone = keras.models.clone_model(model)
    clone.load_weights(tmp_path / "model.weights.h5")
    check(clone)
    twice = keras.saving.load_model(tmp_path / "model.keras")
    twice.save(tmp_path / "twice.keras")
    check(keras.saving.load_model(tmp_path / "twice.keras"))


def test_broken_weights_are_noticed(tmp_path: Path) -> None:
    """A file without the weights is none of this layer."""
    keras.Sequential([keras.Input((LABELS,)), keras.layers.ReLU(name="same")]).save_weights(
        tmp_path / "other.weights.h5"
    )
    model = keras.Sequential([keras.Input((LABELS,)), Normalization(name="same")])
    with pytest.raises(Exception, match="(?i)expected 2 variables|could not be loaded|was never"):
        model.load_weights(tmp_path / "other.weights.h5")


# In a model


def test_symbolic_calls() -> None:
    layer = Normalization(-1)
    out = layer(keras.Input((5, 3), dtype="int32"))
    assert (out.shape, out.dtype, layer.built) == ((None, 5, 3), "float32", True)
    end = Denormalization(Normalization(), "gaussian")
    assert end(keras.Input((3, 2))).shape == (None, 3, 2)
    assert end.normalization.labels == 3


def test_unadapted_model_shows_nan() -> None:
    model = keras.Sequential([keras.Input((2,)), Denormalization(Normalization())])
    model.compile(loss="mse", jit_compile=BACKEND == "jax")
    if BACKEND == "torch":  # is eager there
        with pytest.raises(ValueError, match="call `adapt`"):
            model.predict(np.ones((4, 2)), verbose=0)
    else:
        assert np.isnan(model.predict(np.ones((4, 2)), verbose=0)).all()
    model.layers[-1].normalization.adapt(np.array([[1.0, 5.0], [3.0, 9.0]]))
    np.testing.assert_array_equal(model.predict(np.ones((4, 2)), verbose=0), [[3, 9]] * 4)


def test_masks_pass() -> None:
    layer, _, _ = adapted()
    x = keras.layers.Masking()(np.concatenate([np.zeros((1, 1, 3)), np.ones((1, 1, 3))], axis=1))
    for each in (layer, Denormalization(layer)):
        assert to_numpy(get_keras_mask(each(x))).tolist() == [[0, 1]]


def test_half_precision_at_the_end() -> None:
    """The units overflow float16; the last layer is float32 as Keras advises."""
    normalization = Normalization(dtype="mixed_float16")
    normalization.adapt(np.array([[1e6], [3e6]]))
    end = Denormalization(normalization, dtype="float32")
    found = end(tensor(np.array([[0.5]]), "float16"))
    np.testing.assert_allclose(to_numpy(found), [[2.5e6]])
    parameters = Denormalization(normalization, "gaussian", dtype="float32")
    found = to_numpy(parameters(tensor(np.array([[[0.5, 0.0]]]), "float16")))
    np.testing.assert_allclose(found, [[[2.5e6, 2 * np.log(1e6)]]], rtol=1e-6)
    normalization.adapt(np.array([[1.0], [4098.0]]))  # mean and deviation are not of float16
    found = Denormalization(normalization, dtype="mixed_float16")(np.array([[-1.0]]))
    np.testing.assert_array_equal(to_numpy(found), [[1]])


def test_training() -> None:
    """Labels of very different units and predictions in them; a plain mean would do far worse."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 4)).astype("float32")
    scale, shift = np.array([0.01, 300.0, 1.0]), np.array([0.5, 5000.0, -2.0])
    truth = (
        x @ rng.normal(size=(4, LABELS)) + 0.1 * rng.normal(size=(512, LABELS))
    ) * scale + shift
    gone = rng.random(truth.shape) < 0.4
    y = np.where(gone, SENTINEL, truth)
    normalization = Normalization(SENTINEL)
    model = sequential(normalization)
    loss = km.losses.NegativeLogLikelihood(missing=SENTINEL)
    normalization.adapt([(x, y)], verbose=0)
    model.compile(keras.optimizers.Adam(0.03), loss=loss)
    before = state(normalization)
    model.fit(x, y, epochs=40, batch_size=32, verbose=0)
    assert state(normalization) == before
    predicted = model.predict(x, verbose=0)
    residuals = (predicted[..., 0] - truth) / scale
    assert (residuals.std(axis=0) < 0.2).all()
    np.testing.assert_allclose(np.exp(predicted[..., 1] / 2).mean(axis=0) / scale, 0.1, atol=0.05)
