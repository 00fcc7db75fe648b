"""Samples are the first axis, columns the last one that the model puts out, whatever the rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import likelihood_oracles, median_oracles, oracles, symjax_oracles
from tests.backend import to_numpy

pytestmark = pytest.mark.slow

Array = np.ndarray
M = km.metrics

B, T = 6, 5


def drawn(kind: str = "reals") -> tuple[Array, Array, Array]:
    """Labels and predictions (B, T), of steps that differ in level, and which are observed."""
    rng = np.random.default_rng(3)
    level = 3 * np.arange(T)
    y = rng.normal(size=(B, T)) + level
    p = y + rng.normal(size=(B, T))
    if kind == "binary":
        y, p = (y > 6).astype(float), 1 / (1 + np.exp(6 - p))
    observed = rng.random((B, T)) > 0.3
    observed[:, 3] = False  # as a column of its own, this one would be unknown
    return y.astype("float32"), p.astype("float32"), observed


def hide(y: Array, observed: Array) -> Array:
    return np.where(observed, y, np.nan).astype("float32")


ONE_COLUMN: list[tuple[Callable[[], Any], Callable[..., float], str]] = [
    (lambda: M.R2Score(), oracles.r2, "reals"),
    (lambda: M.ExplainedVariance(), symjax_oracles.explained_variance, "reals"),
    (lambda: M.PearsonCorrelation(axis=0), oracles.pearson, "reals"),
    (lambda: M.ConcordanceCorrelation(axis=0), oracles.concordance, "reals"),
    (lambda: M.F1Score(threshold=0.5), oracles.f_score(1.0), "binary"),
    (lambda: M.AUC(20000, multi_label=True), oracles.roc_auc, "binary"),
    (lambda: M.AUC(20000, label_weights=[1.0]), oracles.roc_auc, "binary"),
    (lambda: M.Precision(class_id=0), oracles.precision, "binary"),
    (lambda: M.PerLabel(M.MeanSquaredError(), ["a"]), oracles.mean_of(oracles.squared_error),
     "reals"),
    (lambda: M.PerLabel(M.AUC(20000), ["a"]), oracles.roc_auc, "binary"),
    (lambda: M.PerLabel(M.MedianAbsoluteDeviation(capacity=50), ["a"]),
     median_oracles.deviation(), "reals"),
    (lambda: M.PerLabel(M.Masked(keras.metrics.MeanAbsoluteError()), ["a"]),
     oracles.mean_of(oracles.absolute_error), "reals"),
]  # fmt: skip


@pytest.mark.parametrize("i", range(len(ONE_COLUMN)))
def test_labels_without_the_axis_of_one_of_the_predictions_are_one_column(i: int) -> None:
    """As recurrent layers put them out: (B, T, 1), also for labels (B, T)."""
    make, oracle, kind = ONE_COLUMN[i]
    y, p, o = drawn(kind)
    w = np.random.default_rng(5).random((B, T)).astype("float32") + 0.5
    expected = oracle(y[o].astype(float), p[o].astype(float), w[o].astype(float))
    for labels in (hide(y, o), hide(y, o)[..., None]):
        metric = make()
        for part in (slice(0, B // 2), slice(B // 2, B)):
            metric.update_state(labels[part], p[part][..., None], w[part])
        found = metric.result()
        found = next(iter(found.values())) if isinstance(found, dict) else found
        np.testing.assert_allclose(np.squeeze(to_numpy(found)), expected, rtol=2e-5)


def test_predictions_without_an_axis_of_one_have_a_column_per_step() -> None:
    y, p, o = drawn()
    expected = [oracles.r2(y[o[:, c], c], p[o[:, c], c], np.ones(o[:, c].sum())) for c in range(T)]
    for labels in (hide(y, o), hide(y, o)[..., None]):
        metric = M.R2Score(class_aggregation=None)
        metric.update_state(labels, p)
        np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=2e-5)


@pytest.mark.parametrize("shape", [(B, T), (4, 3, 5)], ids=["steps", "images"])
def test_macro_of_one_column_is_the_mean_of_all_labels(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, *shape)).astype("float32")
    o, w = rng.random(shape) > 0.4, rng.random(shape).astype("float32")
    losses, y = (y - p).astype(float) ** 2, hide(y, o)
    loss = km.losses.MeanSquaredError(average="macro")
    np.testing.assert_allclose(to_numpy(loss(y, p[..., None], w)), (losses * w)[o].mean(), 2e-6)
    expected = (losses * w)[o].sum() / w[o].sum()
    loss = km.losses.MeanSquaredError("mean_with_sample_weight", average="macro")
    np.testing.assert_allclose(to_numpy(loss(y, p[..., None], w)), expected, 2e-6)
    loss = km.losses.MeanSquaredError(average="macro", observed_rate=(0.5,))
    expected = (losses * w)[o].sum() / 0.5 / y.size
    np.testing.assert_allclose(to_numpy(loss(y, p[..., None], w)), expected, 2e-6)
    with pytest.raises(ValueError, match="5 values for 1 columns"):
        km.losses.MeanSquaredError(average="macro", observed_rate=(0.5,) * 5)(y, p[..., None])


def test_macro_of_predictions_without_an_axis_of_one_has_a_column_per_step() -> None:
    y, p, o = drawn()
    loss = km.losses.MeanAbsoluteError(average="macro")
    errors = [np.abs(y - p)[o[:, c], c].mean() for c in range(T) if o[:, c].any()]
    for labels in (hide(y, o), hide(y, o)[..., None]):
        np.testing.assert_allclose(to_numpy(loss(labels, p)), np.mean(errors), 2e-6)


def test_columns_of_stacked_labels_lie_before_the_parameters() -> None:
    y, p, o = drawn()
    stacked = np.stack([p, np.ones_like(p)], -1)
    expected = oracles.mean_of(likelihood_oracles.gaussian_nll)(
        y[o], stacked[o].astype(float), np.ones(o.sum())
    )
    loss = km.losses.NegativeLogLikelihood(average="macro")
    np.testing.assert_allclose(to_numpy(loss(hide(y, o), stacked[..., None, :])), expected, 1e-5)
    metric = M.PerLabel(M.StandardizedResidualScatter(name="s"), ["a"])
    metric.update_state(hide(y, o), stacked[..., None, :])
    expected = likelihood_oracles.scatter(y[o], stacked[o].astype(float), np.ones(o.sum()))
    np.testing.assert_allclose(to_numpy(metric.result()["s/a"]), expected, 1e-5)


def of_samples(losses: Array, o: Array, w: Array, reduction: str | None) -> Array:
    """DESIGN's table, each sample deleted and averaged on its own."""
    means = np.array([(losses[i] * w[i])[o[i]].mean() if o[i].any() else 0 for i in range(len(o))])
    if reduction == "sum_over_batch_size":
        return means.sum() / sum(each.any() for each in o)
    if reduction == "mean_with_sample_weight":
        return means.sum() / sum(w[i][o[i]].mean() for i in range(len(o)) if o[i].any())
    return means.sum() if reduction == "sum" else means


REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]


@pytest.mark.parametrize("kind", ["images", "ids", "one_hot", "labels"])
def test_a_sample_is_an_index_on_the_first_axis(kind: str) -> None:
    rng = np.random.default_rng(0)
    shape = {"images": (4, 3, 5), "labels": (4,)}.get(kind, (4, 3))
    o, w = rng.random(shape) > 0.4, rng.random(shape).astype("float32") + 0.5
    o[1] = False
    cls = km.losses.MeanSquaredError
    if kind in ("images", "labels"):
        y, p = rng.normal(size=(2, *shape)).astype("float32")
        losses, labels = (y - p).astype(float) ** 2, hide(y, o)
    else:
        y, p = rng.integers(0, 6, size=shape), rng.random((*shape, 6)).astype("float32") + 0.1
        p /= p.sum(-1, keepdims=True)
        losses = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0].astype(float))
        cls = km.losses.SparseCategoricalCrossentropy
        labels = np.where(o, y, -1)
        if kind == "one_hot":
            cls = km.losses.CategoricalCrossentropy
            labels = np.where(o[..., None], np.eye(6)[y], np.nan).astype("float32")
    for reduction in REDUCTIONS:
        loss = cls(reduction=reduction, average="samples")
        for weight in (None, w):
            expected = of_samples(losses, o, np.ones(shape) if weight is None else w, reduction)
            if weight is None and reduction == "mean_with_sample_weight":
                expected = of_samples(losses, o, np.ones(shape), "sum_over_batch_size")
            found = to_numpy(loss(labels, p, weight))
            assert found.shape == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_a_recurrent_network_shows_the_score_of_its_one_column() -> None:
    """Through `fit`: labels (B, T), predictions (B, T, 1)."""
    y, p, o = drawn()
    model = keras.Sequential(
        [keras.Input((T, 1)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile(
        keras.optimizers.SGD(0.0),
        km.losses.MeanSquaredError(average="macro"),
        metrics=[M.R2Score(name="r2"), M.PerLabel(M.MeanAbsoluteError(name="mae"), ["flux"])],
    )
    history = model.fit(p[..., None], hide(y, o), batch_size=B, verbose=0).history
    r2 = oracles.r2(y[o].astype(float), p[o].astype(float), np.ones(o.sum()))
    np.testing.assert_allclose(history["r2"], r2, rtol=1e-5)
    np.testing.assert_allclose(history["mae/flux"], np.abs(y - p)[o].mean(), rtol=1e-5)
    np.testing.assert_allclose(history["loss"], ((y - p)[o] ** 2).mean(), rtol=1e-5)
