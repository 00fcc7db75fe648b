"""A language model's last layer: its loss, what it logs, shared kernels, saving and precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_masked as km
from tests.backend import BACKEND, tensor, to_numpy
from tests.vocabulary_oracle import dense

BATCH, STEPS, WORDS, WIDTH = 8, 6, 20, 8
RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(1, WORDS, (BATCH, STEPS)).astype("int32")
IDS = RANDOM.integers(0, WORDS, (BATCH, STEPS)).astype("int32")
OBSERVED = RANDOM.random((BATCH, STEPS)) > 0.4
IDS[~OBSERVED] = -100
Head = km.layers.LinearCrossentropy


def models(kind: str, policy: Any = None, jit: bool = False, **options: Any) -> Any:
    """A model to train and one to predict, which share their layers."""
    keras.utils.set_random_seed(0)
    tokens, ids = (keras.Input((STEPS,), dtype="int32") for _ in range(2))
    embedding = keras.layers.ReversibleEmbedding(WORDS, WIDTH, dtype=policy)
    hidden = keras.layers.Dense(WIDTH, "tanh", dtype=policy)(embedding(tokens))
    kernel = {"own": None, "tied": embedding, "dense": keras.layers.Dense(WORDS, dtype=policy)}
    words = WORDS if kind == "own" else None
    head = Head(words, kernel[kind], missing=-100, dtype=policy, **options)
    model = keras.Model([tokens, ids], head([ids, hidden]))
    model.compile(keras.optimizers.SGD(1.0), jit_compile=jit)
    return model, keras.Model(tokens, head(hidden))


def expected(predictor: Any, ids: Any = IDS, observed: Any = OBSERVED) -> tuple[float, float]:
    """Mean cross-entropy and accuracy of the observed tokens, from the logits."""
    logits = predictor.predict(TOKENS, verbose=0).astype("float64")[observed]
    losses, _ = dense(ids[observed], logits, np.eye(WORDS))
    return losses.mean(), (logits.argmax(-1) == ids[observed]).mean()


@pytest.mark.parametrize(
    ("kind", "policy"),
    [("own", None), ("tied", None), ("dense", None), ("tied", "mixed_bfloat16")],
)
def test_fit_and_evaluate(kind: str, policy: Any) -> None:
    """Loss, perplexity and accuracy are those of logits; what is shared, trains."""
    model, predictor = models(kind, policy, bias=kind == "own")
    assert len(model.trainable_variables) == {"own": 5, "tied": 3, "dense": 5}[kind]
    loss, accuracy = expected(predictor)
    found = model.evaluate([TOKENS, IDS], batch_size=8, verbose=0, return_dict=True)
    rtol = 2e-2 if policy else 1e-5
    assert found["loss"] == pytest.approx(loss, rel=rtol)
    assert found["perplexity"] == pytest.approx(np.exp(loss), rel=3 * rtol)
    assert found["accuracy"] == pytest.approx(accuracy, rel=1e-5 if not policy else 0.2)
    before = [to_numpy(variable) for variable in model.trainable_variables]
    history = model.fit([TOKENS, IDS], batch_size=4, epochs=2, verbose=0, shuffle=False).history
    assert history["perplexity"][1] < history["perplexity"][0] < np.exp(loss) * 1.05
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert np.abs(to_numpy(variable) - old).max() > 1e-3, variable.path
    surprise = model.predict([TOKENS, IDS], verbose=0)
    np.testing.assert_array_equal(surprise[~OBSERVED], 0)
    assert surprise.sum() / OBSERVED.sum() == pytest.approx(expected(predictor)[0], rel=rtol)


def test_any_split_logs_the_same() -> None:
    model, _ = models("tied", observed_rate=0.6)
    found = [
        model.evaluate([TOKENS, IDS], batch_size=size, verbose=0, return_dict=True)
        for size in (1, 4, 8)
    ]
    for each in found[1:]:
        assert each == pytest.approx(found[0], rel=1e-5)


def test_accumulated_steps_are_one_step_of_the_whole() -> None:
    """With the expected number of tokens in place of each micro-batch's own."""

    def stepped(size: int, **options: Any) -> list[np.ndarray]:
        model, _ = models("tied", **options)
        steps = BATCH // size if size < BATCH else None
        model.compile(
            keras.optimizers.SGD(1.0, gradient_accumulation_steps=steps), jit_compile=False
        )
        model.fit([TOKENS, IDS], batch_size=size, verbose=0, shuffle=False)
        return [to_numpy(variable) for variable in model.trainable_variables]

    assert len({OBSERVED[i : i + 2].sum() for i in range(0, BATCH, 2)}) > 1
    for rate, same in ((0.6, True), (None, False)):
        whole, parts = (stepped(size, observed_rate=rate) for size in (BATCH, 2))
        gaps = [np.abs(a - b).max() for a, b in zip(whole, parts, strict=True)]
        assert (max(gaps) < 1e-5) == same, gaps


def test_step_is_that_of_logits() -> None:
    """One step of gradient descent, compiled, against one with the loss of logits."""
    model, predictor = models("tied", jit=BACKEND != "torch")  # whose compiler takes a minute
    start = model.get_weights()
    model.train_on_batch([TOKENS, IDS])
    found = [to_numpy(variable) for variable in model.trainable_variables]
    model.set_weights(start)
    loss = km.losses.SparseCategoricalCrossentropy(from_logits=True, missing=-100)
    predictor.compile(keras.optimizers.SGD(1.0), loss, jit_compile=False)
    predictor.train_on_batch(TOKENS, IDS)
    for actual, variable in zip(found, model.trainable_variables, strict=True):
        np.testing.assert_allclose(actual, to_numpy(variable), atol=1e-5)


def test_weights_masks_and_garbage() -> None:
    head = Head(WORDS, missing=-100, chunk=7, reduction="mean_with_sample_weight")
    hidden = RANDOM.normal(size=(BATCH, STEPS, WIDTH)).astype("float32")
    weight = RANDOM.integers(0, 3, (BATCH, STEPS)).astype("float32")
    counted = OBSERVED & (weight > 0)
    poisoned = np.where(counted[..., None], hidden, np.float32(np.nan))
    surprise = to_numpy(head([IDS, poisoned, weight]))
    kernel = to_numpy(head.own_kernel)
    losses, _ = dense(IDS[counted], hidden[counted], kernel)
    np.testing.assert_allclose(surprise[counted], losses, rtol=1e-5)
    np.testing.assert_array_equal(surprise[~counted], 0)
    mean = (weight[counted] * losses).sum() / weight[counted].sum()
    assert float(to_numpy(head.losses[0])) == pytest.approx(mean, rel=1e-5)
    perplexity, accuracy = head.metrics
    assert float(perplexity.result()) == pytest.approx(np.exp(mean), rel=1e-5)
    perplexity.reset_state()
    assert np.isnan(float(perplexity.result())) and np.isnan(float(accuracy.result()))


@pytest.mark.parametrize("kind", ["own", "tied", "dense"])
def test_saving(kind: str, tmp_path: Path) -> None:
    """What is shared before is shared after."""
    model, _ = models(kind, soft_cap=5.0, z_loss=1e-3, label_smoothing=0.1)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    found, true = (m.evaluate([TOKENS, IDS], verbose=0, return_dict=True) for m in (loaded, model))
    assert found == pytest.approx(true, rel=1e-5)
    assert len(loaded.trainable_variables) == len(model.trainable_variables)
    head, before = loaded.layers[-1], model.layers[-1]
    assert {**head.get_config(), "kernel": None} == {**before.get_config(), "kernel": None}


def test_soft_cap_of_the_embedding() -> None:
    embedding = keras.layers.ReversibleEmbedding(
        WORDS, WIDTH, logit_soft_cap=0.5, tie_weights=False
    )
    hidden = RANDOM.normal(size=(2, 3, WIDTH)).astype("float32") * 100
    embedding.build()
    logits = to_numpy(Head(kernel=embedding)(hidden))
    np.testing.assert_allclose(logits, to_numpy(embedding(hidden, reverse=True)), atol=1e-5)
    assert 0.4 < np.abs(logits).max() <= 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pass `vocabulary=`"),
        ({"vocabulary": 0}, "`vocabulary` must be a positive integer"),
        ({"kernel": keras.layers.LayerNormalization()}, "`kernel` must be a `ReversibleEmbedding`"),
        ({"kernel": keras.layers.Dense(4, "relu")}, "without activation"),
        ({"vocabulary": 5, "kernel": keras.layers.Dense(4)}, "number of words of `kernel`, 4"),
        ({"kernel": keras.layers.Dense(4), "bias": True}, "`bias` must be False"),
        ({"vocabulary": 5, "bias": 1}, "`bias` must be True or False"),
        ({"vocabulary": 5, "reduction": "none"}, "`reduction` must make a single number"),
        ({"vocabulary": 5, "chunk": 0}, "`chunk` must be"),
        ({"vocabulary": 5, "z_loss": -1.0}, "`z_loss` must be"),
        ({"vocabulary": 5, "missing": "none"}, "`missing` must be"),
    ],
)
def test_impossible_arguments(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Head(**arguments)


def test_inputs_are_checked() -> None:
    head = Head(WORDS)
    with pytest.raises(ValueError, match="a list of 1"):
        head([IDS])
    with pytest.raises(ValueError, match="numpy masked array"):
        head([np.ma.masked_equal(IDS, -100), np.zeros((BATCH, STEPS, WIDTH), "float32")])


@pytest.mark.skipif(BACKEND != "jax", reason="a trainer's scope is JAX's")
def test_inside_a_step_reports_are_unknown() -> None:
    model, _ = models("tied")
    logs = model.train_on_batch([TOKENS, IDS], return_dict=True)
    assert np.isnan(float(logs["perplexity"]))
    assert np.isfinite(float(model.get_metrics_result()["perplexity"]))


def test_surprise_has_no_gradient() -> None:
    """Only the loss trains: what the layer returns is for reading."""
    head = Head(WORDS, missing=-100)
    hidden = RANDOM.normal(size=(BATCH, STEPS, WIDTH)).astype("float32")
    if BACKEND == "torch":
        x = tensor(hidden).requires_grad_()
        assert not head([IDS, x]).requires_grad
    found = head([IDS, ops.convert_to_tensor(hidden)])
    assert found.shape == (BATCH, STEPS)
