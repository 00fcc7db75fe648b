"""Evidence lower bounds against integrals over the latents, in float64, of data with holes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import norm

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests.backend import set_mask, tensor, to_numpy, value_and_grad
from tests.variational_oracles import (
    NAMES,
    NOISE,
    C,
    L,
    Problem,
    bound,
    evidence,
    mean_over_draws,
    share_of,
    shares_of,
    single,
)

EACH = pytest.mark.parametrize("name", NAMES)


# Values


@EACH
def test_bound_by_quadrature(name: str) -> None:
    problem = Problem(name)
    for i in (0, 2, 3):
        ours = -mean_over_draws(problem, i)
        np.testing.assert_allclose(ours, bound(problem, i, shares_of(problem)[i]), rtol=1e-5)
        assert ours < evidence(problem, i)


@EACH
def test_bound_by_monte_carlo(name: str) -> None:
    """Another way to integrate, which knows nothing of Gaussians' moments."""
    problem, i, draws = Problem(name), 0, 200_000
    rng = np.random.default_rng(0)
    z = problem.m[i] + np.exp(problem.s[i] / 2) * rng.normal(size=(draws, *problem.latent))
    o = problem.o[i]
    log_q = norm.logpdf(z, problem.m[i], np.exp(problem.s[i] / 2)).reshape(draws, -1).sum(-1)
    log_x = norm.logpdf(problem.x[i, o], problem.decode(z)[:, o], np.exp(NOISE / 2)).sum(-1)
    shares = shares_of(problem)[i]
    each = [problem.assignments(), [share_of(shares, w) for w in problem.assignments()]]
    drawn = rng.choice(len(each[0]), size=draws, p=np.array(each[1]) / sum(each[1]))
    joint = np.stack([problem.log_prior(z, which) for which in each[0]])[drawn, np.arange(draws)]
    values = log_x - log_q + joint - np.log(np.array(each[1])[drawn])
    error = values.std() / np.sqrt(draws)
    assert abs(values.mean() + mean_over_draws(problem, i)) < 5 * error


@pytest.mark.parametrize("name", NAMES[1:])
def test_responsibilities_are_the_best(name: str) -> None:
    problem = Problem(name)
    rng = np.random.default_rng(1)
    for i in (0, 2):
        best = shares_of(problem)[i]
        np.testing.assert_allclose(best.sum(-1), 1, rtol=1e-6)
        for size in (0.01, 0.3):
            other = best * np.exp(size * rng.normal(size=best.shape))
            other /= other.sum(-1, keepdims=True)
            assert bound(problem, i, other) < bound(problem, i, best)


def test_bound_is_the_evidence_at_the_posterior() -> None:
    """Of the observed entries alone: the decoder is linear, and so the posterior Gaussian."""
    problem = Problem("vae")
    problem.weights[0, 1:] = problem.weights[1, 0] = 0  # which makes it diagonal, too,
    problem.weights[1, 2] = 0.0
    for i in (0, 2, 3):
        w = problem.weights[:, problem.o[i]]
        precision = np.exp(-problem.nu) + (w**2).sum(-1) * np.exp(-NOISE)
        residual = problem.x[i] - problem.offset
        pull = problem.mu * np.exp(-problem.nu) + w @ residual[problem.o[i]] * np.exp(-NOISE)
        problem.m[i], problem.s[i] = pull / precision, -np.log(precision)
        np.testing.assert_allclose(-mean_over_draws(problem, i), evidence(problem, i), rtol=1e-5)


def test_one_cluster_or_piece_is_the_simpler_loss() -> None:
    problem = Problem("vae_gmm")
    inputs = single(problem)
    mu, nu = problem.mu[:1], problem.nu[:1]
    simple = L.vae(*inputs, prior_mean=mu[0], prior_log_var=nu[0])
    one, shares = L.vae_gmm(*inputs, mu, nu, np.array([3.0]))  # weights need no norm
    np.testing.assert_allclose(to_numpy(one), to_numpy(simple), rtol=1e-5)
    np.testing.assert_array_equal(to_numpy(shares), 1)
    mixture = to_numpy(L.vae_gmm(*inputs, problem.mu, problem.nu, problem.pi)[0])
    x, r, m, s = inputs
    prior = problem.mu[None], problem.nu[None], problem.pi[None] + 2
    pieces = L.vae_comp_gmm(x, r, m[:, None], s[:, None], *prior)[0]
    np.testing.assert_allclose(to_numpy(pieces), mixture, rtol=1e-5)


def test_images_and_predicted_variances() -> None:
    rng = np.random.default_rng(2)
    x, r, log_var = (rng.normal(size=(2, 3, 4, 1)).astype("float32") for _ in range(3))
    o = rng.random(x.shape) < 0.5
    zeros = np.zeros((2, 5), "float32")
    log_var[~o] = np.nan
    losses = to_numpy(L.vae(np.where(o, x, np.nan), r, zeros, zeros, x_log_var=log_var))
    for i in range(2):
        k = o[i]
        expected = -norm.logpdf(x[i][k], r[i][k], np.exp(log_var[i][k] / 2)).sum()
        np.testing.assert_allclose(losses[i], expected, rtol=1e-5)


# Laws


@EACH
@pytest.mark.parametrize("garbage", [np.nan, np.inf, 1e30])
def test_blindness(name: str, garbage: float) -> None:
    problem = Problem(name)
    clean = single(problem)
    dirty = [a.copy() for a in single(problem)]
    dirty[0], dirty[1][~problem.o] = problem.marked(-9.0).astype("float32"), garbage
    dirty[2][1] = dirty[3][1] = garbage  # the latents of a sample without any entry
    for index in (1, 2, 3):
        found = [gradient(problem, index, each, missing=(-9.0, "nan")) for each in (clean, dirty)]
        np.testing.assert_array_equal(found[0][0], found[1][0])
        np.testing.assert_array_equal(found[0][1], found[1][1])
        np.testing.assert_array_equal(found[1][1][1], 0)
        if index == 1:
            np.testing.assert_array_equal(found[1][1] != 0, problem.o)
    if name != "vae":
        shares = [
            to_numpy(problem.ours(*each, missing=(-9.0, "nan"))[1]) for each in (clean, dirty)
        ]
        np.testing.assert_array_equal(*shares)
        np.testing.assert_allclose(shares[0][1], np.exp(problem.pi), rtol=1e-5)


def gradient(problem: Problem, index: int, inputs: Any, compiled: bool = False, **options: Any):
    """The sum of losses and its gradient by one of the inputs."""

    def total(by: Any, *rest: Any) -> Any:
        tensors = [*rest[:index], by, *rest[index:]]
        return keras.ops.sum(problem.losses(*tensors, **options))

    tensors = [tensor(a) for a in inputs]
    by = tensors.pop(index)
    value, slope = value_and_grad(total, compiled)(by, *tensors)
    return to_numpy(value), to_numpy(slope)


@EACH
def test_gradient_by_differences(name: str) -> None:
    problem = Problem(name)
    for index, array in ((2, problem.m), (3, problem.s)):
        _, slope = gradient(problem, index, single(problem))
        at, step = (0,) * array.ndim, 1e-3
        change = []
        for sign in (1, -1):
            moved = Problem(name)
            (moved.m if index == 2 else moved.s)[at] += sign * step
            z = problem.decode(problem.m)  # the draw stays where it is
            inputs = moved.marked(), z, moved.m, moved.s
            change.append(float(to_numpy(problem.losses(*inputs))[0]))
        np.testing.assert_allclose(slope[at], (change[0] - change[1]) / (2 * step), rtol=2e-2)


@EACH
def test_emptiness_and_mask(name: str) -> None:
    problem = Problem(name)
    x, *rest = single(problem)
    losses = problem.losses(x, *rest)
    np.testing.assert_array_equal(to_numpy(get_keras_mask(losses)) > 0, [1, 0, 1, 1])
    assert to_numpy(losses)[1] == 0
    value, slope = gradient(problem, 2, [np.full_like(x, np.nan), *rest])
    assert value == 0
    np.testing.assert_array_equal(slope, 0)
    masked = problem.losses(problem.x, set_mask(rest[0], problem.o), *rest[1:])
    np.testing.assert_array_equal(to_numpy(masked), to_numpy(losses))


@EACH
def test_visibility(name: str) -> None:
    problem = Problem(name)
    for index in (1, 2, 3):
        inputs = single(problem)
        inputs[index][0] = np.nan
        np.testing.assert_array_equal(np.isnan(to_numpy(problem.losses(*inputs))), [1, 0, 0, 0])


@EACH
def test_compile(name: str) -> None:
    problem = Problem(name)
    for index in (1, 2):
        eager, compiled = (gradient(problem, index, single(problem), c) for c in (False, True))
        np.testing.assert_allclose(compiled[0], eager[0], rtol=1e-5)
        np.testing.assert_allclose(compiled[1], eager[1], rtol=1e-4, atol=1e-6)


@EACH
def test_half(name: str) -> None:
    problem = Problem(name)
    inputs = [tensor(a, "float16") for a in single(problem)]
    losses = problem.losses(*inputs)
    assert "float16" in str(losses.dtype)
    np.testing.assert_allclose(
        to_numpy(losses), to_numpy(problem.losses(*single(problem))), rtol=5e-3
    )


def test_bad_shapes() -> None:
    x, z = np.zeros((4, 3)), np.zeros((4, 2))
    with pytest.raises(ValueError, match="z_log_var.shape"):
        L.vae(x, x, z, z[:, :1])
    with pytest.raises(ValueError, match="for 4 samples"):
        L.vae(x, x, z[:3], z[:3])
    with pytest.raises(ValueError, match="means.shape"):
        L.vae_gmm(x, x, z, z, np.zeros((5, 3)), np.zeros((5, 3)), np.zeros(5))
    with pytest.raises(ValueError, match="pieces"):
        L.vae_comp_gmm(x, x, z, z, np.zeros((5, 2)), np.zeros((5, 2)), np.zeros(5))


def test_responsibilities_of_the_layer() -> None:
    problem = Problem("vae_gmm")
    layer = km.layers.VariationalEndpoint(C)
    layer(single(problem))
    for name, value in (
        ("means", problem.mu),
        ("log_vars", problem.nu),
        ("log_weights", problem.pi),
    ):
        getattr(layer, name).assign(value)
    o = problem.o.any(-1)
    _, _, m, s = single(problem)
    shares = to_numpy(layer.responsibilities(m, s))
    np.testing.assert_allclose(shares[o], shares_of(problem)[o], rtol=1e-5)
    layer(single(problem))
    expected = to_numpy(problem.losses(*single(problem), x_log_var=0.0))[o].mean()
    np.testing.assert_allclose(to_numpy(layer.losses[0]), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="no clusters"):
        km.layers.VariationalEndpoint().responsibilities(m, s)
    with pytest.raises(ValueError, match="clusters=0"):
        km.layers.VariationalEndpoint(0)
