"""Families that are made of parts: mixtures, extra zeros, bins and hazards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import expit, softmax

import keras_masked as km
from tests.backend import BACKEND, tensor, to_numpy, value_and_grad

Array = np.ndarray
D = km.distributions
EDGES = [0.0, 0.5, 1.0, 2.5, 4.0]
RNG = np.random.default_rng(0)


class Parts:
    """A distribution function and a density in float64, on a grid that is fine enough."""

    def __init__(self, cdf: Callable[[Array], Array], low: float, high: float, n: int = 400_001):
        self.x = np.linspace(low, high, n)
        self.f = cdf(self.x)

    def crps(self, y: float) -> float:
        return float(np.trapezoid((self.f - (self.x >= y)) ** 2, self.x))

    def moments(self) -> tuple[float, float]:
        middle, mass = (self.x[1:] + self.x[:-1]) / 2, np.diff(self.f)
        mean = float((middle * mass).sum() + self.x[0] * self.f[0])
        second = float((middle**2 * mass).sum() + self.x[0] ** 2 * self.f[0])
        return mean, second - mean**2


def check(ours: Any, p: Array, y: Array, parts: Parts, crps: float = 1e-4) -> None:
    """Methods of one label's parameters against its distribution function."""
    cdf = np.interp(y, parts.x, parts.f)
    p_ = tensor(np.broadcast_to(p, (1, len(y), len(p))), "float32")
    y_ = tensor(y[None], "float32")
    assert ours.parameters and len(ours.parameters) == len(p)
    np.testing.assert_allclose(to_numpy(ours.cdf(y_, p_))[0], cdf, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.exp(to_numpy(ours.log_cdf(y_, p_)))[0], cdf, rtol=1e-4, atol=1e-5)
    survival = np.exp(to_numpy(ours.log_survival(y_, p_)))[0]
    np.testing.assert_allclose(survival, 1 - cdf, rtol=1e-4, atol=1e-5)
    mean, variance = parts.moments()
    np.testing.assert_allclose(to_numpy(ours.mean(p_))[0], mean, rtol=1e-3)
    np.testing.assert_allclose(to_numpy(ours.variance(p_))[0], variance, rtol=1e-3)
    expected = [parts.crps(each) for each in y]
    np.testing.assert_allclose(to_numpy(ours.crps(y_, p_))[0], expected, rtol=crps, atol=2e-5)
    for level in (0.1, 0.5, 0.8):
        if level < parts.f[-1]:
            found = to_numpy(ours.quantile(level, p_))[0, 0]
            expected_ = parts.x[np.searchsorted(parts.f, level)]
            np.testing.assert_allclose(found, expected_, rtol=1e-3, atol=1e-3)
    for name in ("nll", "crps", "log_cdf", "log_survival"):
        both = value_and_grad(lambda q, n=name: ops.sum(getattr(ours, n)(y_, q)), BACKEND == "jax")
        _, slope = both(p_)
        assert np.isfinite(to_numpy(slope)).all(), name


def test_mixture_of_gaussians() -> None:
    p = np.array([0.3, -2.0, -1.0, -0.5, 1.0, 0.7, 0.1, 4.0, -3.0])
    weight, mean, scale = softmax(p[::3]), p[1::3], np.exp(p[2::3] / 2)
    y = np.array([-3.0, 0.2, 1.5, 4.1])
    ours = D.Mixture("gaussian", 3)
    check(ours, p, y, Parts(lambda x: sum_of(stats.norm(mean, scale).cdf, weight, x), -30, 30))
    p_ = tensor(np.broadcast_to(p, (1, 4, 9)), "float32")
    found = to_numpy(ours.log_prob(tensor(y[None], "float32"), p_))[0]
    density = sum_of(stats.norm(mean, scale).pdf, weight, y)
    np.testing.assert_allclose(found, np.log(density), rtol=1e-5)
    wide = ours.widen(p_, tensor(np.full((1, 4), 2.0), "float32"))
    expected = sum_of(stats.norm(mean, np.hypot(scale, 2)).cdf, weight, y)
    found = to_numpy(ours.cdf(tensor(y[None], "float32"), wide))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    moved = ours.rescale(p_, tensor(2.0), tensor(1.0))
    np.testing.assert_allclose(to_numpy(ours.mean(moved)), 2 * weight @ mean + 1, rtol=1e-5)


def sum_of(function: Any, weight: Array, x: Array) -> Array:
    return np.asarray(function(x[..., None]) @ weight)


def test_mixture_of_others() -> None:
    """Of what is positive; and of what is not, where half a minute of compilation is not the price.

    A mixture asks its parts the same whatever they are.
    """
    p = np.array([0.3, 0.5, -0.5, -0.5, 1.5, -1.0])
    weight, mean, scale = softmax(p[::3]), p[1::3], np.exp(p[2::3])
    y = np.array([0.3, 0.9, 2.0, 4.1])  # four: JAX compiles but once
    cdf = stats.lognorm(scale, scale=np.exp(mean)).cdf
    parts = Parts(lambda x: sum_of(cdf, weight, x), 0, 300)
    check(D.Mixture(D.LogNormal(), 2), p, y, parts, crps=2e-3)
    if BACKEND == "jax":
        return
    cdf = stats.laplace(mean, scale).cdf
    parts = Parts(lambda x: sum_of(cdf, weight, x), -20, 25)
    check(D.Mixture("laplace", 2), p, y, parts, crps=1e-3)


def test_mixture_of_counts() -> None:
    p = np.array([[[0.3, 0.5, -0.5, 2.5]]])
    weight, rate = softmax(p[0, 0, ::2]), np.exp(p[0, 0, 1::2])
    ours, y = D.Mixture("poisson", 2), np.array([[0.0, 3.0, 12.0]])
    p_ = tensor(np.broadcast_to(p, (1, 3, 4)), "float32")
    found = to_numpy(ours.log_prob(tensor(y, "float32"), p_))
    np.testing.assert_allclose(found, np.log(stats.poisson(rate).pmf(y[..., None]) @ weight), 1e-5)
    count = np.arange(100.0)
    cdf = stats.poisson(rate).cdf(count[:, None]) @ weight
    for level in (0.01, 0.3, 0.6, 0.99):
        expected = count[np.argmax(cdf >= level)]
        np.testing.assert_array_equal(to_numpy(ours.quantile(level, p_)), expected)


@pytest.mark.parametrize("amounts", [False, True])
def test_zero_inflated(amounts: bool) -> None:
    share, y = expit(-0.4), np.array([0.0, 1.0, 3.0, 7.0])
    if amounts:
        ours, p = D.ZeroInflated("gamma"), np.array([-0.4, 1.0, 0.5])
        known = stats.gamma(np.exp(0.5), scale=np.exp(0.5))
        density = np.where(y > 0, (1 - share) * known.pdf(np.maximum(y, 1e-3)), share)
        parts = Parts(lambda x: share + (1 - share) * known.cdf(x), 0, 80)
        check(ours, p, y, parts)
    else:
        ours, p = D.ZeroInflated("poisson"), np.array([-0.4, 1.0])
        known = stats.poisson(np.exp(1.0))
        density = (1 - share) * known.pmf(y) + share * (y == 0)
        count = np.arange(60.0)
        cdf = share + (1 - share) * known.cdf(count)
        expected = [((cdf - (count >= each)) ** 2).sum() for each in y]
        p_ = tensor(np.broadcast_to(p, (1, 4, 2)), "float32")
        found = to_numpy(ours.crps(tensor(y[None], "float32"), p_))[0]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert to_numpy(ours.quantile(0.2, p_))[0, 0] == 0
        assert to_numpy(ours.quantile(0.9, p_))[0, 0] == count[np.argmax(cdf >= 0.9)]
    p_ = tensor(np.broadcast_to(p, (1, 4, len(p))), "float32")
    found = to_numpy(ours.log_prob(tensor(y[None], "float32"), p_))[0]
    np.testing.assert_allclose(found, np.log(density), rtol=1e-5)
    with pytest.raises(ValueError, match="counts or of positive numbers"):
        D.ZeroInflated("gaussian")


def test_extra_zeros_of_small_shapes() -> None:
    """Of which one in thirty amounts is below 1e-30, and none is 0."""
    ours, p = D.ZeroInflated("gamma"), tensor([[-0.4, 1.0, -3.0]], "float32")
    y = tensor([0.0], "float32")
    np.testing.assert_allclose(to_numpy(ours.cdf(y, p)), expit(-0.4), rtol=1e-6)
    np.testing.assert_allclose(to_numpy(ours.log_survival(y, p)), np.log(expit(0.4)), rtol=1e-6)


def test_histogram() -> None:
    p = np.array([0.3, -1.0, 0.5, 0.1])
    weight, y = softmax(p), np.array([0.2, 0.5, 1.7, 3.9])
    edges = np.asarray(EDGES)
    ours = D.Histogram(EDGES)
    parts = Parts(lambda x: np.interp(x, edges, np.append(0, weight.cumsum())), 0, 4)
    check(ours, p, y, parts)
    p_ = tensor(np.broadcast_to(p, (1, 4, 4)), "float32")
    density = (weight / np.diff(edges))[[0, 0, 2, 3]]
    found = to_numpy(ours.log_prob(tensor(y[None], "float32"), p_))[0]
    np.testing.assert_allclose(found, np.log(density), rtol=1e-5)
    loss = km.losses.NegativeLogLikelihood(ours)
    with pytest.raises(ValueError, match="not from 0 to 4"):
        loss(np.array([[5.0]]), np.zeros((1, 1, 4)))
    assert np.isnan(to_numpy(loss(tensor([[5.0]]), tensor(np.zeros((1, 1, 4))))))


def test_discrete_hazard() -> None:
    p = np.array([-1.0, 0.3, -3.0, 0.5])
    edges, y = np.asarray(EDGES), np.array([0.0, 0.2, 1.7, 3.9])
    log_survival = np.append(0, np.log1p(-expit(p)).cumsum())
    ours = D.DiscreteHazard(EDGES)

    def cdf(x: Array) -> Array:  # all that is left falls at the last edge
        return np.where(x < 4, 1 - np.exp(np.interp(x, edges, log_survival)), 1.0)

    p_ = tensor(np.broadcast_to(p, (1, 4, 4)), "float32")
    y_ = tensor(y[None], "float32")
    parts = Parts(cdf, 0, 4)
    np.testing.assert_allclose(to_numpy(ours.cdf(y_, p_))[0], cdf(y), atol=1e-6)
    np.testing.assert_allclose(
        np.exp(to_numpy(ours.log_survival(y_, p_)))[0], 1 - cdf(y), rtol=1e-5
    )
    np.testing.assert_allclose(np.exp(to_numpy(ours.log_cdf(y_, p_)))[0], cdf(y), rtol=1e-5)
    mean, variance = parts.moments()
    np.testing.assert_allclose(to_numpy(ours.mean(p_))[0], mean, rtol=1e-4)
    np.testing.assert_allclose(to_numpy(ours.variance(p_))[0], variance, rtol=1e-4)
    expected = [parts.crps(each) for each in y]
    np.testing.assert_allclose(to_numpy(ours.crps(y_, p_))[0], expected, rtol=1e-4)
    rate = (-np.log1p(-expit(p)) / np.diff(edges))[[0, 0, 2, 3]]
    found = to_numpy(ours.log_prob(y_, p_))[0]
    np.testing.assert_allclose(found, np.log(rate * (1 - cdf(y))), rtol=1e-5)
    half = to_numpy(ours.quantile(0.5, p_))[0, 0]
    np.testing.assert_allclose(cdf(half), 0.5, atol=1e-5)
    tiny = tensor(np.full((1, 4, 4), -30.0), "float32")
    assert np.isfinite(to_numpy(ours.nll(y_, tiny))).all()
    _, slope = value_and_grad(lambda q: ops.sum(ours.crps(y_, q) + ours.nll(y_, q)))(tiny)
    assert np.isfinite(to_numpy(slope)).all()


@pytest.mark.parametrize(
    "edges", [[0.0], [0.0, 0.0], [0.0, 2.0, 1.0], [0.0, np.nan], "ab", None, 3]
)
def test_bad_edges(edges: Any) -> None:
    for family in (D.Histogram, D.DiscreteHazard):
        with pytest.raises(ValueError, match="`edges`"):
            family(edges)
    with pytest.raises(ValueError, match="the first 0"):
        D.DiscreteHazard([1.0, 2.0])
