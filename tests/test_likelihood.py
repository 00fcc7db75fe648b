"""Predicted distributions: labels with errors, and metrics that read the stacked output."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import norm

import keras_masked as km
from tests.backend import set_mask, tensor, to_numpy, value_and_grad
from tests.likelihood_data import ROWS, P

L, M = km.losses, km.metrics
NAN, SENTINEL = np.nan, -9999.0


# Labels with errors


@pytest.mark.parametrize("marker", [NAN, SENTINEL])
@pytest.mark.parametrize("garbage", [NAN, np.inf, -3.0, 1e30])
def test_errors_of_labels(marker: float, garbage: float) -> None:
    missing = "nan" if np.isnan(marker) else (marker, "nan")
    labels = P.labels(marker, garbage)
    loss = L.NegativeLogLikelihood(missing=missing)
    np.testing.assert_allclose(to_numpy(loss(labels, P.p)), P.nll.mean(), rtol=1e-5)
    metric = M.NegativeLogLikelihood(missing=missing)
    metric.update_state(labels, P.p)
    np.testing.assert_allclose(to_numpy(metric.result()), P.nll.mean(), rtol=1e-5)
    rows = to_numpy(L.negative_log_likelihood(labels, P.p, missing=missing))
    each = iter(P.nll)
    expected = [np.mean([next(each) for _ in range(n)]) if n else 0 for n in P.observed.sum(-1)]
    np.testing.assert_allclose(rows, expected, rtol=1e-5)


def test_gradient_with_errors() -> None:
    loss = L.NegativeLogLikelihood()
    labels = tensor(P.labels(garbage=NAN), "float32")
    _, gradient = value_and_grad(lambda p: loss(labels, p), compiled=True)(tensor(P.p, "float32"))
    gradient = to_numpy(gradient)
    np.testing.assert_array_equal(gradient[~P.observed], 0)
    z, var = (P.mean - P.y) / P.scale, P.scale**2
    by_mean = z / P.scale
    by_log_var = 0.5 * np.exp(P.log_var) / var * (1 - z**2)
    expected = np.stack([by_mean, by_log_var], -1) / P.observed.sum()
    np.testing.assert_allclose(gradient[P.observed], expected[P.observed], rtol=1e-4, atol=1e-6)


def test_gradient_at_a_tie() -> None:
    """A network that starts at log-variances of 0, and errors of 1: half of the variance each."""
    labels = tensor([[[2.0, 1.0]]], "float32")
    loss = L.NegativeLogLikelihood()
    _, gradient = value_and_grad(lambda p: loss(labels, p))(tensor([[[0.0, 0.0]]], "float32"))
    np.testing.assert_allclose(to_numpy(gradient)[0, 0], [-1.0, 0.25 * (1 - 2.0)], rtol=1e-6)


def test_errors_that_are_0_change_nothing() -> None:
    y = np.where(P.observed, P.y, NAN)
    alone = to_numpy(L.NegativeLogLikelihood()(y, P.p))
    for error in (np.zeros_like(y), np.full_like(y, NAN)):
        with_errors = L.NegativeLogLikelihood()(np.stack([y, error], -1), P.p)
        np.testing.assert_array_equal(to_numpy(with_errors), alone)
    np.testing.assert_array_equal(to_numpy(L.NegativeLogLikelihood()(y[..., None], P.p)), alone)
    rows = to_numpy(L.NegativeLogLikelihood(reduction=None)(y[:, 0], P.p[:, :1]))
    expected = to_numpy(L.NegativeLogLikelihood(reduction=None)(y[:, :1], P.p[:, :1]))
    np.testing.assert_array_equal(rows, expected)


def test_averages() -> None:
    """A column is the axis before the parameters."""
    losses = np.zeros(P.observed.shape)
    losses[P.observed] = P.nll
    columns = losses.sum(0) / P.observed.sum(0)
    macro = L.NegativeLogLikelihood(average="macro")(P.labels(), P.p)
    np.testing.assert_allclose(to_numpy(macro), columns.mean(), rtol=1e-5)
    some = P.observed.any(-1)
    rows = losses[some].sum(-1) / P.observed[some].sum(-1)
    samples = L.NegativeLogLikelihood(average="samples")(P.labels(), P.p)
    np.testing.assert_allclose(to_numpy(samples), rows.mean(), rtol=1e-5)
    rate = P.observed.mean(0)
    expected = L.NegativeLogLikelihood(average="macro", observed_rate=tuple(rate))(P.labels(), P.p)
    np.testing.assert_allclose(to_numpy(expected), columns.mean(), rtol=1e-5)


def test_mask() -> None:
    mask = np.arange(ROWS) < 4
    loss = to_numpy(L.NegativeLogLikelihood()(P.labels(), set_mask(P.p, mask)))
    expected = to_numpy(L.NegativeLogLikelihood()(P.labels()[:4], P.p[:4]))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("log_var", [-80.0, 80.0])
def test_extreme_variances_stay_finite(log_var: float) -> None:
    labels, p = tensor([[1.0, 0.0]], "float32"), tensor([[1.0, log_var]], "float32")
    value, gradient = value_and_grad(lambda p: L.NegativeLogLikelihood()(labels, p))(p)
    np.testing.assert_allclose(to_numpy(value), log_var / 2)
    np.testing.assert_allclose(to_numpy(gradient)[0], [0, 0.5])


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [
        ((6, 3), (6, 3)),
        ((6, 4), (6, 3, 2)),
        ((6, 3, 3), (6, 3, 2)),
        ((3,), (6, 3, 2)),
        ((6,), (6,)),
    ],
)
def test_shapes_that_do_not_align(labels: tuple[int, ...], predictions: tuple[int, ...]) -> None:
    for obj in (L.NegativeLogLikelihood(), M.IntervalCoverage().update_state):
        with pytest.raises(ValueError) as error:
            obj(np.ones(labels), np.ones(predictions))
        assert str(predictions) in str(error.value)


def test_wrong_number_of_parameters() -> None:
    with pytest.raises(ValueError, match=r"mean, log_variance.*\(6, 3, 4\)"):
        L.NegativeLogLikelihood()(np.ones((6, 3)), np.ones((6, 3, 4)))
    with pytest.raises(ValueError, match="distribution='cauchy'"):
        L.NegativeLogLikelihood("cauchy")


# Metrics that read the stacked output


def test_coverage_and_scatter_with_errors() -> None:
    """Labels scatter about their means as predicted, by their own errors on top."""
    o, z = P.observed, (P.y - P.mean) / P.scale
    for level in (0.3, 0.683, 0.95):
        metric = M.IntervalCoverage(level)
        metric.update_state(P.labels(), P.p)
        inside = np.abs(z[o]) <= norm.ppf(0.5 + level / 2)
        np.testing.assert_allclose(to_numpy(metric.result()), inside.mean(), rtol=1e-6)
    metric = M.StandardizedResidualScatter()
    for rows in (slice(0, 2), slice(2, 6)):
        metric.update_state(P.labels()[rows], P.p[rows])
    np.testing.assert_allclose(to_numpy(metric.result()), z[o].std(), rtol=1e-5)
    assert to_numpy(metric.support()) == o.sum()


@pytest.mark.parametrize("level", [0, 1, -0.5, 2, "0.9", None])
def test_bad_level(level: Any) -> None:
    with pytest.raises(ValueError, match=f"level={level!r}"):
        M.IntervalCoverage(level)


# One compile


def test_fit_save_load(tmp_path: Any) -> None:
    """Loss, ordinary metrics and saving from one output; the scatter is learned."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 2))
    error = rng.gamma(2.0, 0.2, size=(512, 2))
    y = (
        x @ rng.normal(size=(2, 2))
        + 0.5 * rng.normal(size=(512, 2))
        + error * rng.normal(size=(512, 2))
    )
    labels = np.stack([y, error], -1)
    labels[rng.random(y.shape) < 0.3] = SENTINEL
    model = keras.Sequential(
        [keras.Input((2,)), km.layers.DistributionHead(2, kernel_initializer="zeros")]
    )
    model.compile(
        keras.optimizers.Adamax(0.1),
        loss=L.NegativeLogLikelihood(missing=SENTINEL),
        metrics=[
            M.OfMean(M.MeanAbsoluteError(missing=SENTINEL, name="mae")),
            M.IntervalCoverage(missing=SENTINEL, name="coverage"),
            M.StandardizedResidualScatter(missing=SENTINEL, name="scatter"),
        ],
    )
    model.fit(x, labels, epochs=40, batch_size=64, verbose=0)
    found = model.evaluate(x, labels, verbose=0, return_dict=True)
    assert abs(found["scatter"] - 1) < 0.1
    assert abs(found["coverage"] - 0.9) < 0.05
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    loaded = again.evaluate(x, labels, verbose=0, return_dict=True)
    assert loaded == pytest.approx(found, rel=1e-5)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_head() -> None:
    head = km.layers.DistributionHead(3, kernel_regularizer="l2", name="head")
    x = np.ones((2, 5, 4))
    assert tuple(head(x).shape) == (2, 5, 3, 2)
    assert head.compute_output_shape((None, 5, 4)) == (None, 5, 3, 2)
    copy = km.layers.DistributionHead.from_config(head.get_config())
    assert copy.get_config() == head.get_config()
    assert len(head.losses) == 1
    for labels in (0, 2.5, "a", True):
        with pytest.raises(ValueError, match=f"labels={labels!r}"):
            km.layers.DistributionHead(labels)


def test_metrics_of_extreme_variances() -> None:
    """Finite where the variance itself, or its root, is not. An infinite error hides its label."""
    y = np.array([[1.0, 2.0]])
    for log_var in (-120.0, 180.0):
        p = np.stack([np.array([[1.0, 2.0]]), np.full((1, 2), log_var)], -1)
        coverage, scatter = M.IntervalCoverage(), M.StandardizedResidualScatter()
        coverage.update_state(y, p)
        scatter.update_state(y, p)
        assert to_numpy(coverage.result()) == 1
        assert to_numpy(scatter.result()) == 0
    labels = np.array([[[1.0, np.inf], [2.0, 0.0]]])
    coverage.update_state(labels, np.zeros((1, 2, 2)))
    assert to_numpy(coverage.result()) == pytest.approx(2 / 3)
