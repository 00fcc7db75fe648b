"""Families of distributions against SciPy: values, slopes, and what they are to each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras import ops

import keras_masked as km
from tests.backend import compile_, tensor, to_numpy, value_and_grad
from tests.families import FAMILIES, Family, named

Array = np.ndarray
EACH = pytest.mark.parametrize("family", FAMILIES, ids=str)


def close(found: Any, expected: Array, rtol: float = 1e-5, atol: float = 0.0) -> None:
    np.testing.assert_allclose(to_numpy(found), expected, rtol=rtol, atol=atol)


def quartiles(family: Family, p: Array) -> Array:
    return np.asarray(family.scipy(p).ppf(0.75) - family.scipy(p).ppf(0.25))


def rounding(family: Family, p: Array, y: Array) -> Array:
    """What float32 makes of a label's distance from where the distribution is."""
    deviation = family.scipy(p).std() if family.counts else quartiles(family, p)
    return 4e-7 * (np.abs(y) + np.abs(family.scipy(p).ppf(0.5))) / deviation


def expected_crps(family: Family, p: Array, y: Array) -> Array:
    """Twice the integral of pinball losses over levels, below and above that of the label."""
    known = family.scipy(p)
    if family.counts:
        count = np.arange(known.ppf(1 - 1e-13).max() + y.max() + 2)[:, None, None]
        return np.asarray(((known.cdf(count) - (count >= y)) ** 2).sum(0))
    v, weight = np.polynomial.legendre.leggauss(400)
    v, weight = (v + 1) / 2, weight / 2
    total = np.zeros(y.shape)
    below, above = known.cdf(y), known.sf(y)
    for x, w in zip(v**2 * (3 - 2 * v), weight * 6 * v * (1 - v), strict=True):
        total += 2 * w * below * (below * x) * (y - known.ppf(below * x))
        total += 2 * w * above * (above * x) * (known.isf(above * x) - y)
    return total


@EACH
@pytest.mark.parametrize("seed", [0])
def test_values(family: Family, seed: int) -> None:
    """Over scales from 1e-6 to 1e6."""
    p = family.draw(seed)
    y = family.labels(p)
    ours, known = family.make(), family.scipy(p)
    y_, p_ = tensor(y, "float32"), tensor(p, "float32")
    log_density = known.logpmf(y) if family.counts else known.logpdf(y)
    off = 1e-5 + 10 * rounding(family, p, y)
    found = to_numpy(ours.log_prob(y_, p_))
    assert (np.abs(found - log_density) <= off + 1e-5 * np.abs(log_density)).all()
    for name, expected in (("log_cdf", known.logcdf(y)), ("log_survival", known.logsf(y))):
        found = to_numpy(getattr(ours, name)(y_, p_))
        assert (np.abs(found - expected) <= off + 1e-5 * np.abs(expected)).all(), name
    close(ours.cdf(y_, p_), known.cdf(y), atol=1e-6 + rounding(family, p, y).max())
    for level in (1e-4, 0.05, 0.5, 0.9):
        expected = known.ppf(level)
        spread = np.abs(known.ppf(0.9) - known.ppf(0.1)) if not family.counts else 0.0
        found = to_numpy(ours.quantile(level, p_))
        assert (np.abs(found - expected) <= 1e-5 * (np.abs(expected) + spread)).all(), level
    close(ours.mean(p_), known.mean())
    close(ours.variance(p_), known.var())


@EACH
def test_crps(family: Family) -> None:
    p = family.draw(3)
    y = family.labels(p)
    found = family.make().crps(tensor(y, "float32"), tensor(p, "float32"))
    deviation = family.scipy(p).std() if family.counts else quartiles(family, p)
    # Rare counts: what is left of a mean less half a mean difference, both as rounded.
    error = (rounding(family, p, y) + (4e-7 if family.counts else 0.0)) * deviation
    expected = expected_crps(family, p, y)
    off = np.abs(to_numpy(found) - expected)
    assert (off <= 1e-5 * expected + error).all()


@EACH
def test_slopes_of_tails(family: Family) -> None:
    """Of the logarithms of both tails, by label and parameters, as censored labels need them."""
    p = family.draw(4).clip(-1.5, 1.5)
    y = family.labels(p)
    ours, h = family.make(), 1e-5
    for name, theirs in (("log_cdf", "logcdf"), ("log_survival", "logsf")):

        def total(q: Any, name: str = name) -> Any:
            return ops.sum(getattr(ours, name)(tensor(y, "float32"), q))

        _, slope = value_and_grad(total)(tensor(p, "float32"))
        slope = to_numpy(slope)
        for i in range(p.shape[-1]):
            step = h * np.eye(p.shape[-1])[i]
            up, down = (getattr(family.scipy(p + s), theirs)(y) for s in (step, -step))
            expected = (up - down) / (2 * h)
            size = np.abs(expected)
            np.testing.assert_array_less(
                np.abs(slope[..., i] - expected), 2e-3 * size + 1e-3 * size.mean() + 1e-4
            )


@EACH
def test_diverged_parameters_stay_visible(family: Family) -> None:
    """NaN parameters are no infinite mean, no least count and no certain probability."""
    ours, p = family.make(), family.draw(3)
    y, p = tensor(family.labels(p), "float32"), tensor(np.full_like(p, np.nan), "float32")
    found = {name: getattr(ours, name)(y, p) for name in ("nll", "cdf", "log_cdf", "log_survival")}
    found |= {name: getattr(ours, name)(p) for name in ("mean", "variance")}
    found |= {"crps": ours.crps(y, p), "quantile": ours.quantile(0.3, p)}
    assert [name for name, x in found.items() if not np.isnan(to_numpy(x)).all()] == []
    for i in range(p.shape[-1]):
        one = tensor(np.where(np.arange(p.shape[-1]) == i, np.nan, family.draw(3)), "float32")
        found = {name: getattr(ours, name)(y, one) for name in ("nll", "crps", "log_cdf")}
        assert [name for name, x in found.items() if not np.isnan(to_numpy(x)).all()] == [], i


def test_a_diverged_location_has_no_infinite_mean() -> None:
    """Where all else is infinite: scales of 1 and more."""
    ours, y = km.distributions.LogLogistic(), tensor([[3.0]], "float32")
    p = tensor([[[np.nan, 0.5]]], "float32")
    found = {"mean": ours.mean(p), "variance": ours.variance(p), "crps": ours.crps(y, p)}
    assert [name for name, x in found.items() if not np.isnan(to_numpy(x)).all()] == []


@EACH
def test_parts_agree(family: Family) -> None:
    """The density integrates to the distribution function, which the quantile inverts."""
    ours, p = family.make(), family.draw(5).clip(-1.5, 1.5)[0, :3, None] * np.ones((3, 200, 1))
    p = tensor(p, "float32")
    level = np.linspace(0.01, 0.99, 200) * np.ones((3, 1))
    y = ours.quantile(tensor(level, "float32"), p)
    cdf = to_numpy(ours.cdf(y, p))
    if family.counts:
        assert (cdf >= level - 1e-5).all()
        assert (to_numpy(ours.cdf(y - 1, p)) < level + 1e-5).all()
        return
    density, y = np.exp(to_numpy(ours.log_prob(y, p))), to_numpy(y)
    assert (np.abs(cdf - level) < 1e-5 + 2e-7 * np.abs(y) * density).all()
    area = (0.5 * (density[..., 1:] + density[..., :-1]) * np.diff(y)).sum(-1)
    np.testing.assert_allclose(area, 0.98, rtol=5e-3)


@EACH
def test_gradients_far_out(family: Family) -> None:
    """Parameters of any size, labels within 40 scales: finite slopes of the likelihood, no NaN."""
    rng = np.random.default_rng(0)
    ours = family.make()
    p = rng.uniform(-30, 30, (5, 5, len(ours.parameters))).astype("float32")
    p[0] = np.where(rng.random(p[0].shape) < 0.5, -30, 30)
    y = labels_within_40_scales(family, p.astype("float64"), rng)
    y_, p_ = tensor(y, "float32"), tensor(p, "float32")
    for name in ("nll", "crps", "log_cdf", "log_survival"):
        value, slope = value_and_grad(lambda q, n=name: ops.sum(getattr(ours, n)(y_, q)))(p_)
        assert not np.isnan(to_numpy(slope)).any(), name
        if name == "nll":
            each = to_numpy(ours.nll(y_, p_))
            assert np.isfinite(to_numpy(slope)[np.isfinite(each)]).all()
            assert not np.isnan(each).any()


def labels_within_40_scales(family: Family, p: Array, rng: Any) -> Array:
    name, z = str(family), rng.uniform(-40, 40, p.shape[:-1])
    if name == "Beta":
        return rng.uniform(0.01, 0.99, z.shape)
    if name == "NormalInverseGamma":
        return np.asarray(p[..., 0] + np.exp(p[..., 3] / 2) * z)
    if name in ("Gaussian", "Laplace", "Logistic", "StudentT", "StudentT-4.5"):
        scale = np.exp(p[..., 1] / (2 if name == "Gaussian" else 1))
        return p[..., 0] + scale * z
    y = np.exp(p[..., 0] * (-1 if name == "Exponential" else 1)) * np.abs(z)
    return np.floor(np.minimum(y, 1e30)) if family.counts else y


@EACH
def test_start_and_units(family: Family) -> None:
    """What a network that puts out zeros starts with, and predictions in other units."""
    ours, (mean, deviation) = family.make(), family.moments
    moments = tensor([mean, 2 * mean if mean > 1 else mean], "float32")
    deviations = tensor([deviation, 2 * deviation if mean > 1 else deviation], "float32")
    p = ours.start(moments, deviations)
    assert tuple(p.shape) == (2, len(ours.parameters))
    rtol = 1e-5 if family.exact_start else 0.15
    close(ours.mean(p), to_numpy(moments), rtol)
    if str(family) != "Poisson":  # whose variance is its mean
        close(ops.sqrt(ours.variance(p)), to_numpy(deviations), rtol)
    zeros = tensor(np.zeros((4, 2, len(ours.parameters))), "float32")
    units = ours.denormalize(zeros, moments, deviations)
    ratio = to_numpy(ours.mean(units)) / to_numpy(moments)
    assert (ratio > 0.5).all()
    assert (ratio < 2).all()
    if family.counts or str(family) == "Beta":
        with pytest.raises(ValueError, match="cannot be rescaled"):
            ours.rescale(zeros, 2.0, 0.0)
        return
    p = tensor(family.draw(6), "float32")
    scaled = ours.rescale(p, tensor([2.0, 0.5, 3.0, 1.0, 4.0], "float32"), 0.0)
    expected = to_numpy(ours.quantile(0.7, p)) * [2, 0.5, 3, 1, 4]
    close(ours.quantile(0.7, scaled), expected, 2e-5, 1e-6)


@pytest.mark.parametrize(
    ("family", "name"),
    [(each, "log_prob") for each in FAMILIES]
    + [(named(name), "log_cdf") for name in ("Logistic", "LogNormal", "StudentT", "Poisson")]
    + [(named(name), "crps") for name in ("LogNormal", "Gamma")],
    ids=str,
)
def test_compiled(family: Family, name: str) -> None:
    """Densities of all, and what takes long to compile once a special function."""
    p = family.draw(0)
    y_, p_ = tensor(family.labels(p), "float32"), tensor(p, "float32")
    method = getattr(family.make(), name)
    close(compile_(method)(y_, p_), to_numpy(method(y_, p_)), 1e-4, 1e-5)
