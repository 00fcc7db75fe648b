"""Families in losses, metrics, heads and files."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import norm

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad

D, L, M = km.distributions, km.losses, km.metrics
NAN = np.nan
ALL = [
    D.Beta(), D.DiscreteHazard([0, 1, 2, 100, 200]), D.Exponential(), D.Gamma(), D.Gaussian(),
    D.Histogram(np.linspace(-1, 200, 41)), D.Laplace(), D.LogLogistic(),
    D.LogNormal(), D.Logistic(),
    D.Mixture("gaussian", 3), D.Mixture(D.StudentT(3), 2), D.NegativeBinomial(),
    D.NormalInverseGamma(), D.Poisson(), D.StudentT(), D.StudentT(5), D.Weibull(),
    D.ZeroInflated("poisson"), D.ZeroInflated(D.Gamma()), D.MultivariateGaussian(5),
    D.MultivariateGaussian(5, 1),
]  # fmt: skip
EACH = pytest.mark.parametrize(
    "family", ALL, ids=lambda f: f"{type(f).__name__}{len(f.parameters)}"
)


@EACH
def test_configurations(family: Any) -> None:
    again = D.deserialize(D.serialize(family))
    assert type(again) is type(family)
    assert again.parameters == family.parameters
    assert D.serialize(again) == D.serialize(family)
    loss = L.NegativeLogLikelihood(family, beta=0.0)
    assert L.NegativeLogLikelihood.from_config(loss.get_config()).get_config() == loss.get_config()
    with pytest.raises((TypeError, ValueError), match="nonsense"):
        type(family).from_config({**family.get_config(), "nonsense": 1})


def labels_for(family: Any, rng: Any) -> np.ndarray:
    y = rng.gamma(4.0, 25.0, (12, 5))
    if isinstance(family, D.Beta):
        y = y / (y.max() + 1)
    if family.discrete:
        y = np.floor(y)
    if isinstance(family, D.ZeroInflated):
        y[:2] = 0
    y = np.minimum(y, 199.0)
    y[rng.random(y.shape) < 0.3] = NAN
    y[0] = 0.5 if isinstance(family, D.Beta) else 100
    return y


@EACH
def test_head_starts_at_the_spread(family: Any, tmp_path: Any) -> None:
    """By `adapt`, whatever the weights were; and in units of `LabelDenormalization`."""
    rng = np.random.default_rng(0)
    y, x = labels_for(family, rng), rng.normal(size=(5, 4))
    head = km.layers.DistributionHead(5, family)
    head.adapt(y)
    p = head(x)
    mean, deviation = to_numpy(family.mean(p)), np.sqrt(to_numpy(family.variance(p)))
    np.testing.assert_allclose(mean[0], np.nanmean(y, axis=0), rtol=0.2)
    np.testing.assert_allclose(mean, mean[:1] + 0 * mean, rtol=1e-6)
    if not isinstance(family, (D.Exponential, D.Poisson, D.DiscreteHazard)):
        np.testing.assert_allclose(deviation[0], np.nanstd(y, axis=0), rtol=0.5)
    loss = L.NegativeLogLikelihood(family)
    assert np.isfinite(to_numpy(loss(y[:5], p)))
    normalization = km.layers.LabelNormalization()
    normalization.adapt(y)
    layer = km.layers.LabelDenormalization(normalization, family)
    zeros = np.zeros(tuple(p.shape))
    ratio = to_numpy(family.mean(layer(zeros)))[0] / np.nanmean(y, axis=0)
    assert (ratio > 0.3).all()
    assert (ratio < 3).all()
    model = keras.Sequential([keras.Input((4,)), head])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(to_numpy(loss(y[:5], again(x))), to_numpy(loss(y[:5], p)), rtol=1e-5)


@EACH
def test_hidden_labels(family: Any) -> None:
    """Gradients of exactly 0, and no NaN, whatever is predicted there."""
    rng = np.random.default_rng(1)
    y = labels_for(family, rng)[:5]
    if family.label_axes:
        return
    p = rng.normal(size=(5, 5, len(family.parameters)))
    hidden = np.isnan(y)
    loss = L.NegativeLogLikelihood(family)
    both = value_and_grad(lambda q: loss(tensor(y, "float32"), q))
    value, slope = both(tensor(p, "float32"))
    other, again = both(tensor(np.where(hidden[..., None], NAN, p), "float32"))
    np.testing.assert_allclose(to_numpy(other), to_numpy(value), rtol=1e-6)
    assert (to_numpy(again)[hidden] == 0).all()
    np.testing.assert_allclose(to_numpy(again), to_numpy(slope), rtol=1e-5, atol=1e-7)
    assert np.isfinite(to_numpy(slope)).all()
    p[tuple(np.argwhere(~hidden)[0])] = NAN
    assert np.isnan(to_numpy(both(tensor(p, "float32"))[0]))


def test_components_of_a_head_are_apart() -> None:
    head = km.layers.DistributionHead(2, D.Mixture("gaussian", 3), kernel_initializer="zeros")
    p = to_numpy(head(np.ones((1, 4))))[0]
    np.testing.assert_allclose(p[:, 1::3], [[-1, 0, 1]] * 2)
    copy = km.layers.DistributionHead.from_config(head.get_config())
    assert copy.get_config() == head.get_config()
    zeros = km.layers.DistributionHead(2, bias_initializer="ones", kernel_initializer="zeros")
    assert (to_numpy(zeros(np.ones((1, 4)))) == 1).all()


def test_integer_labels() -> None:
    """Of counts, as they come."""
    p = np.log(np.full((2, 2, 1), 3.0))
    loss = L.NegativeLogLikelihood("poisson", missing=-1)
    y = np.array([[2, -1], [0, 5]])
    np.testing.assert_allclose(to_numpy(loss(y, p)), to_numpy(loss(y.astype("float32"), p)))
    with pytest.raises(ValueError, match=r"whole numbers.*\[1.5\]"):
        loss(np.array([[1.5, -1], [0, 5]]), p)
    with pytest.raises(ValueError, match=r"above 0.*\[0.0\]"):
        L.NegativeLogLikelihood("lognormal")(np.array([[0.0]]), np.zeros((1, 1, 2)))


def test_beta_of_the_likelihood() -> None:
    """Gradients times the variance to this power: with 1 those of means are of squares."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(5, 5)), rng.normal(size=(5, 5, 2))
    y[0, 0] = NAN
    slopes = {}
    for beta in (0.0, 0.5, 1.0):
        loss = L.NegativeLogLikelihood(beta=beta)
        _, slope = value_and_grad(lambda q, loss=loss: loss(tensor(y, "float32"), q))(
            tensor(p, "float32")
        )
        slopes[beta] = to_numpy(slope)
        expected = slopes[0.0] * np.exp(p[..., 1:] * beta)
        np.testing.assert_allclose(slopes[beta], expected, rtol=1e-4, atol=1e-7)
    squares = np.where(np.isnan(y), 0, p[..., 0] - np.nan_to_num(y)) / 24
    np.testing.assert_allclose(slopes[1.0][..., 0], squares, rtol=1e-4, atol=1e-7)
    metric = M.NegativeLogLikelihood(beta=0.5)
    metric.update_state(y, p)
    found = to_numpy(L.NegativeLogLikelihood(beta=0.5)(y, p))
    np.testing.assert_allclose(to_numpy(metric.result()), found, rtol=1e-5)
    rows = L.negative_log_likelihood(y, p, beta=0.5)
    assert np.isfinite(to_numpy(rows)).all()


def test_of_quantile(tmp_path: Any) -> None:
    y, p = np.array([[1.0, NAN, 3.0]]), np.zeros((1, 3, 2))
    p[..., 1] = np.log(4.0)
    metric = M.OfQuantile(M.MeanError(), 0.9)
    metric.update_state(y, p)
    expected = np.mean(2 * norm.ppf(0.9) - np.array([1.0, 3.0]))
    np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-5)
    again = M.OfQuantile.from_config(metric.get_config())
    assert again.q == 0.9
    again.merge_state([metric])
    np.testing.assert_allclose(to_numpy(again.result()), expected, rtol=1e-5)
    for q in (0, 1, -0.5, "a", None):
        with pytest.raises(ValueError, match="`q`"):
            M.OfQuantile(M.MeanError(), q)


def test_names() -> None:
    for name in ("laplace", "Logistic", "student_t", "log_normal", "weibull", "poisson"):
        assert isinstance(D.get(name), D.Distribution)
    with pytest.raises(ValueError, match="distribution='cauchy'"):
        D.get("cauchy")
