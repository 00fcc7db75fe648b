"""Keras's own training loop: every number is that of data with the missing labels deleted.

The oracles are NumPy in float64 on pairs of labels and predictions from which the missing ones
have been deleted. Predictions are made from the model's weights in NumPy, too.
"""

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import interchange
from tests.interchange import evaluate, fit
from tests.interchange_models import COLUMNS, LABELS, MODELS, ROWS, SENTINEL, table
from tests.training_oracles import (
    assert_same,
    close,
    crossentropies,
    forward,
    linear,
    sgd_on_deleted,
)

pytestmark = pytest.mark.slow

ON_TORCH = keras.config.backend() == "torch"
JIT = pytest.param({"jit_compile": True}, id="jit")
NO_JIT = pytest.param({"jit_compile": False}, id="no_jit")
EAGER = pytest.param({"run_eagerly": True}, id="eager")


@pytest.mark.parametrize("mode", [JIT, NO_JIT, EAGER])
def test_fit_equals_gradient_descent_on_deleted_data(mode):
    x, y, gone = table()
    model = linear()
    expected = sgd_on_deleted(model.get_weights(), x, y, gone, batch_size=8, rate=0.1)
    model.compile(keras.optimizers.SGD(0.1), km.losses.MeanSquaredError(), **mode)
    fit(model, x, np.where(gone, np.nan, y), batch_size=8)
    for actual, wanted in zip(model.get_weights(), expected, strict=True):
        close(actual, wanted)


def test_keras_alone_learns_nothing_from_these_labels():
    # What makes the test above worth its time.
    x, y, gone = table()
    model = linear()
    model.compile("sgd", keras.losses.MeanSquaredError(), jit_compile=False)
    fit(model, x, np.where(gone, np.nan, y))
    assert all(np.isnan(w).all() for w in model.get_weights())


def run_all(**mode):
    model, x, labels = MODELS["several_outputs"](**mode)
    history = fit(model, x, labels, epochs=2)
    return history, evaluate(model, x, labels), model.predict(x, verbose=0)


@pytest.fixture(scope="module")
def without_jit():
    return run_all(jit_compile=False)


# `torch.compile` takes minutes for this model; it has its test above.
@pytest.mark.parametrize("mode", [EAGER] if ON_TORCH else [JIT, EAGER])
def test_training_agrees_however_it_is_run(mode, without_jit):
    history, scores, predictions = run_all(**mode)
    assert_same(history, without_jit[0], rtol=1e-4)
    assert_same(scores, without_jit[1], rtol=1e-4)
    for ours, theirs in zip(predictions, without_jit[2], strict=True):
        close(ours, theirs, rtol=1e-4)


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16", "bfloat16"])
def half(request):
    keras.config.set_dtype_policy(request.param)
    if "mixed" not in request.param:
        keras.config.set_floatx(request.param)  # of labels, too
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("missing", ["nan", SENTINEL])
def test_half_precision_learns(half, missing):
    # -9999 is not a number of either half precision.
    x, y, gone = table()
    model = linear()
    loss, metric = km.losses.MeanSquaredError, km.metrics.MeanAbsoluteError
    optimizer = keras.optimizers.SGD(0.2)  # Adam's beta_2 is 1 in bfloat16
    options = {"metrics": [metric(missing=missing)], "jit_compile": False}
    model.compile(optimizer, loss(missing=missing), **options)
    labels = np.where(gone, float(missing), y)
    losses = [float(loss) for loss in fit(model, x, labels, epochs=15)["loss"]]
    assert losses[-1] < 0.3 * losses[0]
    predictions = model.predict(x, verbose=0).astype("float64")
    mae = float(evaluate(model, x, labels)["mean_absolute_error"])
    # Labels may have been rounded to 8 bits, and errors are a tenth of them.
    close(mae, np.abs(y - predictions)[~gone].mean(), rtol=3e-2)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_class_weight_of_class_ids(dtype):
    x, y, gone = table()
    gone, ids = gone[:, 0], y.argmax(axis=-1)
    model = linear()
    loss = km.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=False)
    weights = {0: 1.0, 1: 3.0, 2: 0.5, -1: 50.0}
    there, logits = ids[~gone], forward(x, model.get_weights())[~gone]
    expected = np.mean([weights[i] for i in there] * crossentropies(there, logits))
    labels = np.where(gone, -1, ids).astype(dtype)
    close(fit(model, x, labels, batch_size=ROWS, class_weight=weights)["loss"], [expected])


@pytest.mark.parametrize("form", [list, dict])
@pytest.mark.parametrize("b_is_empty", [False, True])
def test_loss_weights_of_several_outputs(form, b_is_empty):
    x, y, gone = table()
    gones = {"a": gone, "b": np.ones_like(gone) if b_is_empty else gone[::-1]}
    weights = {"a": 2.0, "b": 0.25}
    model = linear("a", "b")
    losses = {"a": km.losses.MeanSquaredError(), "b": km.losses.MeanAbsoluteError(missing=-1e9)}
    squares = (y - forward(x, model.get_weights()[:2])) ** 2
    errors = np.abs(y - forward(x, model.get_weights()[2:]))
    expected = {"a_loss": squares[~gones["a"]].mean(), "b_loss": 0}
    if not b_is_empty:
        expected["b_loss"] = errors[~gones["b"]].mean()
    expected["loss"] = 2 * expected["a_loss"] + 0.25 * expected["b_loss"]
    labels = {"a": np.where(gones["a"], np.nan, y), "b": np.where(gones["b"], -1e9, y)}
    if form is list:
        losses, weights, labels = (list(d.values()) for d in (losses, weights, labels))
    model.compile("sgd", losses, loss_weights=weights, jit_compile=False)
    assert_same(evaluate(model, x, labels, batch_size=ROWS), expected)
    history = fit(model, x, labels, batch_size=ROWS)
    assert_same({name: value for name, [value] in history.items()}, expected)


def padded_sequences():
    """Token ids, padded with 0; row 3 is nothing but padding."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 9, size=(6, 5))
    tokens[np.arange(5) >= np.array([5, 3, 4, 0, 1, 2])[:, None]] = 0
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(LABELS)(embedded))
    table, *dense = model.get_weights()
    return model, tokens, forward(table.astype("float64")[tokens], dense), rng


def test_padding_is_deleted_from_values():
    model, tokens, predictions, rng = padded_sequences()
    y = rng.normal(size=predictions.shape)
    gone = rng.random(y.shape) < 0.3
    # Padding keeps its labels: only the mask can tell.
    there = ~gone & (tokens != 0)[..., None]
    metric = km.metrics.MeanAbsoluteError(name="mae")
    model.compile("sgd", km.losses.MeanSquaredError(), metrics=[metric], jit_compile=False)
    labels = np.where(gone, np.nan, y)
    expected = {
        "loss": ((y - predictions)[there] ** 2).mean(),
        "mae": np.abs(y - predictions)[there].mean(),
    }
    assert_same(evaluate(model, tokens, labels), expected)
    close(fit(model, tokens, labels)["loss"], [expected["loss"]])


def test_padding_is_deleted_from_class_ids():
    model, tokens, logits, rng = padded_sequences()
    ids = rng.integers(0, LABELS, tokens.shape)
    gone = rng.random(ids.shape) < 0.3
    there = ~gone & (tokens != 0)
    metric = km.metrics.SparseCategoricalAccuracy(name="accuracy")
    loss = km.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=[metric], jit_compile=False)
    labels = np.where(gone, -1, ids)
    expected = {
        "loss": crossentropies(ids[there], logits[there]).mean(),
        "accuracy": (logits[there].argmax(axis=-1) == ids[there]).mean(),
    }
    assert_same(evaluate(model, tokens, labels), expected)
    close(fit(model, tokens, labels)["loss"], [expected["loss"]])


@pytest.mark.parametrize("rows", [ROWS, LABELS])  # the second makes a square of the labels
@pytest.mark.parametrize("per", ["row", "label"])
def test_sample_weight(rows, per):
    x, y, gone = table(rows)
    weight = np.random.default_rng(1).integers(0, 4, size=y.shape).astype("float64")
    weight = weight[:, 0] if per == "row" else weight
    model = linear()
    metric = km.metrics.MeanAbsoluteError(name="mae")
    model.compile("sgd", km.losses.MeanSquaredError(), weighted_metrics=[metric], jit_compile=False)
    errors = np.abs(y - forward(x, model.get_weights()))[~gone]
    w = (weight[:, None] if per == "row" else weight) * np.ones_like(y)
    w = w[~gone]
    expected = {"loss": (w * errors**2).sum() / len(w), "mae": (w * errors).sum() / w.sum()}
    data = (x, np.where(gone, np.nan, y), rows)
    assert_same(evaluate(model, *data, sample_weight=weight), expected)
    close(fit(model, *data, sample_weight=weight)["loss"], [expected["loss"]])


@pytest.mark.parametrize("sentinel", [-9999.0, -999.9])
def test_single_batches_of_raw_numpy(sentinel):
    # In float64, where -999.9 is not the number that it is in float32.
    x, y, gone = table()
    labels = np.where(gone, sentinel, y)
    model = linear()
    metric = km.metrics.MeanAbsoluteError(name="mae", missing=sentinel)
    loss = km.losses.MeanSquaredError(missing=sentinel)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=[metric], jit_compile=False)
    expected = sgd_on_deleted(model.get_weights(), x, y, gone, ROWS, rate=0.1)
    errors = np.abs(y - forward(x, model.get_weights()))[~gone]
    logs = {"loss": (errors**2).mean(), "mae": errors.mean()}
    assert_same(model.test_on_batch(x, labels, return_dict=True), logs)
    assert_same(model.train_on_batch(x, labels, return_dict=True), logs)
    for actual, wanted in zip(model.get_weights(), expected, strict=True):
        close(actual, wanted)


@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_metrics_are_exact_for_any_batch_size(batch_size):
    x, y, gone = table()
    model = linear()
    metrics = [
        km.metrics.MeanAbsoluteError(name="mae"),
        km.metrics.RootMeanSquaredError(name="rmse"),
        km.metrics.R2Score(name="r2", class_aggregation=None),
        km.metrics.ObservedFraction(name="observed"),
        km.metrics.PerLabel(km.metrics.MeanAbsoluteError(), COLUMNS, name="mae"),
    ]
    model.compile("sgd", km.losses.MeanSquaredError(), metrics=metrics, jit_compile=False)
    results = evaluate(model, x, np.where(gone, np.nan, y), batch_size)
    predictions = forward(x, model.get_weights())
    errors = (y - predictions)[~gone]
    columns = [(y[~g, c], predictions[~g, c]) for c, g in enumerate(gone.T)]
    expected = {
        "mae": np.abs(errors).mean(),
        "rmse": np.sqrt((errors**2).mean()),
        "r2": [1 - ((a - b) ** 2).sum() / ((a - a.mean()) ** 2).sum() for a, b in columns],
        "observed": errors.size / y.size,
        **{f"mae/{c}": np.abs(a - b).mean() for c, (a, b) in zip(COLUMNS, columns, strict=True)},
        "mae/macro": np.mean([np.abs(a - b).mean() for a, b in columns]),
    }
    results.pop("loss")  # a mean of the batches' means, as DESIGN
    assert_same(results, expected, rtol=1e-4)


def test_function_as_loss_skips_empty_rows():
    x, y, gone = table()
    model = linear()
    model.compile("sgd", km.losses.mean_squared_error, jit_compile=False)
    squares = (y - forward(x, model.get_weights())) ** 2
    rows = [row[~g].mean() for row, g in zip(squares, gone, strict=True) if not g.all()]
    labels = np.where(gone, np.nan, y)
    close(evaluate(model, x, labels, ROWS)["loss"], np.mean(rows))
    close(fit(model, x, labels, batch_size=ROWS)["loss"], [np.mean(rows)])


@pytest.mark.parametrize("name", ["regression", "sequence"])
def test_saved_model_goes_on_as_if_never_saved(name, tmp_path):
    """All others, too, on this backend and from the others: `nox -s interchange`."""
    model, x, labels = MODELS[name](jit_compile=False)
    fit(model, x, labels)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    computed = (interchange.computed(m, x, labels) for m in (loaded, model))
    assert interchange.difference(*computed) == ""
