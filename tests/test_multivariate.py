"""Joint distributions of a row's labels: exact marginals of what is observed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import keras_masked as km
from tests.backend import BACKEND, set_mask, tensor, to_numpy, value_and_grad

D = km.distributions
NAN = np.nan
LABELS = 3
FIRST = BACKEND == "jax"
"""Whether graphs are sooner compiled than all of their operations."""


def covariance(distribution: Any, p: np.ndarray) -> np.ndarray:
    """In float64, from the documented order of parameters."""
    n, rest = distribution.labels, p[distribution.labels :]
    if distribution.rank is None:
        factor = np.zeros((n, n))
        factor[np.tril_indices(n)] = rest
        factor[np.diag_indices(n)] = np.exp(factor[np.diag_indices(n)])
        return np.asarray(factor @ factor.T)
    factor = rest[n:].reshape(n, distribution.rank)
    return np.asarray(np.diag(np.exp(2 * rest[:n])) + factor @ factor.T)


def expected(distribution: Any, y: np.ndarray, p: np.ndarray) -> float:
    """SciPy's, of the labels that are not deleted."""
    o = ~np.isnan(y)
    if not o.any():
        return 0.0
    sigma = covariance(distribution, p)[np.ix_(o, o)]
    return -float(multivariate_normal(p[: len(y)][o], sigma).logpdf(y[o]))


FAMILIES = pytest.mark.parametrize("rank", [None, 1, 2])


def draw(rank: int | None) -> tuple[Any, np.ndarray, np.ndarray]:
    """All patterns of holes, one a row."""
    rng = np.random.default_rng(0)
    distribution = D.MultivariateGaussian(LABELS, rank)
    patterns = np.array(list(itertools.product([True, False], repeat=LABELS)))
    y = np.where(patterns, rng.normal(size=patterns.shape), NAN)
    p = rng.normal(size=(len(y), len(distribution.parameters)))
    return distribution, y, p.astype("float32").astype("float64")


@FAMILIES
def test_every_pattern_of_holes(rank: int | None) -> None:
    distribution, y, p = draw(rank)
    each = np.array([expected(distribution, a, b) for a, b in zip(y, p, strict=True)])
    loss = km.losses.NegativeLogLikelihood(distribution, full=True, reduction="none")
    np.testing.assert_allclose(to_numpy(loss(y, p)), each, rtol=1e-5, atol=1e-5)
    mean = km.losses.NegativeLogLikelihood(distribution, full=True)
    observed = ~np.isnan(y).all(-1)
    np.testing.assert_allclose(to_numpy(mean(y, p)), each.sum() / observed.sum(), rtol=1e-5)
    marked = km.losses.NegativeLogLikelihood(distribution, full=True, missing=-9.0)
    np.testing.assert_allclose(to_numpy(marked(np.nan_to_num(y, nan=-9), p)), to_numpy(mean(y, p)))
    weight = np.arange(1.0, len(y) + 1)
    weighted = to_numpy(mean(y, p, weight))
    np.testing.assert_allclose(weighted, (each * weight).sum() / observed.sum(), rtol=1e-5)
    metric = km.metrics.NegativeLogLikelihood(distribution, full=True)
    for rows in (slice(0, 4), slice(4, None)):
        metric.update_state(y[rows], p[rows])
    np.testing.assert_allclose(to_numpy(metric.result()), to_numpy(mean(y, p)), rtol=1e-5)
    rows = km.losses.negative_log_likelihood(y, p, distribution=distribution, full=True)
    np.testing.assert_allclose(to_numpy(rows), each, rtol=1e-5, atol=1e-5)
    complete = tensor(np.nan_to_num(y), "float32")
    found = to_numpy(distribution.log_prob(complete, tensor(p, "float32")))
    full = [-expected(distribution, a, b) for a, b in zip(np.nan_to_num(y), p, strict=True)]
    np.testing.assert_allclose(found, full, rtol=1e-5)


@FAMILIES
@pytest.mark.parametrize("compiled", [FIRST, pytest.param(not FIRST, marks=pytest.mark.slow)])
def test_hidden_labels_are_not_seen(rank: int | None, compiled: bool) -> None:
    """Whatever is predicted for them: means, and their rows of the factor."""
    distribution, y, p = draw(rank)
    loss = km.losses.NegativeLogLikelihood(distribution)
    y_ = tensor(y, "float32")
    both = value_and_grad(lambda q: loss(y_, q), compiled)
    value, slope = both(tensor(p, "float32"))
    owner = distribution._label_of()
    hidden = np.isnan(y)[:, owner]
    slope = to_numpy(slope)
    assert (slope[hidden] == 0).all()
    assert (slope[~hidden] != 0).mean() > 0.9
    for garbage in (NAN, 1e30, np.inf):
        other, again = both(tensor(np.where(hidden, garbage, p), "float32"))
        np.testing.assert_allclose(to_numpy(other), to_numpy(value), rtol=1e-6)
        np.testing.assert_allclose(to_numpy(again), slope, rtol=1e-5, atol=1e-7)
    h = 1e-4  # against differences of SciPy's
    for i in range(p.shape[1]):
        step = h * np.eye(p.shape[1])[i]
        up, down = (
            sum(expected(distribution, a, b) for a, b in zip(y, q, strict=True))
            for q in (p + step, p - step)
        )
        np.testing.assert_allclose(slope[:, i].sum() * 7, (up - down) / (2 * h), 1e-3, 1e-3)


@FAMILIES
def test_masks_and_nothing(rank: int | None) -> None:
    distribution, y, p = draw(rank)
    loss = km.losses.NegativeLogLikelihood(distribution, full=True)
    mask = np.arange(len(y)) < 2
    q = np.where(mask[:, None], p, NAN)
    each = [expected(distribution, a, b) for a, b in zip(y[:2], p[:2], strict=True)]
    np.testing.assert_allclose(to_numpy(loss(y, set_mask(q, mask))), np.mean(each), rtol=1e-5)
    assert to_numpy(loss(np.full((2, 3), NAN), p[:2])) == 0
    weight = mask.astype("float64")
    np.testing.assert_allclose(to_numpy(loss(y, q, weight)), np.sum(each) / 7, rtol=1e-5)


def test_far_out() -> None:
    """Nearly dependent labels, and scales of any size: finite, and finite slopes."""
    rng = np.random.default_rng(1)
    for rank in (None, 2):
        distribution = D.MultivariateGaussian(5, rank)
        p = rng.uniform(-8, 8, (40, len(distribution.parameters)))
        y = np.where(rng.random((40, 5)) < 0.7, rng.normal(size=(40, 5)), NAN)
        loss = km.losses.NegativeLogLikelihood(distribution)
        y_ = tensor(y, "float32")
        both = value_and_grad(lambda q, y=y_, loss=loss: loss(y, q))
        value, slope = both(tensor(p, "float32"))
        assert np.isfinite(to_numpy(value))
        assert np.isfinite(to_numpy(slope)).all()


@FAMILIES
def test_moments_and_units(rank: int | None) -> None:
    distribution, _, p = draw(rank)
    sigma = np.array([covariance(distribution, each) for each in p])
    p_ = tensor(p, "float32")
    np.testing.assert_allclose(to_numpy(distribution.covariance(p_)), sigma, rtol=1e-4, atol=1e-5)
    variance = np.diagonal(sigma, axis1=1, axis2=2)
    np.testing.assert_allclose(to_numpy(distribution.variance(p_)), variance, rtol=1e-5)
    marginals = to_numpy(distribution.marginals(p_))
    np.testing.assert_allclose(marginals[..., 1], np.log(variance), rtol=1e-4, atol=1e-5)
    a, b = np.array([2.0, 0.5, 3.0]), np.array([1.0, -1.0, 0.0])
    moved = distribution.rescale(p_, tensor(a, "float32"), tensor(b, "float32"))
    found = to_numpy(distribution.covariance(moved))
    np.testing.assert_allclose(found, a[:, None] * sigma * a, rtol=1e-4, atol=1e-4)
    start = distribution.start(tensor(b, "float32"), tensor(a, "float32"))
    np.testing.assert_allclose(to_numpy(distribution.variance(start)), a**2, rtol=1e-5)
    metric = km.metrics.OfMean(km.metrics.MeanAbsoluteError(), distribution)
    metric.update_state(np.array([[1.0, NAN, 2.0]]), p[:1])
    error = np.abs(np.array([1.0, 2.0]) - p[0, [0, 2]]).mean()
    np.testing.assert_allclose(to_numpy(metric.result()), error, rtol=1e-5)


def test_training_and_saving(tmp_path: Any) -> None:
    """From the head, in the labels' units, through a file."""
    import keras

    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4))
    y = 100.0 + 20 * rng.normal(size=(64, 3))
    y[rng.random(y.shape) < 0.3] = NAN
    distribution = D.MultivariateGaussian(3)
    head = km.layers.DistributionHead(3, distribution)
    head.adapt(y)
    model = keras.Sequential([keras.Input((4,)), head])
    loss = km.losses.NegativeLogLikelihood(distribution, full=True)
    independent = [
        -multivariate_normal(np.nanmean(c), np.nanvar(c)).logpdf(c[~np.isnan(c)]).sum() for c in y.T
    ]
    rows = (~np.isnan(y)).any(-1).sum()
    np.testing.assert_allclose(to_numpy(loss(y, model(x))), sum(independent) / rows, rtol=1e-4)
    model.compile("adam", loss=loss, metrics=[km.metrics.NegativeLogLikelihood(distribution)])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), 1e-5)
    units = km.layers.LabelNormalization()
    units.adapt(y)
    layer = km.layers.LabelDenormalization(units, distribution)
    mean = distribution.mean(layer(tensor(np.zeros((2, len(distribution.parameters))), "float32")))
    np.testing.assert_allclose(to_numpy(mean)[0], np.nanmean(y, axis=0), rtol=1e-5)


def test_bad_input() -> None:
    distribution = D.MultivariateGaussian(3)
    with pytest.raises(ValueError, match=r"9 parameters.*\(2, 8\)"):
        km.losses.NegativeLogLikelihood(distribution)(np.ones((2, 3)), np.ones((2, 8)))
    with pytest.raises(ValueError, match=r"\(2, 4\)"):
        km.losses.NegativeLogLikelihood(distribution)(np.ones((2, 4)), np.ones((2, 9)))
    for labels in (0, 1.5, "a", None):
        with pytest.raises(ValueError, match="`labels`"):
            D.MultivariateGaussian(labels)
    with pytest.raises(ValueError, match="`rank`"):
        D.MultivariateGaussian(3, 0)
    for options in ({"beta": 0.5}, {"label_weights": [1.0, 2, 3]}, {"average": "macro"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            km.losses.NegativeLogLikelihood(distribution, **options)
    with pytest.raises(ValueError, match="single labels"):
        D.Mixture(distribution)
    with pytest.raises(ValueError, match="`labels`"):
        km.layers.DistributionHead(2, distribution)
