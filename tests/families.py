"""Families of distributions and what SciPy calls them: the table of tests/test_families.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

import keras_masked as km

Array = np.ndarray
D = km.distributions
SHAPE = (5, 5)


@dataclasses.dataclass(frozen=True)
class Family:
    """A distribution, parameters of it, and the same by SciPy.

    Attributes:
        make: Builds ours.
        scipy: The distribution, from parameters `(..., parameters)` in float64.
        ranges: Of each parameter, from which they are drawn.
        label: What tells it apart from others of its class.
        scale: The index of the parameter that is the logarithm of the scale of labels, if any.
        exact_start: Whether `start` has exactly the moments that are asked for.
        moments: Labels' mean and standard deviation for `start`.
        counts: Whether labels are counts.
    """

    make: Callable[[], Any]
    scipy: Callable[[Array], Any]
    ranges: tuple[tuple[float, float], ...]
    label: str = ""
    moments: tuple[float, float] = (3.0, 1.5)
    exact_start: bool = True
    counts: bool = False

    def __str__(self) -> str:
        return type(self.make()).__name__ + self.label

    def draw(self, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Array:
        """Parameters, as float32 has them."""
        rng = np.random.default_rng(seed)
        drawn = [rng.uniform(low, high, shape) for low, high in self.ranges]
        return np.stack(drawn, axis=-1).astype("float32").astype("float64")

    def labels(self, p: Array, seed: int = 1) -> Array:
        """Labels, as float32 has them: most likely ones and some far out, on either side."""
        rng = np.random.default_rng(seed)
        level = rng.uniform(0.01, 0.99, p.shape[:-1])
        level.flat[:6] = [1e-6, 1e-4, 0.5, 0.999, 1 - 1e-4, 1 - 1e-6]
        return np.asarray(self.scipy(p).ppf(level)).astype("float32").astype("float64")


def of_scale(distribution: Any) -> Callable[[Array], Any]:
    return lambda p: distribution(loc=p[..., 0], scale=np.exp(p[..., 1]))


def beta(p: Array) -> Any:
    m = 1 / (1 + np.exp(-p[..., 0]))
    return stats.beta(m * np.exp(p[..., 1]), (1 - m) * np.exp(p[..., 1]))


SCALES = (-14.0, 14.0)
FAMILIES = [
    Family(D.Gaussian, lambda p: stats.norm(p[..., 0], np.exp(p[..., 1] / 2)),
           ((-3, 3), (-28.0, 28.0))),
    Family(D.Laplace, of_scale(stats.laplace), ((-3, 3), SCALES)),
    Family(D.Logistic, of_scale(stats.logistic), ((-3, 3), SCALES)),
    Family(lambda: D.StudentT(4.5), lambda p: stats.t(4.5, p[..., 0], np.exp(p[..., 1])),
           ((-3, 3), SCALES), "-4.5"),
    Family(D.StudentT,
           lambda p: stats.t(2 + np.exp(p[..., 2]), p[..., 0], np.exp(p[..., 1])),
           ((-3, 3), SCALES, (-3, 7))),
    Family(D.LogNormal, lambda p: stats.lognorm(np.exp(p[..., 1]), scale=np.exp(p[..., 0])),
           (SCALES, (-5, 0.7))),
    Family(D.LogLogistic, lambda p: stats.fisk(np.exp(-p[..., 1]), scale=np.exp(p[..., 0])),
           (SCALES, (-5, -0.8)), exact_start=False),
    Family(D.Weibull, lambda p: stats.weibull_min(np.exp(p[..., 1]), scale=np.exp(p[..., 0])),
           (SCALES, (-0.7, 4)), exact_start=False),
    Family(D.Exponential, lambda p: stats.expon(scale=np.exp(-p[..., 0])), (SCALES,),
           moments=(3.0, 3.0)),
    Family(D.Gamma,
           lambda p: stats.gamma(np.exp(p[..., 1]), scale=np.exp(p[..., 0] - p[..., 1])),
           (SCALES, (-2, 8))),
    Family(D.Beta, beta, ((-3, 3), (0, 7)), moments=(0.3, 0.1)),
    Family(D.Poisson, lambda p: stats.poisson(np.exp(p[..., 0])), ((-4, 10),), counts=True,
           moments=(3.0, 3**0.5)),
    Family(D.NegativeBinomial,
           lambda p: stats.nbinom(np.exp(p[..., 1]), 1 / (1 + np.exp(p[..., 0] - p[..., 1]))),
           ((-3, 7), (-2, 6)), counts=True, moments=(3.0, 4.0)),
    Family(D.NormalInverseGamma,
           lambda p: stats.t(2 + 2 * np.exp(p[..., 2]), p[..., 0],
                             np.sqrt(np.exp(p[..., 3]) * (1 + np.exp(-p[..., 1]))
                                     / (1 + np.exp(p[..., 2])))),
           ((-3, 3), (-3, 3), (-3, 5), (-10, 10))),
]  # fmt: skip


def named(name: str) -> Family:
    """The family of this name."""
    return next(family for family in FAMILIES if str(family) == name)
