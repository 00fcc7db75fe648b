"""`DiscreteHazard`: survival log-linear in each interval, and the likelihood of censored times."""

from __future__ import annotations

import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy

Array = np.ndarray
EDGES = (0.0, 1.0, 2.5, 4.0)
INF = np.inf
HAZARDS = km.distributions.DiscreteHazard(EDGES)


def log_survival(t: float, logits: Array) -> float:
    """Kvamme and Borgan 2021, section 3: the product of 1 - h, the last to the power of its share.

    Beyond the last edge it stays what it is there.
    """
    left = 0.0
    for low, high, logit in zip(EDGES[:-1], EDGES[1:], logits, strict=True):
        share = np.clip((t - low) / (high - low), 0.0, 1.0)
        left += share * -np.logaddexp(0.0, logit)  # log(1 - h)
    return float(left)


def log_density(t: float, logits: Array, step: float = 1e-6) -> float:
    before, after = (np.exp(log_survival(t + d, logits)) for d in (-step, step))
    return float(np.log((before - after) / (2 * step)))


def test_survival_is_log_linear_in_intervals() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (6, 3)).astype("float32")
    for t in (0.0, 0.4, 1.0, 1.7, 2.5, 3.9, 4.0, 6.0):
        expected = np.array([log_survival(t, each.astype("float64")) for each in logits])
        at = np.full(6, t, "float32")
        found = to_numpy(HAZARDS.log_survival(tensor(at), tensor(logits)))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(to_numpy(HAZARDS.cdf(tensor(at), tensor(logits))),
                                   -np.expm1(expected), rtol=1e-5, atol=1e-7)  # fmt: skip
    with pytest.raises(ValueError, match="the first 0"):
        km.distributions.DiscreteHazard([0.5, 1.0])
