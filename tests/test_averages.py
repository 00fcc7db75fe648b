"""Averages over rows and columns, and losses that are the same however the data are split."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad
from tests.cases import LOSSES, Case, draw
from tests.laws import grid
from tests.test_loss_gradients import value_and_gradient

pytestmark = pytest.mark.slow

Array = np.ndarray


def average_by_deletion(
    case: Case, y: Array, p: Array, o: Array, w: Array, average: str, weighted: bool
) -> float:
    """DESIGN's table, each row or column deleted and averaged on its own."""
    groups = range(o.shape[0]) if average == "samples" else range(o.shape[1])
    values, row_weights = [], []
    for g in groups:
        i = (g, slice(None)) if average == "samples" else (slice(None), g)
        k = o[i]
        if not k.any() or (average == "macro" and weighted and w[i][k].sum() == 0):
            continue
        losses = case.oracle(y[i][k], p[i][k]) * w[i][k]
        by_weight = average == "macro" and weighted
        values.append(losses.sum() / (w[i][k].sum() if by_weight else k.sum()))
        row_weights.append(w[i][k].mean())
    if average == "samples" and weighted:
        return float(np.sum(values) / np.sum(row_weights))
    return float(np.mean(values))


@grid(
    "loss_case",
    LOSSES,
    average=["samples", "macro"],
    reduction=["sum_over_batch_size", "mean_with_sample_weight"],
)
def test_averages(loss_case: Case, average: str, reduction: str) -> None:
    data = draw(loss_case)
    o = data.observed.copy()
    o[:, 2] = False  # a column with no label
    y = data.y.copy()
    y[~o] = np.nan
    loss = loss_case.make(average=average, reduction=reduction)
    weight = np.random.default_rng(1).random(o.shape) + 0.5
    for w in (None, weight):
        full = np.ones(o.shape) if w is None else w
        weighted = reduction == "mean_with_sample_weight" and w is not None
        complete = data.y.astype("float64"), data.p.astype("float64")
        oracle = average_by_deletion(loss_case, *complete, o, full, average, weighted)
        np.testing.assert_allclose(to_numpy(loss(y, data.p, w)), oracle, rtol=2e-5)


def test_averages_equal_keras_with_nothing_missing(loss_case: Case) -> None:
    data = draw(loss_case, missing=0)
    assert loss_case.keras is not None
    theirs = to_numpy(loss_case.keras()(data.y, data.p))
    for average in ("micro", "samples", "macro"):
        ours = to_numpy(loss_case.make(average=average)(data.y, data.p))
        np.testing.assert_allclose(ours, theirs, rtol=2e-5)


@grid("loss_case", LOSSES, average=["micro", "macro"])
def test_observed_rate_is_additive(loss_case: Case, average: str) -> None:
    """Value and gradient of the whole equal the mean over equal parts."""
    data = draw(loss_case, (10, 5))
    rate = 0.6 if average == "micro" else (0.9, 0.5, 0.7, 0.2, 1.0)
    loss = loss_case.make(average=average, observed_rate=rate)
    y, weight = data.with_missing(), np.random.default_rng(0).random((10, 5)).astype("float32")
    whole, gradient = value_and_gradient(loss, y, data.p, weight)
    parts = [slice(0, 5), slice(5, 10)]
    values, gradients = zip(
        *(value_and_gradient(loss, y[i], data.p[i], weight[i]) for i in parts), strict=True
    )
    np.testing.assert_allclose(np.mean(values), whole, rtol=1e-5)
    np.testing.assert_allclose(np.concatenate(gradients) / 2, gradient, rtol=1e-4, atol=1e-8)
    # By hand: sum over columns of sum(o w l) / r_c, over all positions.
    o = data.observed
    losses = np.zeros(o.shape)
    losses[o] = loss_case.oracle(data.y[o].astype("float64"), data.p[o].astype("float64"))
    oracle = (losses * weight / np.asarray(rate)).sum() / o.size
    np.testing.assert_allclose(whole, oracle, rtol=2e-5)


def test_observed_rate_at_the_rate_of_the_data_is_the_masked_mean(loss_case: Case) -> None:
    data = draw(loss_case)
    y = data.with_missing()
    rate = km.observed_rate(y, label_axes=int(loss_case.vector))
    value = to_numpy(loss_case.make(observed_rate=rate)(y, data.p))
    np.testing.assert_allclose(value, to_numpy(loss_case.make()(y, data.p)), rtol=1e-5)


def test_observed_rate_is_unbiased() -> None:
    """The mean over random deletions tends to the loss of complete labels; a masked mean does not.

    Columns differ in loss and in rate, so that the masked mean is drawn to the common ones.
    """
    rng = np.random.default_rng(0)
    rates = np.array([0.9, 0.5, 0.1])
    y = rng.normal(size=(200, 3)) * [1, 3, 10]
    p = np.zeros_like(y)
    loss = km.losses.MeanSquaredError(average="macro", observed_rate=tuple(rates))
    masked, values, means = km.losses.MeanSquaredError(), [], []
    for _ in range(200):
        holes = np.where(rng.random(y.shape) < rates, y, np.nan).astype("float32")
        values.append(to_numpy(loss(holes, p)))
        means.append(to_numpy(masked(holes, p)))
    complete = (y**2).mean()
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - complete) < 4 * error < 0.1 * complete
    assert abs(np.mean(means) - complete) > 0.3 * complete


def small_model(loss: Any, **options: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4)])
    model.compile(keras.optimizers.SGD(0.1, **options), loss=loss)
    return model


def holes(rows: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 4))
    y[rng.random(y.shape) < np.linspace(0.1, 0.9, rows)[:, None]] = np.nan
    y[0] = 1.0
    return x.astype("float32"), y.astype("float32")


def test_evaluate_is_the_same_at_any_batch_size() -> None:
    x, y = holes(32)
    rate = km.observed_rate(y)
    model = small_model(km.losses.MeanSquaredError(observed_rate=rate))
    values = [model.evaluate(x, y, batch_size=size, verbose=0) for size in (1, 3, 32)]
    residual = (y - np.asarray(model.predict(x, verbose=0), "float64"))[np.isfinite(y)]
    np.testing.assert_allclose(values, (residual**2).mean(), rtol=1e-5)
    plain = small_model(km.losses.MeanSquaredError())
    values = [plain.evaluate(x, y, batch_size=size, verbose=0) for size in (1, 32)]
    assert abs(values[0] / values[1] - 1) > 0.01  # what `observed_rate` is for


def test_gradient_accumulation_equals_a_full_batch() -> None:
    x, y = holes(32)
    loss = km.losses.MeanSquaredError(observed_rate=km.observed_rate(y))
    whole, parts = small_model(loss), small_model(loss, gradient_accumulation_steps=4)
    for _ in range(3):
        whole.train_on_batch(x, y)
        for i in range(0, 32, 8):
            parts.train_on_batch(x[i : i + 8], y[i : i + 8])
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_compiles_with_averages() -> None:
    data = draw_regression()
    for options in ({"average": "samples"}, {"average": "macro"}, {"observed_rate": 0.5}):
        loss = km.losses.MeanSquaredError(**options)

        def function(p: Any, y: Any, loss: Any = loss) -> Any:
            return loss(y, p)

        eager = value_and_grad(function)(tensor(data.p), tensor(data.with_missing()))
        graph = value_and_grad(function, compiled=True)(tensor(data.p), tensor(data.with_missing()))
        for a, b in zip(eager, graph, strict=True):
            np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-5)


def draw_regression() -> Any:
    return draw(LOSSES[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average": "weighted"}, "average"),
        ({"average": "macro", "reduction": "sum"}, "macro"),
        ({"average": "macro", "reduction": None}, "macro"),
        ({"observed_rate": 0.0}, r"in \(0, 1\]"),
        ({"observed_rate": 1.5}, "1.5"),
        ({"observed_rate": True}, "observed_rate"),
        ({"observed_rate": "0.5"}, "observed_rate"),
        ({"observed_rate": float("nan")}, "observed_rate"),
        ({"observed_rate": (0.5, 0.5)}, "macro"),
        ({"observed_rate": 0.5, "average": "samples"}, "samples"),
        ({"observed_rate": 0.5, "reduction": "sum"}, "sum"),
        ({"observed_rate": 0.5, "reduction": "mean_with_sample_weight"}, "reduction"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        km.losses.MeanSquaredError(**options)


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match="columns"):
        km.losses.MeanSquaredError(average="macro")(np.zeros(3), np.zeros(3))
    loss = km.losses.MeanSquaredError(average="macro", observed_rate=(0.5, 0.5))
    with pytest.raises(ValueError, match="2 values for 3 columns"):
        loss(np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"columns \[1\]"):
        km.observed_rate(np.array([[1.0, np.nan], [2.0, np.nan]]), per_column=True)
