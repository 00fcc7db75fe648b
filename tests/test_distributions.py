"""Distributions: the Gaussian against SciPy, and one of a user's through loss, metrics and head."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import laplace, norm

import keras_masked as km
from tests.backend import compile_, tensor, to_numpy
from tests.likelihood_data import LABELS, NAN, ROWS, P

L, M = km.losses, km.metrics


@pytest.mark.parametrize("compiled", [False, True])
def test_gaussian(compiled: bool) -> None:
    gaussian = km.distributions.Gaussian()
    y, p = tensor(P.y, "float32"), tensor(P.p, "float32")
    scale = np.exp(P.log_var / 2)

    def check(method: Any, expected: np.ndarray, *args: Any) -> None:
        method = compile_(method) if compiled else method
        np.testing.assert_allclose(to_numpy(method(*args)), expected, rtol=1e-4, atol=1e-6)

    check(gaussian.log_prob, norm.logpdf(P.y, P.mean, scale), y, p)
    check(gaussian.cdf, norm.cdf(P.y, P.mean, scale), y, p)
    check(gaussian.mean, P.mean, p)
    check(gaussian.variance, scale**2, p)
    for q in (0.05, 0.5, 0.999):
        check(lambda p, q=q: gaussian.quantile(q, p), norm.ppf(q, P.mean, scale), p)
    check(lambda y, p: gaussian.quantile(gaussian.cdf(y, p), p), P.y, y, p)
    a, b = tensor([2.0, 0.5, 3.0]), tensor([1.0, -1.0, 0.0])
    rescaled = gaussian.rescale(p, a, b)
    check(gaussian.mean, P.mean * [2, 0.5, 3] + [1, -1, 0], rescaled)
    check(gaussian.variance, scale**2 * np.array([4, 0.25, 9]), rescaled)
    wide = gaussian.widen(p, tensor(P.error, "float32"))
    check(gaussian.variance, scale**2 + P.error**2, wide)


@keras.saving.register_keras_serializable("tests")
class Laplace(km.distributions.Distribution):
    """What a user writes to get a loss, metrics and a head."""

    parameters = ("location", "log_scale")
    constant = float(np.log(2.0))

    def nll(self, y: Any, parameters: Any) -> Any:
        size = ops.abs(y - parameters[..., 0])
        return size * ops.exp(-parameters[..., 1]) + parameters[..., 1]

    def quantile(self, probability: Any, parameters: Any) -> Any:
        side = probability - 0.5
        tail = float(np.sign(side) * np.log(1 - 2 * abs(side)))
        return parameters[..., 0] - ops.exp(parameters[..., 1]) * tail

    def mean(self, parameters: Any) -> Any:
        return parameters[..., 0]

    def variance(self, parameters: Any) -> Any:
        return 2.0 * ops.exp(2.0 * parameters[..., 1])


def test_a_distribution_of_the_user(tmp_path: Any) -> None:
    y, o = np.where(P.observed, P.y, NAN), P.observed
    scale = np.exp(P.log_var[o])
    loss = L.NegativeLogLikelihood(Laplace(), full=True)
    expected = -laplace.logpdf(P.y[o], P.mean[o], scale).mean()
    np.testing.assert_allclose(to_numpy(loss(y, P.p)), expected, rtol=1e-5)
    coverage = M.IntervalCoverage(0.7, Laplace())
    coverage.update_state(y, P.p)
    low, high = laplace.interval(0.7, P.mean[o], scale)
    inside = np.mean((low <= P.y[o]) & (P.y[o] <= high))
    np.testing.assert_allclose(to_numpy(coverage.result()), inside, rtol=1e-6)
    scatter = M.StandardizedResidualScatter(Laplace())
    scatter.update_state(y, P.p)
    expected = np.std((P.y[o] - P.mean[o]) / (np.sqrt(2) * scale))
    np.testing.assert_allclose(to_numpy(scatter.result()), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="Laplace cannot take known errors"):
        loss(P.labels(), P.p)
    with pytest.raises(ValueError, match="Laplace cannot be rescaled"):
        Laplace().rescale(P.p, 1.0, 0.0)

    model = keras.Sequential([keras.Input((4,)), km.layers.DistributionHead(LABELS, Laplace())])
    model.compile(keras.optimizers.Lamb(0.01), loss=loss, metrics=[coverage])
    x = np.random.default_rng(0).normal(size=(ROWS, 4))
    model.fit(x, y, verbose=0)
    before = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), before, rtol=1e-5)
    assert isinstance(again.loss.distribution, Laplace)
    assert isinstance(again.layers[-1].distribution, Laplace)


def test_lookup() -> None:
    d = km.distributions
    for identifier in ("gaussian", d.Gaussian, d.Gaussian(), d.serialize(d.Gaussian())):
        assert isinstance(d.get(identifier), d.Gaussian)
    with pytest.raises(ValueError, match="distribution=3"):
        d.get(3)
    with pytest.raises(ValueError, match="Unknown name"):
        d.deserialize("cauchy")
