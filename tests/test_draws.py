"""Means over draws: they converge to integrals, one by one or at once, the same draws or fresh."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import logsumexp

import keras_masked as km
from keras_masked.formulas.draws import unit_nodes
from tests import likelihood_oracles
from tests.backend import compile_, tensor, to_numpy, value_and_grad
from tests.case_data import binary_and_variance, one_hot_and_variance

L = km.losses
CLASSES = {"Categorical": True, "Binary": False}
KINDS = pytest.mark.parametrize("kind", CLASSES)
FORMS = pytest.mark.parametrize("form", ["Robust", "Bayesian"])
N = 12


def data(kind: str) -> tuple[np.ndarray, np.ndarray]:
    draw = one_hot_and_variance if CLASSES[kind] else binary_and_variance
    y, p = draw(np.random.default_rng(1), (N,) if CLASSES[kind] else (N, 1))
    return (y[:, :3], p[:, :3]) if CLASSES[kind] else (y, p)  # 3 classes: an integral in 3


def integral(form: str, kind: str, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """By Gauss-Hermite quadrature in as many dimensions as there are logits, in float64.

    With 80 nodes instead of 48 it changes by 2e-4 at most: the elu has a kink in its slope.
    """
    x, w = np.polynomial.hermite_e.hermegauss(48)
    dimensions = p.shape[-2]
    eps = np.stack(np.meshgrid(*[x] * dimensions, indexing="ij"), -1).reshape(-1, dimensions)
    weight = np.prod(np.meshgrid(*[w / w.sum()] * dimensions, indexing="ij"), axis=0).ravel()
    values = []
    for label, (mean, log_var) in zip(y, np.moveaxis(p, -1, 1), strict=True):
        logits = mean + np.exp(log_var / 2) * eps
        each = likelihood_oracles.crossentropy(label, logits, CLASSES[kind]).reshape(len(eps))
        at_mean = likelihood_oracles.crossentropy(label, mean, CLASSES[kind]).reshape(())
        if form == "Bayesian":
            values.append(-logsumexp(-each, b=weight))
            continue
        d = at_mean - each
        elu = weight @ np.where(d > 0, d, np.expm1(np.minimum(d, 0)))
        values.append(at_mean - at_mean * elu + np.mean(np.exp(log_var) - 1))
    return np.array(values)


def slope(form: str, kind: str, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Of the sum of the integrals, by differences."""
    found = np.zeros_like(p)
    for i in np.ndindex(p.shape[1:]):
        step = np.zeros_like(p)
        step[(slice(None), *i)] = 1e-4
        sides = [integral(form, kind, y, p + side * step) for side in (1, -1)]
        found[(slice(None), *i)] = (sides[0] - sides[1]) / 2e-4
    return found


@pytest.mark.slow
@FORMS
@KINDS
def test_convergence(form: str, kind: str) -> None:
    """To the integral, and the gradient to its gradient, as draws grow."""
    y, p = data(kind)
    exact, exact_slope = integral(form, kind, y, p), slope(form, kind, y, p)
    errors, slope_errors = [], []
    for draws in (25, 6400):
        loss = getattr(L, f"{form}{kind}Crossentropy")(draws, reduction="sum")
        labels = tensor(y, "float32")
        values = getattr(L, f"{form}{kind}Crossentropy")(draws, reduction=None)(labels, p)
        errors.append(np.abs(to_numpy(values).reshape(exact.shape) - exact).mean())
        _, found = value_and_grad(lambda p, loss=loss, y=labels: loss(y, p))(tensor(p, "float32"))
        slope_errors.append(np.abs(to_numpy(found) - exact_slope).mean())
    times = 6 if CLASSES[kind] else 20  # in one dimension, it is the midpoint rule
    for found_errors in (errors, slope_errors):
        assert found_errors[0] < 0.05
        assert found_errors[1] < found_errors[0] / times


@KINDS
def test_limit_of_no_variance(kind: str) -> None:
    y, p = data(kind)
    p[..., 1] = -60
    at_mean = likelihood_oracles.crossentropy(y, p[..., 0], CLASSES[kind]).reshape(N)
    robust = getattr(L, f"Robust{kind}Crossentropy")(reduction=None)
    np.testing.assert_allclose(to_numpy(robust(y, p)), at_mean - 1, rtol=1e-5, atol=1e-5)
    bayesian = getattr(L, f"Bayesian{kind}Crossentropy")(reduction=None)
    np.testing.assert_allclose(to_numpy(bayesian(y, p)), at_mean, rtol=1e-4, atol=1e-5)


@FORMS
@KINDS
@pytest.mark.slow
@pytest.mark.parametrize(("shifted", "compiled"), [(False, False), (True, True)])
def test_one_by_one_is_as_at_once(form: str, kind: str, shifted: bool, compiled: bool) -> None:
    y, p = data(kind)
    shift = tensor(np.random.default_rng(2).random(p.shape[:-1]), "float32") if shifted else None
    both = tensor(np.concatenate([y.ravel(), p.ravel()]), "float32")  # one gradient by one graph
    found = []
    for loop in (False, True):
        loss = getattr(L, f"{form}{kind}Crossentropy")(3, loop)

        def of_both(both: Any, loss: Any = loss) -> Any:
            labels, predictions = both[: y.size], both[y.size :]
            given = keras.ops.reshape(labels, y.shape), keras.ops.reshape(predictions, p.shape)
            return loss.reduce(*loss.evaluate(*given, shift=shift))

        found.append([to_numpy(x) for x in value_and_grad(of_both, compiled)(both)])
    for at_once, one_by_one in zip(*found, strict=True):
        np.testing.assert_allclose(one_by_one, at_once, rtol=2e-4, atol=2e-6)


@FORMS
@KINDS
def test_fresh_draws_are_unbiased(form: str, kind: str) -> None:
    """Whatever the number of draws: of what the mean is taken of, here the likelihood."""
    y, p = data(kind)
    y, p = y[:1], p[:1]
    repeats = 20_000
    many = [np.repeat(x, repeats, axis=0) for x in (y, p)]
    shift = np.random.default_rng(3).random(many[1].shape[:-1])
    loss = getattr(L, f"{form}{kind}Crossentropy")(2)
    values = to_numpy(loss.evaluate(*many, shift=tensor(shift, "float32"))[0]).ravel()
    exact = integral(form, kind, y, p)
    if form == "Bayesian":
        values, exact = np.exp(-values), np.exp(-exact)
    assert values.std() > 0.001
    assert abs(values.mean() - exact[0]) < 4 * values.std() / np.sqrt(repeats)


@pytest.mark.parametrize("dimensions", [1, 3, 40])
@pytest.mark.parametrize("compiled", [False, True])
def test_nodes(dimensions: int, compiled: bool) -> None:
    """One in each T-th along each coordinate, and no two coordinates alike."""
    draws = 25

    def nodes(x: Any) -> Any:
        return x * unit_nodes(draws, dimensions)

    found = to_numpy((compile_(nodes) if compiled else nodes)(tensor(1.0)))
    middles = (np.arange(draws) + 0.5) / draws
    np.testing.assert_allclose(np.sort(found, axis=0), middles[:, None] + 0 * found, rtol=1e-6)
    if dimensions > 1:
        correlations = np.corrcoef(found.T) - np.eye(dimensions)
        assert np.abs(correlations).max() < 0.99


@pytest.mark.parametrize("draws", [0, -1, 2.5, None, True])
def test_bad_draws(draws: Any) -> None:
    with pytest.raises(ValueError, match=f"draws={draws}"):
        L.BayesianBinaryCrossentropy(draws)
    with pytest.raises(ValueError, match=f"draws={draws}"):
        L.robust_binary_crossentropy([[1.0]], [[1.0]], [[1.0]], draws=draws)


@FORMS
@KINDS
def test_bad_shapes(form: str, kind: str) -> None:
    loss = getattr(L, f"{form}{kind}Crossentropy")()
    for shape in ((4, 3), (4, 3, 3), (4,)):
        with pytest.raises(ValueError, match="log-variances of the logits"):
            loss(np.ones((4, 3)), np.ones(shape))
    with pytest.raises(ValueError, match=r"\(4, 2\).*\(4, 3, 2\)"):
        loss(np.ones((4, 2)), np.ones((4, 3, 2)))


@FORMS
def test_training(form: str) -> None:
    """`fit` with draws at once and one by one takes the same steps."""
    weights = []
    rng = np.random.default_rng(0)
    x, ids = rng.normal(size=(32, 4)), rng.integers(0, 3, 32)
    y = np.eye(3)[ids]
    y[:5] = np.nan
    for loop in (False, True):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(6), keras.layers.Reshape((3, 2))]
        )
        loss = getattr(L, f"{form}CategoricalCrossentropy")(5, loop)
        metric = km.metrics.OfMean(km.metrics.CategoricalAccuracy())
        model.compile(keras.optimizers.SGD(0.1), loss=loss, metrics=[metric])
        history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, shuffle=False).history
        assert np.isfinite(history["loss"]).all()
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
