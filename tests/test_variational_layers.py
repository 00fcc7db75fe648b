"""Layers that draw latents and add variational losses: trained, saved, loaded."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy

pytestmark = pytest.mark.slow


def model_of(clusters: int | None = None, pieces: bool = False, **options: Any) -> keras.Model:
    x = keras.Input((6,))
    filled = keras.ops.nan_to_num(x)
    hidden = keras.layers.Dense(8, activation="tanh")(filled)
    m, s = keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(hidden)
    z = km.layers.GaussianSampling(seed=1)([m, s])
    r = keras.layers.Dense(6)(z)
    if pieces:
        m, s = (keras.layers.Reshape((2, 1))(each) for each in (m, s))
    endpoint = km.layers.VariationalEndpoint(clusters, name="endpoint", **options)
    model = keras.Model(x, endpoint([x, r, m, s]))
    model.compile(keras.optimizers.Lamb(0.05))
    return model


@pytest.mark.parametrize(("clusters", "pieces"), [(None, False), (3, False), (3, True)])
def test_fit_save_load(clusters: int | None, pieces: bool, tmp_path: Any) -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(64, 2)) @ rng.normal(size=(2, 6))).astype("float32")
    x[rng.random(x.shape) < 0.3] = np.nan
    x[0] = np.nan
    model = model_of(clusters, pieces, x_log_var=-1.0)
    before = model.evaluate(x, batch_size=64, verbose=0)
    model.fit(x, epochs=8, batch_size=16, verbose=0)
    after = model.evaluate(x, batch_size=64, verbose=0)
    assert np.isfinite(after)
    assert after < before
    assert np.isfinite(model.predict(x, verbose=0)).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.evaluate(x, batch_size=64, verbose=0), after, rtol=1e-5)
    config = again.get_layer("endpoint").get_config()
    assert (config["clusters"], config["x_log_var"], config["missing"]) == (clusters, -1, "nan")
    assert {w.name for w in again.get_layer("endpoint").weights} == (
        {"means", "log_vars", "log_weights"} if clusters else set()
    )


def test_sampling() -> None:
    layer = km.layers.GaussianSampling(seed=3)
    m, s = np.full((4000, 2), 5, "float32"), np.full((4000, 2), np.log(4), "float32")
    first, second = (to_numpy(layer([m, s], training=True)) for _ in range(2))
    assert np.any(first != second)
    np.testing.assert_allclose([first.mean(), first.std()], [5, 2], atol=0.1)
    np.testing.assert_array_equal(to_numpy(layer([m, s])), m)
    assert km.layers.GaussianSampling.from_config(layer.get_config()).seed == 3
