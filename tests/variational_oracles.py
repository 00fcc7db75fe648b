"""Integrals over the latents of evidence lower bounds, in float64, of data with holes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

import keras_masked as km
from tests.backend import tensor, to_numpy

L = km.losses
N, D, K, C, I = 4, 3, 2, 3, 2  # samples, entries, latents, clusters, pieces  # noqa: E741
NAMES = ["vae", "vae_gmm", "vae_comp_gmm"]
NOISE = -0.7  # log-variance of the observations
OPTIONS = {"x_log_var": NOISE}


class Problem:
    """A decoder that is linear, so that the evidence is known, too."""

    def __init__(self, name: str) -> None:
        rng = np.random.default_rng(3)
        self.name = name
        self.latent = {"vae": (K,), "vae_gmm": (K,), "vae_comp_gmm": (I, 1)}[name]
        self.x = 2 * rng.normal(size=(N, D))
        self.o = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], bool)
        self.m = rng.normal(size=(N, *self.latent))
        self.s = rng.normal(size=(N, *self.latent)) - 1
        self.weights, self.offset = rng.normal(size=(K, D)), rng.normal(size=D)
        clusters = {"vae": (), "vae_gmm": (C,), "vae_comp_gmm": (I, C)}[name]
        last = self.latent[-1:]
        self.mu = 1.5 * rng.normal(size=(*clusters, *last))
        self.nu = 0.5 * rng.normal(size=(*clusters, *last))
        self.pi = rng.normal(size=clusters)
        if name != "vae":
            self.pi -= logsumexp(self.pi, axis=-1, keepdims=True)
        # Not converted later, which PyTorch's compiler does not do.
        self.tensors = {key: tensor(value, "float32") for key, value in self.prior.items()}

    def marked(self, marker: float = np.nan) -> np.ndarray:
        return np.where(self.o, self.x, marker)

    def decode(self, z: np.ndarray) -> np.ndarray:
        return z.reshape(len(z), -1) @ self.weights + self.offset

    @property
    def prior(self) -> dict[str, np.ndarray]:
        if self.name == "vae":
            return {"prior_mean": self.mu, "prior_log_var": self.nu}
        return {"means": self.mu, "log_vars": self.nu, "log_weights": self.pi}

    def ours(self, x: Any, r: Any, m: Any, s: Any, **options: Any) -> Any:
        return getattr(L, self.name)(x, r, m, s, **self.tensors, **{**OPTIONS, **options})

    def losses(self, *args: Any, **options: Any) -> Any:
        found = self.ours(*args, **options)
        return found if self.name == "vae" else found[0]

    def assignments(self) -> list[tuple[int, ...]]:
        """The clusters that a sample can be of: one, or one for each piece, or none."""
        if self.name == "vae":
            return [()]
        pieces = self.pi.shape[:-1]
        return list(itertools.product(range(C), repeat=pieces[0] if pieces else 1))

    def log_prior(self, z: np.ndarray, which: tuple[int, ...]) -> np.ndarray:
        """log p(z, c) for latents `(draws, ...)`."""
        if self.name == "vae":
            mean, var, log_weight = self.mu, np.exp(self.nu), 0.0
        elif self.name == "vae_gmm":
            [c] = which
            mean, var, log_weight = self.mu[c], np.exp(self.nu[c]), self.pi[c]
        else:
            mean, var = (np.array([a[j, c] for j, c in enumerate(which)])
                         for a in (self.mu, np.exp(self.nu)))  # fmt: skip
            log_weight = sum(self.pi[j, c] for j, c in enumerate(which))
        latents = norm.logpdf(z, mean, np.sqrt(var))
        return latents.reshape(len(z), -1).sum(-1) + log_weight


def nodes(problem: Problem, i: int, points: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Gauss and Hermite's nodes and weights for means over q of sample i; exact for polynomials."""
    x, w = np.polynomial.hermite_e.hermegauss(points)
    grid = np.array(list(itertools.product(x, repeat=K)))
    weights = np.prod(list(itertools.product(w / w.sum(), repeat=K)), axis=-1)
    scale = np.exp(problem.s[i] / 2)
    return problem.m[i] + scale * grid.reshape(-1, *problem.latent), weights


def share_of(shares: np.ndarray | None, which: tuple[int, ...]) -> float:
    if shares is None:
        return 1.0
    if shares.ndim == 1:
        return float(shares[which[0]])
    return float(np.prod([shares[j, c] for j, c in enumerate(which)]))


def bound(problem: Problem, i: int, shares: np.ndarray | None) -> float:
    """The integral over q(z) q(c) of log p(x, z, c) - log q(z) q(c), the observed of x."""
    z, weights = nodes(problem, i)
    o = problem.o[i]
    log_q = norm.logpdf(z, problem.m[i], np.exp(problem.s[i] / 2)).reshape(len(z), -1).sum(-1)
    log_x = norm.logpdf(problem.x[i, o], problem.decode(z)[:, o], np.exp(NOISE / 2)).sum(-1)
    total = weights @ (log_x - log_q)
    for which in problem.assignments():
        share = share_of(shares, which)
        if share > 0:
            total += share * (weights @ problem.log_prior(z, which) - np.log(share))
    return float(total)


def evidence(problem: Problem, i: int) -> float:
    """log p of the observed entries: a mixture of Gaussians, the latents integrated out."""
    o = problem.o[i]
    found = []
    for which in problem.assignments():
        if problem.name == "vae":
            mean, var, log_weight = problem.mu, np.exp(problem.nu), 0.0
        elif problem.name == "vae_gmm":
            mean, var = problem.mu[which[0]], np.exp(problem.nu[which[0]])
            log_weight = problem.pi[which[0]]
        else:
            mean = np.array([problem.mu[j, c, 0] for j, c in enumerate(which)])
            var = np.exp([problem.nu[j, c, 0] for j, c in enumerate(which)])
            log_weight = sum(problem.pi[j, c] for j, c in enumerate(which))
        w = problem.weights[:, o]
        covariance = w.T * var @ w + np.exp(NOISE) * np.eye(o.sum())
        at = mean @ w + problem.offset[o]
        found.append(log_weight + multivariate_normal(at, covariance).logpdf(problem.x[i, o]))
    return float(logsumexp(found))


def mean_over_draws(problem: Problem, i: int) -> float:
    """Our loss of sample i, in the mean over draws of z: at the nodes."""
    z, weights = nodes(problem, i)
    repeat: Callable[[np.ndarray], np.ndarray] = lambda a: np.repeat(a[i : i + 1], len(z), axis=0)  # noqa: E731
    inputs = (repeat(problem.marked()), problem.decode(z), repeat(problem.m), repeat(problem.s))
    return float(weights @ to_numpy(problem.losses(*(a.astype("float32") for a in inputs))))


def shares_of(problem: Problem) -> Any:
    if problem.name == "vae":
        return [None] * N
    return to_numpy(problem.ours(*single(problem))[1])


def single(problem: Problem) -> list[np.ndarray]:
    inputs = problem.marked(), problem.decode(problem.m), problem.m, problem.s
    return [a.astype("float32") for a in inputs]
