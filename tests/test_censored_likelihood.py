"""The likelihood of labels that are bounds: equal to SciPy's and lifelines', in any tail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_ndtr

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad
from tests.families import FAMILIES, Family

D, L = km.distributions, km.losses
INF = np.inf
FAR = np.array([-40, -20, -5, -1, 0, 0.5, 2, 10, 40.0])


def losses(y: Any, p: Any, distribution: Any = "gaussian", **options: Any) -> Any:
    """Of labels in one column, the loss of each."""
    loss = L.NegativeLogLikelihood(distribution, True, None, censored=True, **options)
    return to_numpy(loss(tensor(y[:, None]), tensor(p[:, None])))


FEW = ("Gaussian", "Weibull", "Gamma", "Poisson")
"""Of a real, a positive and a whole number; the other families are tested with what is slow."""


@pytest.mark.parametrize(
    "family",
    [pytest.param(f, marks=() if str(f) in FEW else pytest.mark.slow) for f in FAMILIES],
    ids=str,
)
def test_equals_scipy(family: Family) -> None:
    """Exact, less, more, and between, of labels from the bulk to 1e-6 of either tail."""
    p = family.draw().reshape(25, -1)
    y = np.sort(np.stack([family.labels(p, seed) for seed in (1, 2)]), axis=0)
    y[1, 0] = y[0, 0] + 3  # else the same, in the first six
    y = y.astype("float32").astype("float64")
    theirs = family.scipy(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        cdf, sf = (np.stack([f(end) for end in y]) for f in (theirs.logcdf, theirs.logsf))
        up = cdf[0] > np.log(0.5)
        most, least = np.where(up, sf[0], cdf[1]), np.where(up, sf[1], cdf[0])
        between = most + np.log1p(-np.exp(least - most))
    points = theirs.logpmf(y[0]) if family.counts else theirs.logpdf(y[0])
    wide = most - least > 1e-3
    every, none = np.ones(25, bool), np.full(25, INF)
    for lower, upper, expected, where in [
        (y[0], y[0], points, every), (y[0], none, sf[0], every), (-none, y[1], cdf[1], every),
        (*y, between, wide),
    ]:  # fmt: skip
        loss = L.NegativeLogLikelihood(family.make(), True, censored=True)
        ends = np.stack([lower, upper], -1).reshape(5, 5, 2).astype("float32")
        found = -to_numpy(loss.evaluate(tensor(ends), tensor(p.reshape(5, 5, -1)))[0]).ravel()
        kept = where & np.isfinite(expected)
        assert kept.sum() > 12
        np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-5, atol=2e-5)


def test_far_tails_and_slopes() -> None:
    """To 40 standard deviations, and for intervals from 10 down to one step of float32."""
    z = FAR.astype("float32")
    p = np.zeros((len(z), 2), "float32")
    step = np.where(z == 0, np.float32(1e-30), np.nextafter(z, np.float32(INF)))
    widths = [10, 0.1, 0.02, 1e-3, 1e-5]
    uppers = [*(z + np.float32(w) for w in widths), step]
    none = np.full(len(z), np.float32(INF))
    for lower, upper in [(z, none), (-none, z), *((z, u) for u in uppers)]:
        y = np.stack([lower, upper], -1)
        a, b = np.float64(np.where(lower > 0, -upper, lower)), np.float64(upper)
        b = np.where(lower > 0, -np.float64(lower), b)
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = log_ndtr(a), log_ndtr(b)
            expected = -(high + np.log(-np.expm1(low - high)))
            # The density is at that tail's end that is nearer to the mean: of the log's slope.
            narrow = stats.norm.logpdf((a + b) / 2) + np.log(b - a)
        expected = np.where(b - a < 1e-4, -narrow, expected)
        np.testing.assert_allclose(losses(y, p), expected, rtol=2e-6, atol=2e-6)

        def total(p: Any, y: Any = y) -> Any:
            loss = L.NegativeLogLikelihood(reduction="sum", censored=True)
            return loss(tensor(y[:, None]), p)

        slopes = to_numpy(value_and_grad(total)(tensor(p[:, None]))[1])[:, 0]
        assert np.all(np.isfinite(slopes))
        # -d log P / d mean is the expected (mean - y) / variance, which is between the ends.
        assert np.all(-slopes[:, 0] >= np.float64(lower) - 1e-4 * np.abs(z) - 1e-4)
        assert np.all(-slopes[:, 0] <= np.float64(upper) + 1e-4 * np.abs(z) + 1e-4)


def test_one_bound_changes_no_slope_of_another_label() -> None:
    """An overflow of what is computed and not used: of the survival of a label far below."""
    y, p = np.ones((5, 5, 2), "float32"), np.zeros((5, 5, 2), "float32")
    y[0, 0], p[0, 0] = [-INF, 9.0], [0.0, 4.0]
    loss = L.NegativeLogLikelihood(D.Weibull(), censored=True)
    value, slopes = value_and_grad(lambda p: loss(tensor(y), p))(tensor(p))
    assert np.isfinite(float(value)) and np.all(np.isfinite(to_numpy(slopes)))


def test_errors_widen() -> None:
    y = np.array([[[1.0, INF, 3.0], [2.0, 2.0, np.nan], [0.0, 1.0, INF]]])
    p = np.array([[[0.0, np.log(16.0)], [2.0, 0.0], [0.0, 0.0]]])
    value = L.NegativeLogLikelihood(full=True, censored=True)(y, p)
    expected = -(stats.norm.logsf(1, 0, 5) + stats.norm.logpdf(0)) / 2
    assert float(value) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match=r"\(\.\.\., labels, 3\) with errors.*\(1, 3, 4\)"):
        L.NegativeLogLikelihood(censored=True)(np.ones((1, 3, 4)), p)
    with pytest.raises(ValueError, match="cannot take known errors"):
        L.NegativeLogLikelihood("weibull", censored=True)(np.abs(y) + 1, p)


def test_bounds_outside_the_support_say_nothing() -> None:
    p = np.zeros((1, 4, 2))
    y = np.array([[[-1.0, INF], [0.0, 2.0], [-INF, 2.0], [-3.0, 2.0]]])
    loss = L.NegativeLogLikelihood("log_normal", True, None, censored=True)
    expected = -stats.lognorm.logcdf(2, 1) * 3 / 4
    np.testing.assert_allclose(to_numpy(loss(y, p)), expected, rtol=1e-6)
    for ends in ([-1.0, -1.0], [-2.0, 0.0], [-INF, 0.0]):
        wrong = np.array([[ends, [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]])
        with pytest.raises(ValueError, match=r"not above 0"):
            loss(wrong, p)
        assert np.isnan(to_numpy(loss(tensor(wrong), p))).all()
    counts = np.array([[[-1.0, 0.0], [0.0, 3.0], [2.5, INF]]])
    value = L.NegativeLogLikelihood("poisson", True, censored=True)(counts, np.zeros((1, 3, 1)))
    theirs = stats.poisson(1)
    masses = [theirs.pmf(0), theirs.cdf(3) - theirs.cdf(0), theirs.sf(2)]
    assert float(value) == pytest.approx(-np.mean(np.log(masses)), rel=1e-6)


def test_a_joint_distribution_takes_no_bounds() -> None:
    joint = D.MultivariateGaussian(3)
    for make in (L.NegativeLogLikelihood, km.metrics.NegativeLogLikelihood):
        with pytest.raises(ValueError, match="`censored`"):
            make(joint, censored=True)
    with pytest.raises(ValueError, match="`censored`"):
        L.negative_log_likelihood(np.ones((2, 3)), np.ones((2, 9)), distribution=joint,
                                  censored=True)  # fmt: skip


FITTERS = {
    "WeibullFitter": (D.Weibull, lambda f: (np.log(f.lambda_), np.log(f.rho_))),
    "LogNormalFitter": (D.LogNormal, lambda f: (f.mu_, np.log(f.sigma_))),
    "LogLogisticFitter": (D.LogLogistic, lambda f: (np.log(f.alpha_), -np.log(f.beta_))),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FITTERS)
def test_equals_lifelines(name: str) -> None:
    """Log-likelihoods of its fits, of right-, left- and interval-censored times."""
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(0)
    times = np.exp(rng.normal(1.0, 0.6, 40)).astype("float32").astype("float64")
    limits = np.exp(rng.normal(1.2, 0.5, 40)).astype("float32").astype("float64")
    event = times < limits
    right = np.minimum(times, limits)
    left = np.maximum(times, limits)
    steps = np.stack([np.floor(times * 2) / 2, np.floor(times * 2) / 2 + 0.5])
    steps[0, :3], steps[1, :3] = times[:3], times[:3]  # some of which are known
    steps[1, 3:6] = INF
    family, parameters = FITTERS[name]
    labels = {
        "fit": km.censored_labels(right, event=event),
        "fit_left_censoring": km.censored_labels(left, qualifier=np.where(~event, "=", "<")),
        "fit_interval_censoring": km.censored_labels(*steps),
    }
    given = {
        "fit": (right, event),
        "fit_left_censoring": (left, ~event),
        "fit_interval_censoring": tuple(steps),
    }
    for method, y in labels.items():
        fit = getattr(getattr(lifelines, name)(), method)(*given[method])
        p = np.broadcast_to(np.array(parameters(fit)), (40, 2)).astype("float64")
        value = losses(y.astype("float64"), p, family(), dtype="float64").sum()
        np.testing.assert_allclose(-value, fit.log_likelihood_, rtol=1e-6)


def test_slopes_thousands_of_deviations_away() -> None:
    """As of labels in other units than the first predictions: slopes are those of squares."""
    bounds = np.array([1e3, 1e4, 1e5, 1e6], "float32")
    y = tensor(np.stack([bounds, np.full(4, np.inf)], axis=-1)[:, None], "float32")
    loss = km.losses.NegativeLogLikelihood(censored=True, reduction="sum")
    _, slope = value_and_grad(lambda p: loss(y, p))(tensor(np.zeros((4, 1, 2)), "float32"))
    expected = np.stack([-bounds, -0.5 * bounds**2], axis=-1)[:, None]
    np.testing.assert_allclose(to_numpy(slope), expected, rtol=1e-4)
