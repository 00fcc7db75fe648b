"""Models of two outputs that need each other: in `fit`, by hand, and with fresh draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests.astronn_data import BOTH, LABELS, MAGIC, NAN, classification
from tests.backend import BACKEND, set_mask, tensor, to_numpy

pytestmark = pytest.mark.slow

L, M = km.losses, km.metrics


def survey(rows: int = 512) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, 3))
    error = rng.gamma(2.0, 0.2, size=(rows, 2))
    y = x @ rng.normal(size=(3, 2)) + np.sqrt(0.25 + error**2) * rng.normal(size=(rows, 2))
    gone = rng.random(y.shape) < 0.3
    gone[:5] = True
    y, error = np.where(gone, MAGIC, y), np.where(gone, NAN, error)
    return x.astype("float32"), y.astype("float32"), error.astype("float32")


def two_outputs() -> tuple[Any, Any, Any]:
    keras.utils.set_random_seed(0)
    x = keras.Input((3,), name="x")
    output = keras.layers.Dense(2, kernel_initializer="zeros", name="output")(x)
    variance_output = keras.layers.Dense(2, kernel_initializer="zeros", name="variance_output")(x)
    return x, output, variance_output


def endpoint_model() -> tuple[keras.Model, keras.Model]:
    x, output, variance_output = two_outputs()
    y, error = keras.Input((2,), name="y"), keras.Input((2,), name="error")
    labels = keras.ops.stack([y, error], axis=-1)
    loss = L.NegativeLogLikelihood(missing=BOTH)
    outputs = km.layers.LossEndpoint(loss, name="endpoint")([labels, output, variance_output])
    model = keras.Model([x, y, error], outputs)
    model.compile(keras.optimizers.Adamax(0.1))
    return model, keras.Model(x, [output, variance_output])


def test_two_outputs_in_fit(tmp_path: Any) -> None:
    x, y, error = survey()
    model, predictor = endpoint_model()
    keras.utils.set_random_seed(0)
    model.fit([x, y, error], epochs=40, batch_size=64, verbose=0)
    loss = model.evaluate([x, y, error], batch_size=512, verbose=0)
    mean, log_var = predictor.predict(x, verbose=0)
    expected = L.NegativeLogLikelihood(missing=BOTH)(
        np.stack([y, error], -1), np.stack([mean, log_var], -1)
    )
    np.testing.assert_allclose(loss, to_numpy(expected), rtol=1e-5)
    scatter = M.StandardizedResidualScatter(missing=BOTH)
    scatter.update_state(np.stack([y, error], -1), np.stack([mean, log_var], -1))
    assert abs(to_numpy(scatter.result()) - 1) < 0.1

    model.save(tmp_path / "model.keras")
    predictor.save(tmp_path / "predictor.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.evaluate([x, y, error], batch_size=512, verbose=0) == pytest.approx(loss, rel=1e-5)
    assert again.get_layer("endpoint").loss.get_config() == (
        model.get_layer("endpoint").loss.get_config()
    )
    again.fit([x, y, error], verbose=0)  # goes on training
    loaded = keras.saving.load_model(tmp_path / "predictor.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0)[0], mean, rtol=1e-5)


def step(model: keras.Model, optimizer: Any, loss: Callable[[Any, Any], Any], x: Any) -> float:
    """A training step written by hand, with what the backend has for it."""
    weights = model.trainable_variables
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss(*model(x, training=True))
        optimizer.apply(tape.gradient(value, [w.value for w in weights]), weights)
    elif BACKEND == "torch":
        model.zero_grad()
        value = loss(*model(x, training=True))
        value.backward()
        optimizer.apply([w.value.grad for w in weights], weights)
    else:
        import jax

        def of_weights(values: Any) -> Any:
            outputs, _ = model.stateless_call(values, [], x, training=True)
            return loss(*outputs)

        value, gradients = jax.value_and_grad(of_weights)([w.value for w in weights])
        optimizer.apply(gradients, weights)
    return float(to_numpy(value))


@pytest.mark.parametrize("wrapper", ["lin", "var"])
def test_hand_written_step(wrapper: str) -> None:
    """One step of either wrapper is that of `fit`: each has the gradient of both outputs."""
    x, y, error = survey(64)
    found = []
    for by_hand in (False, True):
        inputs, output, variance_output = two_outputs()
        model = keras.Model(inputs, [output, variance_output])
        optimizer = keras.optimizers.SGD(0.1)
        if by_hand:
            optimizer.build(model.trainable_variables)

            def loss(lin: Any, var: Any) -> Any:
                if wrapper == "lin":
                    each = L.mse_lin_wrapper(var, error, missing=BOTH)(y, lin)
                else:
                    each = L.mse_var_wrapper(lin, error, missing=BOTH)(y, var)
                return keras.ops.sum(each) / np.count_nonzero((y != MAGIC).any(-1))

            assert np.isfinite(step(model, optimizer, loss, tensor(x)))
        else:
            stacked = keras.Model(inputs, keras.ops.stack([output, variance_output], axis=-1))
            stacked.compile(
                optimizer, loss=L.NegativeLogLikelihood(average="samples", missing=BOTH)
            )
            labels = np.stack([y, error], -1)
            stacked.fit(x, labels, batch_size=64, verbose=0, shuffle=False)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


# The endpoint


class Draws(keras.callbacks.Callback):
    """The loss after each batch, of weights that do not move."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])


@pytest.mark.parametrize("kind", ["Categorical", "Binary"])
def test_fresh_draws_in_training(kind: str) -> None:
    """Different at every step, on every backend; fixed in `evaluate`."""
    y, logits, log_var, _ = classification(kind == "Categorical")
    y = np.repeat(y, 4, axis=0)
    x = np.repeat(np.stack([logits, log_var], -1), 4, axis=0)
    inputs, labels = keras.Input((LABELS, 2)), keras.Input((LABELS,))
    scaled = keras.layers.Dense(2, kernel_initializer="identity")(inputs)
    loss = getattr(L, f"Bayesian{kind}Crossentropy")(25, missing=BOTH)
    model = keras.Model([inputs, labels], km.layers.LossEndpoint(loss, seed=1)([labels, scaled]))
    model.compile(keras.optimizers.SGD(0.0))
    watch = Draws()
    model.fit([x, y], batch_size=len(x), epochs=4, verbose=0, callbacks=[watch])
    assert len(set(watch.losses)) == 4
    fixed = to_numpy(loss(y, x))
    np.testing.assert_allclose(np.mean(watch.losses), fixed, rtol=0.1)
    for _ in range(2):
        found = model.evaluate([x, y], batch_size=len(x), verbose=0)
        np.testing.assert_allclose(found, fixed, rtol=1e-5)


def test_endpoint_of_other_losses() -> None:
    """Of Keras's as well, and of one tensor."""
    y, p = np.ones((4, 3), "float32"), np.zeros((4, 3), "float32")
    for loss in (keras.losses.MeanSquaredError(), L.MeanSquaredError()):
        layer = km.layers.LossEndpoint(loss)
        np.testing.assert_array_equal(to_numpy(layer([y, p])), p)
        assert to_numpy(layer.losses[0]) == 1
    copy = km.layers.LossEndpoint.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    for bad in (None, "mse", L.mean_squared_error, L.MeanSquaredError(reduction=None)):
        with pytest.raises(ValueError, match="Argument `loss`"):
            km.layers.LossEndpoint(bad)


@pytest.mark.parametrize("stacked", [False, True])
def test_endpoint_sees_masks(stacked: bool) -> None:
    """A Keras mask on the predictions hides their labels, and goes on to what comes next."""
    rng = np.random.default_rng(0)
    y, mean, log_var = rng.normal(size=(3, 4, 5, 2)).astype("float32")
    mask = np.arange(5) < 3
    mask = np.broadcast_to(mask, (4, 5))
    loss = L.NegativeLogLikelihood()
    p = np.stack([mean, log_var], -1)
    predictions = [p] if stacked else [mean, log_var]
    layer = km.layers.LossEndpoint(loss)
    outputs = layer([tensor(y), *(set_mask(each, mask) for each in predictions)])
    expected = to_numpy(loss(y[:, :3], p[:, :3]))
    np.testing.assert_allclose(to_numpy(layer.losses[0]), expected, rtol=1e-5)
    for output in [outputs] if stacked else outputs:
        np.testing.assert_array_equal(to_numpy(get_keras_mask(output)) > 0, mask)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_endpoint_keeps_labels_in_half_precision(policy: str) -> None:
    """-10000 and -9999 are one number in float16."""
    loss = L.NegativeLogLikelihood(missing=MAGIC)
    layer = km.layers.LossEndpoint(loss, dtype=policy)
    y = np.array([[-10000.0, 1.0, MAGIC]], "float32")
    mean, log_var = y + 8, np.zeros_like(y)
    layer([y, mean, log_var])
    expected = to_numpy(loss(y, np.stack([mean, log_var], -1)))
    np.testing.assert_allclose(to_numpy(layer.losses[0]), expected, rtol=1e-5)
    assert expected == 32


def test_bad_inputs_of_the_endpoint() -> None:
    layer = km.layers.LossEndpoint(L.MeanSquaredError())
    y = np.ones((3, 2), "float32")
    for inputs in (y, [y], None):
        with pytest.raises(ValueError, match="takes a list"):
            layer(inputs)
    with pytest.raises(ValueError, match="masked array"):
        layer([np.ma.masked_array(y, y > 0), y])
    layer = km.layers.LossEndpoint(L.NegativeLogLikelihood())
    with pytest.raises(ValueError, match=r"inputs\[2\].*\(3, 1\)"):
        layer([y, y, y[:, :1]])
