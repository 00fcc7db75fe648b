"""What a family of distributions derives, what it lacks, and what its labels can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras import ops
from scipy.integrate import quad
from scipy.stats import laplace, norm

import keras_masked as km
from keras_masked.distributions.support import POSITIVE
from tests.backend import compile_, tensor, to_numpy, value_and_grad

D = km.distributions
Y = np.array([[-2.0, 0.25, 1.5]])
P = np.stack([np.array([[0.0, 0.5, 1.0]]), np.array([[0.0, -1.0, 0.5]])], axis=-1)


class Derived(D.Distribution):
    """A Laplace distribution, as somebody may write it: by `log_prob`, and numbers as levels."""

    parameters = ("location", "log_scale")

    def log_prob(self, y: Any, parameters: Any) -> Any:
        size = ops.abs(y - parameters[..., 0])
        return -size * ops.exp(-parameters[..., 1]) - parameters[..., 1] - np.log(2.0)

    def cdf(self, y: Any, parameters: Any) -> Any:
        z = (y - parameters[..., 0]) * ops.exp(-parameters[..., 1])
        tail = 0.5 * ops.exp(-ops.abs(z))
        return ops.where(z < 0, tail, 1 - tail)

    def quantile(self, probability: Any, parameters: Any) -> Any:
        return parameters[..., 0] + ops.exp(parameters[..., 1]) * laplace.ppf(probability)


def test_what_is_derived() -> None:
    y, p, scale = tensor(Y, "float32"), tensor(P, "float32"), np.exp(P[..., 1])
    family, known = Derived(), laplace(P[..., 0], scale)
    np.testing.assert_allclose(to_numpy(family.nll(y, p)), -known.logpdf(Y), rtol=1e-5)
    np.testing.assert_allclose(to_numpy(family.log_cdf(y, p)), known.logcdf(Y), rtol=1e-5)
    np.testing.assert_allclose(to_numpy(family.log_survival(y, p)), known.logsf(Y), rtol=1e-5)
    z = np.abs(Y - P[..., 0]) / scale
    expected = scale * (z + np.exp(-z) - 0.75)
    np.testing.assert_allclose(to_numpy(family.crps(y, p)), expected, rtol=3e-3)
    far = to_numpy(family.log_survival(tensor(Y + 1e6, "float32"), p))
    assert np.isneginf(far).all()


@pytest.mark.parametrize(
    "method", ["nll", "log_prob", "cdf", "log_cdf", "log_survival", "quantile", "mean", "variance",
               "crps", "widen", "rescale"],
)  # fmt: skip
def test_a_method_that_a_family_lacks(method: str) -> None:
    class Bare(D.Distribution):
        parameters = ("a",)

    arguments = {"quantile": (0.5, P), "mean": (P,), "variance": (P,), "rescale": (P, 1.0, 0.0)}
    with pytest.raises(ValueError, match="Bare") as error:
        getattr(Bare(), method)(*arguments.get(method, (Y, P)))
    assert f"`{method}`" in str(error.value) or method in ("widen", "rescale")


def test_labels_outside_the_support() -> None:
    """An error where values are at hand, else NaN; missing labels may be anything."""

    class Positive(D.Gaussian):
        support = POSITIVE

    loss, metric = (
        km.losses.NegativeLogLikelihood(Positive()),
        km.metrics.IntervalCoverage(0.9, Positive()),
    )
    y, p = np.array([[1.0, 0.0, np.nan]]), np.zeros((1, 3, 2))
    for call in (loss, metric.update_state):
        with pytest.raises(ValueError, match=r"not above 0 .*\[0.0\]"):
            call(y, p)
    with pytest.raises(ValueError, match="not above 0"):
        km.losses.negative_log_likelihood(y, p, distribution=Positive())
    assert np.isnan(to_numpy(loss(tensor(y), tensor(p))))
    metric.update_state(tensor(y), tensor(p))
    assert np.isnan(to_numpy(metric.result()))
    named = km.losses.NegativeLogLikelihood(Positive(), missing=("nan", 0))
    assert to_numpy(named(y, p)) == 0.5


@pytest.mark.parametrize("compiled", [False, True])
def test_gaussian_far_out(compiled: bool) -> None:
    """Logarithms of tails to 40 standard deviations, values and slopes."""
    gaussian = D.Gaussian()
    z = np.array([[-40.0, -12.0, -3.0, -0.5, 0.0, 0.5, 3.0, 12.0, 40.0]])
    p = tensor(np.stack([np.zeros_like(z), np.zeros_like(z)], -1), "float32")

    def of(name: str) -> Any:
        return value_and_grad(lambda y: ops.sum(getattr(gaussian, name)(y, p)), compiled)

    tail = np.exp(norm.logpdf(z) - norm.logcdf(z))
    for name, expected, slope in (
        ("log_cdf", norm.logcdf(z), tail),
        ("log_survival", norm.logsf(z), -tail[:, ::-1]),
    ):
        value, gradient = of(name)(tensor(z, "float32"))
        np.testing.assert_allclose(to_numpy(value), expected.sum(), rtol=1e-5)
        np.testing.assert_allclose(to_numpy(gradient), slope, rtol=2e-5, atol=1e-30)
    method = compile_(gaussian.log_cdf) if compiled else gaussian.log_cdf
    values = to_numpy(method(tensor(z, "float32"), p))
    np.testing.assert_allclose(values, norm.logcdf(z), rtol=1e-5, atol=1e-37)


def test_gaussian_crps() -> None:
    """Equal to the integral that defines it."""
    gaussian = D.Gaussian()

    def expected(y: float, mean: float, scale: float) -> float:
        cdf = norm(mean, scale)
        below = quad(lambda x: cdf.cdf(x) ** 2, -np.inf, y)[0]
        return float(below + quad(lambda x: cdf.sf(x) ** 2, y, np.inf)[0])

    scale = np.exp(P[..., 1] / 2)
    each = [expected(*args) for args in zip(Y.flat, P[..., 0].flat, scale.flat, strict=True)]
    found = to_numpy(gaussian.crps(tensor(Y, "float32"), tensor(P, "float32")))
    np.testing.assert_allclose(found.ravel(), each, rtol=1e-5)
