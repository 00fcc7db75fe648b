"""`DiscreteHazard`: survival log-linear in each interval, and the likelihood of censored times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy
from tests.test_loss_gradients import value_and_gradient

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


def test_likelihood_of_censored_times() -> None:
    """Exact, right-, left- and interval-censored; what outlives the last edge; a hole."""
    ends = np.array([[0.7, 0.7], [3.2, 3.2], [1.5, INF], [4.0, INF], [9.0, INF], [-INF, 2.0],
                     [0.5, 3.0], [np.nan, np.nan]])  # fmt: skip
    logits = np.random.default_rng(1).normal(0, 1.5, (8, 1, 3)).astype("float32")
    expected = 0.0
    for (lower, upper), each in zip(ends[:-1], logits[:, 0].astype("float64"), strict=False):
        if lower == upper:
            expected -= log_density(lower, each)
            continue
        above = np.exp(log_survival(lower, each)) if lower > 0 else 1.0
        beyond = np.exp(log_survival(upper, each)) if upper < INF else 0.0
        expected -= np.log(above - beyond)
    loss: Any = km.losses.NegativeLogLikelihood(HAZARDS, censored=True)
    labels = ends[:, None].astype("float32")
    value, gradient = value_and_gradient(loss, labels, logits)
    np.testing.assert_allclose(value, expected / 7, rtol=1e-5)
    assert np.isfinite(gradient).all() and gradient[:7].any(axis=(1, 2)).all()
    assert not gradient[7].any()
    for outside in ([5.0, 5.0], [5.0, 6.0], [-2.0, -1.0]):
        wrong = labels.copy()
        wrong[0, 0] = outside
        with pytest.raises(ValueError, match="from 0 to 4"):
            loss(wrong, logits)
