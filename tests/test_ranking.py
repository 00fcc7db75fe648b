"""Metrics of lists: Keras RS's values, ties, infinite scores, splits and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests import ranking_oracles as oracles
from tests.backend import to_numpy

Array = np.ndarray
M = km.metrics
RANKING = {
    "NDCG": oracles.ndcg, "MeanReciprocalRank": oracles.reciprocal_rank,
    "MeanAveragePrecision": oracles.average_precision, "PrecisionAtK": oracles.precision,
    "RecallAtK": oracles.recall,
}  # fmt: skip


def draw(seed: int = 0) -> tuple[Array, Array, Array]:
    """Relevances of which each list has some, scores without ties, and weights of items."""
    rng = np.random.default_rng(seed)
    y = rng.choice([0.0, 0.0, 1.0, 2.0, 3.0], size=(6, 7))
    y[:, 2] = 1
    p = rng.permutation(42).reshape(6, 7) / 8
    return y, p, rng.random((6, 7)) + 0.5


def value_of(metric: Any, *batch: Any) -> float:
    metric.update_state(*batch)
    return float(to_numpy(metric.result()))


@pytest.mark.parametrize("name", RANKING)
def test_values_of_keras_rs(name: str) -> None:
    theirs = pytest.importorskip("keras_rs").metrics
    y, p, w = draw()
    for k in (None, 3, 20):
        for weight in ((), (np.arange(1.0, 7),), (w,)):
            ours = value_of(getattr(M, name)(k=k), y, p, *weight)
            expected = value_of(getattr(theirs, name)(k=k), y, p, *weight)
            np.testing.assert_allclose(ours, expected, rtol=2e-6)
    hidden = np.where(w > 0.9, y, -1)  # which Keras RS hides, too
    ours, expected = (value_of(getattr(m, name)(k=3), hidden, p) for m in (M, theirs))
    if all((row >= 1).any() for row in hidden):
        np.testing.assert_allclose(ours, expected, rtol=2e-6)


@pytest.mark.parametrize("name", RANKING)
def test_ties_infinities_and_k_beyond_the_items(name: str) -> None:
    y, _, _ = draw(1)
    p = np.zeros_like(y)
    p[:, 4:] = -np.inf  # observed, and before what is hidden
    o = np.random.default_rng(3).random(y.shape) < 0.7
    o[:, 2] = True
    labels = np.where(o, y, np.nan)
    for k in (None, 2, 99):
        each = [RANKING[name](k)(y[i][o[i]], p[i][o[i]], np.ones(o[i].sum())) for i in range(6)]
        scores = np.where(o, p, np.inf)
        np.testing.assert_allclose(
            value_of(getattr(M, name)(k), labels, scores), np.mean(each), rtol=2e-6
        )


def test_lists_without_a_relevant_item_are_skipped_but_for_precision() -> None:
    y, p, _ = draw()
    more = np.concatenate([y, np.zeros((2, 7))]), np.concatenate([p, p[:2]])
    for name in RANKING:
        alone, both = value_of(getattr(M, name)(), y, p), value_of(getattr(M, name)(), *more)
        expected = alone * 6 / 8 if name == "PrecisionAtK" else alone
        np.testing.assert_allclose(both, expected, rtol=2e-6)
        none = value_of(getattr(M, name)(), 0 * y, p)
        assert none == 0 if name == "PrecisionAtK" else np.isnan(none)


def test_label_ranking_equals_scikit_learn_with_ties_and_weights() -> None:
    from sklearn import metrics

    rng = np.random.default_rng(0)
    y, p = (rng.random((8, 5)) < 0.4).astype("float32"), rng.integers(0, 4, (8, 5)) / 4
    y[0], y[1] = 0, 1
    for name, theirs in (
        ("LabelRankingAveragePrecision", metrics.label_ranking_average_precision_score),
        ("LabelRankingLoss", metrics.label_ranking_loss),
        ("CoverageError", metrics.coverage_error),
    ):
        metric = getattr(M, name)()
        np.testing.assert_allclose(value_of(metric, y, p), theirs(y, p), rtol=2e-6)
        w = np.arange(1.0, 9)
        metric.reset_state()
        for half in (slice(0, 3), slice(3, 8)):
            metric.update_state(y[half], p[half], w[half])
        expected = theirs(y, p, sample_weight=w)
        np.testing.assert_allclose(float(to_numpy(metric.result())), expected, rtol=2e-6)


def test_bad_input() -> None:
    y, p, _ = draw()
    with pytest.raises(ValueError, match="at least 0"):
        M.NDCG().update_state(np.where(y == 3, -2, y), p)
    for metric in (M.NDCG(), M.CoverageError()):
        with pytest.raises(ValueError, match="mean over lists"):
            M.PerLabel(metric, ["a", "b"])
    one = M.RecallAtK(2)  # of a network that puts out an axis of one
    np.testing.assert_allclose(value_of(one, y, p[..., None]), value_of(M.RecallAtK(2), y, p))
    assert np.isnan(float(to_numpy(M.NDCG().result())))
