"""The distribution that quantiles stand for, and what is asked of any distribution's levels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import norm

import keras_masked as km
from tests import score_oracles as so
from tests.backend import compile_, tensor, to_numpy, value_and_grad

D, L, M = km.distributions, km.losses, km.metrics
NAN = np.nan
LEVELS = (0.1, 0.25, 0.5, 0.9)
Q = D.Quantiles(LEVELS)
P = np.array([[[-2.0, 0.0, 1.0, 5.0], [3.0, 3.0, 3.0, 4.0]], [[0.0, 9.0, 4.0, 1.0], [1, 2, 3, 4]]])
ORDERED = np.sort(P, axis=-1)  # the third crosses
GRID = (np.arange(20000) + 0.5) / 20000


def interpolated(levels: Any, each: np.ndarray) -> np.ndarray:
    return np.interp(levels, LEVELS, each)


def of_each(function: Any) -> np.ndarray:
    return np.array([[function(each) for each in row] for row in ORDERED])


@pytest.mark.parametrize("compiled", [False, True])
def test_interpolation(compiled: bool) -> None:
    """Of the distribution whose quantile function is that of NumPy's `interp`."""
    p = tensor(P, "float32")

    def check(method: Any, expected: Any, *args: Any) -> None:
        method = compile_(method) if compiled else method
        np.testing.assert_allclose(to_numpy(method(*args, p)), expected, rtol=1e-5, atol=1e-6)

    for level in (0.01, 0.1, 0.3, 0.5, 0.77, 0.99):
        expected = of_each(lambda each, level=level: interpolated(level, each))
        check(lambda p, level=level: Q.quantile(level, p), expected)
    levels = np.array([[0.02, 0.2], [0.6, 0.95]])
    expected = [[interpolated(a, b) for a, b in zip(*row, strict=True)]
                for row in zip(levels, ORDERED, strict=True)]  # fmt: skip
    check(Q.quantile, expected, tensor(levels, "float32"))
    draws = of_each(lambda each: interpolated(GRID, each))
    check(Q.mean, draws.mean(-1))
    check(Q.variance, draws.var(-1))
    for y in (-5.0, -2.0, 0.7, 3.0, 3.5, 8.0):
        expected = (draws <= y).mean(-1)
        here = np.abs(expected - to_numpy(Q.cdf(tensor(np.full((2, 2), y), "float32"), p)))
        assert here.max() < 2e-4


def test_rescale_and_what_is_lacking() -> None:
    scale, shift = np.array([2.0, 0.5], "float32"), np.array([1.0, -1.0], "float32")
    found = to_numpy(Q.rescale(tensor(P, "float32"), tensor(scale), tensor(shift)))
    np.testing.assert_allclose(found, P * scale[:, None] + shift[:, None], rtol=1e-6)
    with pytest.raises(ValueError, match="Quantiles has no method `nll`"):
        L.NegativeLogLikelihood(Q)(np.zeros((2, 2)), P)
    with pytest.raises(ValueError, match="cannot take known errors"):
        L.CRPS(Q)(np.zeros((2, 2, 2)), P)
    with pytest.raises(ValueError, match=r"4 parameters: quantile_0.1, quantile_0.25"):
        L.CRPS(Q)(np.zeros((2, 2)), P[..., :3])
    for levels in ((), (0.5, 0.5), (0.9, 0.1), (0.0, 0.5), (0.5, 1.0), 0.5):
        with pytest.raises(ValueError, match="levels"):
            D.Quantiles(levels)


def test_crps_is_twice_the_pinball_loss() -> None:
    """That of an ensemble, too, where levels are even; and slopes pull each quantile."""
    y = np.array([[1.0, NAN], [2.0, 0.5]])
    crps = to_numpy(L.CRPS(Q)(y, P))
    np.testing.assert_allclose(crps, 2 * to_numpy(L.PinballLoss(LEVELS)(y, P)), rtol=1e-6)
    even = D.Quantiles([0.125, 0.375, 0.625, 0.875])
    each = so.ensemble_crps(False)(np.nan_to_num(y), ORDERED)[~np.isnan(y)]
    np.testing.assert_allclose(to_numpy(L.CRPS(even)(y, ORDERED)), each.mean(), rtol=1e-5)
    sr = pytest.importorskip("scoringrules")
    np.testing.assert_allclose(crps, sr.crps_quantile(y, P, np.array(LEVELS))[~np.isnan(y)].mean(),
                               rtol=1e-5)  # fmt: skip


def test_divergence_is_seen() -> None:
    p = P.copy()
    p[0, 0, 1] = NAN
    y = np.full((2, 2), 100.0)
    for found in (Q.cdf(tensor(y), tensor(p)), Q.mean(tensor(p)), Q.quantile(0.1, tensor(p))):
        np.testing.assert_array_equal(np.isnan(to_numpy(found)), [[True, False], [False, False]])
    for metric in (M.IntervalCoverage(0.5, Q), M.CalibrationError(Q), M.PITHistogram(Q)):
        metric.update_state(y, p)
        assert np.isnan(to_numpy(metric.result())).any()


def test_metrics_read_quantiles() -> None:
    """The levels that were predicted, wherever they are."""
    rng = np.random.default_rng(0)
    y, spread = rng.normal(size=(4000, 1)), np.array([[[0.7]]])
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    p = norm.ppf(levels) * spread + np.zeros((4000, 1, 1))
    quantiles, holes = D.Quantiles(levels), np.where(rng.random(y.shape) < 0.3, NAN, y)
    seen = y[~np.isnan(holes)]
    for level, metric in ((0.9, M.IntervalCoverage), (0.5, M.IntervalCoverage)):
        coverage = metric(level, quantiles)
        coverage.update_state(holes, p)
        inside = np.abs(seen) <= 0.7 * norm.ppf(0.5 + level / 2)
        np.testing.assert_allclose(to_numpy(coverage.result()), inside.mean(), rtol=1e-5)
    width = M.IntervalWidth(0.9, quantiles)
    width.update_state(holes, p)
    np.testing.assert_allclose(to_numpy(width.result()), 1.4 * norm.ppf(0.95), rtol=1e-5)
    calibration = M.CalibrationError(quantiles, levels=levels)
    calibration.update_state(holes, p)
    below = np.mean(seen[:, None] <= 0.7 * norm.ppf(levels), axis=0)
    np.testing.assert_allclose(
        to_numpy(calibration.result()), np.abs(below - levels).mean(), rtol=1e-5
    )
    pit = M.PITHistogram(quantiles, bins=2)
    pit.update_state(holes, p)
    np.testing.assert_allclose(to_numpy(pit.result()), [below[2], 1 - below[2]], rtol=1e-5)
    with pytest.raises(ValueError, match="PITHistogram has a vector"):
        M.PerLabel(pit, ["a"])


def test_levels_of_each_label() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(50, 2)) * [1, 3]
    y[:30, 1] = NAN
    p = np.zeros((50, 2, 2))
    metric = M.PerLabel(M.CalibrationError(name="c"), ["a", "b"])
    metric.update_state(y, p)
    for k, name in enumerate("ab"):
        column = y[~np.isnan(y[:, k]), k]
        expected = so.calibration_error(np.arange(1, 10) / 10)(
            column, np.zeros((len(column), 2)), np.ones(len(column))
        )
        np.testing.assert_allclose(to_numpy(metric.result()[f"c/{name}"]), expected, rtol=1e-4)


class Counts(D.Distribution):
    """Of 0 and 1, with a probability of 1/4 and 3/4."""

    parameters = ("any",)
    discrete = True

    def cdf(self, y: Any, parameters: Any) -> Any:
        one = ops.ones_like(parameters[..., 0] + y)
        return ops.where(y < 0, 0 * one, ops.where(y < 1, 0.25 * one, one))


def test_counts_are_spread_over_their_part_of_the_range() -> None:
    """Right predictions then have a flat histogram, which single values cannot have."""
    y = np.array([[0.0], [1.0], [1.0], [1.0], [NAN]])
    pit, p = M.PITHistogram(Counts(), bins=8), np.zeros((5, 1, 1))
    pit.update_state(y, p)
    np.testing.assert_allclose(to_numpy(pit.result()), np.full(8, 0.125), rtol=1e-6)
    calibration = M.CalibrationError(Counts(), levels=[0.1, 0.3, 0.5])
    calibration.update_state(y, p)  # quantiles 0, 1 and 1, up to which are 1/4, all and all
    expected = np.mean([0.15, 0.7, 0.5])
    np.testing.assert_allclose(to_numpy(calibration.result()), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["crps", "CRPS"])
def test_short_names(name: str) -> None:
    assert L.CRPS is L.ContinuousRankedProbabilityScore
    assert M.CRPS is M.ContinuousRankedProbabilityScore
    assert L.crps is L.continuous_ranked_probability_score
    assert isinstance(M.get(name), M.CRPS)
    assert L.get(name) is L.crps or isinstance(L.get(name), L.CRPS)


@pytest.mark.parametrize("ordered", [False, True])
def test_head(ordered: bool, tmp_path: Any) -> None:
    """It starts at a standard normal, and never crosses if it must not, not even after training."""
    family = D.Quantiles(LEVELS, ordered=ordered)
    head = km.layers.DistributionHead(2, family, kernel_initializer="zeros")
    start = to_numpy(head(np.ones((3, 5))))
    np.testing.assert_allclose(
        start, np.broadcast_to(norm.ppf(LEVELS), (3, 2, 4)), rtol=1e-5, atol=1e-6
    )
    rng = np.random.default_rng(0)
    numbers = tensor(20 * rng.normal(size=(50, 2, 4)), "float32")
    apart = np.diff(to_numpy(family.put_out(numbers)), axis=-1)
    assert (apart.min() >= 0) == ordered
    model = keras.Sequential([keras.Input((5,)), km.layers.DistributionHead(2, family)])
    model.compile("adam", loss=L.PinballLoss(LEVELS), metrics=[M.IntervalCoverage(0.8, family)])
    x, y = rng.normal(size=(64, 5)), rng.normal(size=(64, 2))
    y[rng.random(y.shape) < 0.3] = NAN
    model.fit(x, y, verbose=0)
    before = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), before, rtol=1e-5)
    assert again.layers[-1].distribution.levels == LEVELS
    assert again.layers[-1].distribution.ordered == ordered


def test_gradients_reach_every_quantile() -> None:
    """Of what a head puts out, also where quantiles are far apart or labels are far off."""
    family = D.Quantiles(LEVELS, ordered=True)
    numbers = np.array([[[0.0, -30, 30, 1], [30, 30, -30, 0]]])

    def loss(numbers: Any) -> Any:
        return L.CRPS(family)(np.array([[40.0, NAN]]), family.put_out(numbers))

    _, gradient = value_and_grad(loss)(tensor(numbers, "float32"))
    gradient = to_numpy(gradient)
    assert np.isfinite(gradient).all() and gradient[0, 0, 0] != 0
    np.testing.assert_array_equal(gradient[0, 1], 0)
