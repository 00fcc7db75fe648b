"""Quantiles, intervals and ensembles: holes, members, oracles of other packages, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import d2_pinball_score, mean_pinball_loss

import keras_masked as km
from tests import score_oracles as so
from tests.backend import tensor, to_numpy, value_and_grad

L, M = km.losses, km.metrics
NAN = np.nan
RNG = np.random.default_rng(0)


def value_of(metric: Any, *batches: Any) -> Any:
    for batch in batches:
        metric.update_state(*batch)
    return to_numpy(metric.result())


# Ensembles


def test_energy_score_of_what_is_observed_of_a_row() -> None:
    """Labels are deleted one by one, with all that is predicted for them."""
    y, p = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3, 4))
    o = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0], [1, 1, 0]], bool)
    expected = [so.energy_score(False)(y[i][o[i]][None], p[i][o[i]][None])[0] for i in (0, 1, 2, 4)]
    loss = L.EnergyScore()

    def function(p: Any, y: Any) -> Any:
        return loss(y, p)

    holes, garbage = np.where(o, y, NAN), p.copy()
    for seen in (p, garbage):
        value, gradient = value_and_grad(function)(
            tensor(seen, "float32"), tensor(holes, "float32")
        )
        np.testing.assert_allclose(to_numpy(value), np.mean(expected), rtol=1e-5)
        gradient = to_numpy(gradient)
        assert np.all(gradient[~o] == 0) and np.all(np.isfinite(gradient)) and gradient[o].any()
        garbage[~o] = NAN
    rows = to_numpy(L.EnergyScore(reduction="none")(holes, p))
    np.testing.assert_allclose(rows[[0, 1, 2, 4]], expected, rtol=1e-5)
    assert rows[3] == 0
    weights = np.array([1.0, 2.0, 0.0, 5.0, 3.0])
    value = value_of(M.EnergyScore(), (holes, p, weights))
    np.testing.assert_allclose(value, np.average(expected, weights=weights[o.any(1)]), rtol=1e-5)


def test_members_can_be_missing() -> None:
    y, p = RNG.normal(size=(5, 5)), RNG.normal(size=(5, 5, 4))
    gone = RNG.random(p.shape) < 0.4
    gone[..., :2] = False
    gone[0, 0] = [False, True, True, True]
    p_holes = np.where(gone, NAN, p)
    assert np.isnan(to_numpy(L.EnsembleCRPS()(y, p_holes)))
    for fair in (False, True):
        y_of_fair = np.where((np.arange(25) == 0).reshape(5, 5) & fair, NAN, y)

        def function(p: Any, fair: bool = fair, y: Any = y_of_fair) -> Any:
            return L.EnsembleCRPS(fair, missing_members=True)(y, p)

        each = [
            so.ensemble_crps(fair)(y[i : i + 1, j], p[i, j][~gone[i, j]][None])[0]
            for i, j in np.argwhere(~np.isnan(y_of_fair))
        ]
        value, gradient = value_and_grad(function)(tensor(p_holes, "float32"))
        np.testing.assert_allclose(to_numpy(value), np.mean(each), rtol=1e-5)
        gradient = to_numpy(gradient)
        assert np.all(gradient[gone] == 0) and np.all(np.isfinite(gradient))
    one = np.full((1, 1, 4), [[[1.0, NAN, NAN, NAN]]])
    assert to_numpy(L.EnsembleCRPS(missing_members=True)([[3.0]], one)) == 2
    assert np.isnan(to_numpy(L.EnsembleCRPS(True, missing_members=True)([[3.0]], one)))
    assert np.isnan(to_numpy(L.EnsembleCRPS(missing_members=True)([[3.0]], one * NAN)))


def test_large_ensembles_lose_nothing() -> None:
    """500 members, 1e4 away from 0: sums of pairs would cancel."""
    y = 1e4 + RNG.normal(size=(2, 3)).astype("float32")
    p = 1e4 + RNG.normal(size=(2, 3, 500)).astype("float32")
    for fair in (False, True):
        expected = so.ensemble_crps(fair)(y.astype("float64"), p.astype("float64")).mean()
        np.testing.assert_allclose(to_numpy(L.EnsembleCRPS(fair)(y, p)), expected, rtol=1e-5)
    equal = np.full((2, 3, 5), 7.0)
    np.testing.assert_array_equal(to_numpy(L.EnsembleCRPS()(equal[..., 0], equal)), 0)


def test_other_packages() -> None:
    sr = pytest.importorskip("scoringrules")
    y, p = RNG.normal(size=(5, 4)), np.sort(RNG.normal(size=(5, 4, 7)), axis=-1)
    levels = np.arange(1, 8) / 8
    for ours, theirs in (
        (L.EnsembleCRPS(), sr.crps_ensemble(y, p, estimator="nrg")),
        (L.EnsembleCRPS(fair=True), sr.crps_ensemble(y, p, estimator="fair")),
        (L.PinballLoss(tuple(levels)), sr.crps_quantile(y, p, levels) / 2),
        (L.IntervalScore(0.8), sr.interval_score(y, p[..., 1], p[..., 5], 0.2)),
    ):
        seen = p[..., [1, 5]] if isinstance(ours, L.IntervalScore) else p
        np.testing.assert_allclose(to_numpy(ours(y, seen)), theirs.mean(), rtol=1e-5)
    theirs = sr.es_ensemble(y, np.swapaxes(p, -1, -2)).mean()
    np.testing.assert_allclose(to_numpy(L.EnergyScore()(y, p)), theirs, rtol=1e-5)


# Quantiles


def test_quantiles_of_scikit_learn() -> None:
    y, p = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 3))
    o, w = RNG.random((12, 3)) < 0.7, RNG.integers(1, 4, 12).astype(float)
    o[:2] = True
    holes, weights = np.where(o, y, NAN), np.repeat(w[:, None], 3, 1)
    for q in (0.1, 0.5, 0.85):
        expected = mean_pinball_loss(y[o], p[o], alpha=q)
        np.testing.assert_allclose(to_numpy(L.PinballLoss(q)(holes, p)), expected, rtol=1e-5)
        for w_of in (None, weights):
            columns = [
                d2_pinball_score(y[o[:, c], c], p[o[:, c], c], alpha=q,
                                 sample_weight=None if w_of is None else w_of[o[:, c], c])
                for c in range(3)
            ]  # fmt: skip
            for capacity in (12, None):
                metric = M.D2PinballScore(q, capacity=capacity)
                batches = [
                    (holes[b], p[b], *(() if w_of is None else (w_of[b],)))
                    for b in (slice(5), slice(5, 12))
                ]
                # With 12 labels, bins hold one each.
                np.testing.assert_allclose(value_of(metric, *batches), np.mean(columns), rtol=1e-4)
    per_label = M.PerLabel(M.D2PinballScore(0.85, 12), ["a", "b", "c"])
    per_label.update_state(holes, p, weights)
    found = per_label.result()
    np.testing.assert_allclose([to_numpy(found[f"d2_pinball_score/{c}"]) for c in "abc"], columns,
                               rtol=1e-4)  # fmt: skip


def test_d2_pinball_of_labels_far_from_0() -> None:
    """Bins of bfloat16 are 32 wide at 5000, labels apart in 100: still within a percent."""
    y = (5000 + 100 * RNG.normal(size=(2000, 1))).astype("float32")
    p = (y + 50 * RNG.normal(size=y.shape)).astype("float32")
    for q in (0.5, 0.9):
        exact = d2_pinball_score(y, p, alpha=q)
        found = value_of(M.D2PinballScore(q), (y[:500], p[:500]), (y[500:], p[500:]))
        np.testing.assert_allclose(1 - found, 1 - exact, rtol=0.02)
        kept = M.D2PinballScore(q, capacity=2000)
        np.testing.assert_allclose(value_of(kept, (y, p)), exact, rtol=1e-4)
    kept.update_state(y[:1], p[:1])
    assert np.isnan(to_numpy(kept.result()))


def test_d2_pinball_is_undefined_and_merges() -> None:
    metric = M.D2PinballScore()
    assert np.isnan(value_of(metric, (np.array([[1.0], [NAN]]), np.array([[2.0], [0.0]]))))
    same = M.D2PinballScore()
    assert np.isnan(value_of(same, (np.full((4, 1), 0.3), np.zeros((4, 1)))))
    metric.merge_state([same])
    y, p = np.array([1.0, 0.3, 0.3, 0.3, 0.3]), np.array([2.0, 0, 0, 0, 0])
    np.testing.assert_allclose(to_numpy(metric.result()), d2_pinball_score(y, p), rtol=1e-5)
    infinite = M.D2PinballScore()
    assert np.isnan(value_of(infinite, (np.array([[1.0], [2.0]]), np.array([[NAN], [2.0]]))))


def test_levels_under_averages_and_weights_of_columns() -> None:
    rng = np.random.default_rng(3)
    y, p = so.quantiles(rng, (6, 3))
    o = rng.random((6, 3)) < 0.6
    o[0] = True
    each = np.where(o, so.pinball_of_levels(y, p), 0)
    holes = np.where(o, y, NAN)
    columns = each.sum(0) / o.sum(0)

    def loss(**options: Any) -> Any:
        return to_numpy(L.PinballLoss(so.LEVELS, **options)(holes, p))

    np.testing.assert_allclose(loss(), each.sum() / o.sum(), rtol=1e-5)
    np.testing.assert_allclose(loss(average="macro"), columns.mean(), rtol=1e-5)
    rows = each.sum(1)[o.any(1)] / o.sum(1)[o.any(1)]
    np.testing.assert_allclose(loss(average="samples"), rows.mean(), rtol=1e-5)
    weights = np.array([1.0, 0.0, 2.0])
    np.testing.assert_allclose(
        loss(average="macro", label_weights=weights),
        np.average(columns, weights=weights),
        rtol=1e-5,
    )
    metric = M.PerLabel(M.MeanPinballLoss(so.LEVELS, name="q"), ["a", "b", "c"])
    metric.update_state(holes, p)
    found = [to_numpy(metric.result()[f"q/{c}"]) for c in "abc"]
    np.testing.assert_allclose(found, columns, rtol=1e-5)


def test_intervals_by_their_ends() -> None:
    y, p = np.array([[1.0, NAN, 3.0, 4.0]]), np.array([[[0, 2], [5, 6], [3, 4], [1, 2.0]]])
    assert value_of(M.IntervalCoverage(0.8, None), (y, p)) == pytest.approx(2 / 3)
    assert value_of(M.IntervalWidth(0.8, None), (y, p)) == pytest.approx(4 / 3)
    with pytest.raises(ValueError, match="cannot take known errors"):
        L.IntervalScore()(np.stack([y, y], -1), p)


@pytest.mark.parametrize(
    ("loss", "size", "match"),
    [
        (
            L.PinballLoss((0.1, 0.5, 0.9)),
            2,
            "3 values: the 0.1 quantile, the 0.5 quantile, the 0.9",
        ),
        (L.IntervalScore(0.8), 3, "2 values: lower end, upper end"),
        (L.WeightedIntervalScore([0.5, 0.9]), 3, "the 0.05 quantile, the 0.25 quantile, the 0.5"),
        (L.IntervalScore(distribution="gaussian"), 3, "mean, log_variance"),
        (L.EnsembleCRPS(fair=True), 1, "two members or more"),
        (L.EnergyScore(fair=True), 1, "two members or more"),
    ],
)
def test_a_last_axis_of_a_wrong_size(loss: Any, size: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        loss(np.zeros((2, 3)), np.zeros((2, 3, size)))
