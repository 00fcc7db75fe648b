"""The fractions skill score as a metric: deletion, splits, weights, channels, `scores`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy

Array = np.ndarray
Score = km.metrics.FractionsSkillScore


def draw(seed: int = 0, missing: float = 0.3) -> tuple[Array, Array, Array]:
    """Fields of rain, away from the threshold, and which pixels stay."""
    rng = np.random.default_rng(seed)
    y, p = (np.round(rng.gamma(1.0, 0.4, (4, 6, 7, 2)), 2) + 0.005 for _ in range(2))
    o = rng.random(y.shape) >= missing
    o[1] = not missing
    return y.astype("float32"), p.astype("float32"), o


def expected(
    y: Array, p: Array, o: Array, window: int, padding: str = "valid", w: Array | None = None
) -> float:
    """Window by window, of the pixels that are left there."""
    around = window - 1 if padding == "same" else 0
    edge = ((around // 2, around - around // 2),) * 2
    error = worst = 0.0
    for b in range(y.shape[0]):
        for c in range(y.shape[-1]):
            field = [np.pad(x[b, ..., c], edge) for x in (y >= 0.5, p >= 0.5, o)]
            height, width = field[0].shape
            for i in range(height - window + 1):
                for j in range(width - window + 1):
                    a, q, k = (x[i : i + window, j : j + window] for x in field)
                    if k.any():
                        weight = 1.0 if w is None else w[b]
                        error += weight * (a[k].mean() - q[k].mean()) ** 2
                        worst += weight * (a[k].mean() ** 2 + q[k].mean() ** 2)
    return 1 - error / worst


def value_of(metric: Any, *batches: tuple[Any, ...]) -> float:
    for batch in batches:
        metric.update_state(*batch)
    return float(to_numpy(metric.result()))


@pytest.mark.parametrize(("window", "padding"), [(1, "valid"), (3, "valid"), (2, "same")])
def test_deletion_splits_weights_and_blindness(window: int, padding: str) -> None:
    y, p, o = draw()
    hidden, scores = np.where(o, y, np.nan), np.where(o, p, np.inf)
    options = {"window": window, "padding": padding}
    oracle = expected(y, p, o, window, padding)
    np.testing.assert_allclose(value_of(Score(**options), (hidden, scores)), oracle, rtol=5e-6)
    halves = [(hidden[:1], scores[:1]), (hidden[1:], scores[1:])]
    metric = Score(**options)
    np.testing.assert_allclose(value_of(metric, *halves), oracle, rtol=5e-6)
    assert float(to_numpy(metric.support())) == o.sum()
    w = np.array([2.0, 1.0, 0.0, 3.0])
    oracle = expected(y, p, o, window, padding, w)
    np.testing.assert_allclose(value_of(Score(**options), (hidden, scores, w)), oracle, rtol=5e-6)
    repeated = (np.repeat(x, w.astype(int), 0) for x in (hidden, scores))
    np.testing.assert_allclose(value_of(Score(**options), tuple(repeated)), oracle, rtol=5e-6)


def test_soft_events_are_those_of_the_loss() -> None:
    y, p, o = draw()
    hidden = np.where(o, y, np.nan)
    loss = km.losses.FractionsSkillScore(window=3, threshold=0.5, scale=10.0)
    found = value_of(Score(window=3, threshold=0.5, scale=10.0), (hidden, p))
    np.testing.assert_allclose(found, 1 - to_numpy(loss(hidden, p)), rtol=5e-6)
    binary, q = (y > 0.5).astype("float32"), p / (1 + p)
    loss = km.losses.FractionsSkillScore(threshold=None)
    found = value_of(Score(threshold=None), (np.where(o, binary, np.nan), q))
    np.testing.assert_allclose(found, 1 - to_numpy(loss(np.where(o, binary, np.nan), q)), rtol=5e-6)


def test_channels_emptiness_visibility_and_saving() -> None:
    y, p, o = draw()
    hidden = np.where(o, y, np.nan)
    metric = km.metrics.PerLabel(Score(window=2), ["rain", "snow"])
    metric.update_state(hidden, p)
    for c, name in enumerate(("rain", "snow")):
        found = float(to_numpy(metric.result()[f"{metric.name}/{name}"]))
        oracle = expected(y[..., [c]], p[..., [c]], o[..., [c]], 2)
        np.testing.assert_allclose(found, oracle, rtol=5e-6)
    assert np.isnan(value_of(Score(), (np.full_like(y, np.nan), p)))
    assert np.isnan(value_of(Score(), (0 * y, 0 * p))), "no event"
    dirty = p.copy()
    dirty[tuple(np.argwhere(o)[5])] = np.nan
    for scale in (None, 10.0):
        assert np.isnan(value_of(Score(scale=scale), (hidden, dirty)))
    copy = Score.from_config(Score(window=5, padding="same", missing=-1.0).get_config())
    assert copy.get_config()["window"] == 5 and copy.missing == -1.0


def test_bad_input() -> None:
    y, p, _ = draw()
    with pytest.raises(ValueError, match="at least 7 by 7 pixels"):
        Score(window=7).update_state(y, p)
    with pytest.raises(ValueError, match="one value per field"):
        Score().update_state(y, p, np.ones(y.shape))
    with pytest.raises(ValueError, match="are their channels"):
        km.metrics.PerLabel(Score(), list("abcdefg")).update_state(y[..., 0], p[..., 0])


@pytest.mark.parametrize("window", [1, 3, 4])
def test_values_of_the_package_scores(window: int) -> None:
    pytest.importorskip("scores")
    import xarray as xr
    from scores.spatial import fss_2d

    y, p, _ = draw(window, missing=0.0)
    truth, forecast = (xr.DataArray(x[..., 0], dims=("sample", "y", "x")) for x in (y, p))
    options = {"event_threshold": 0.5, "window_size": (window, window), "zero_padding": False}
    theirs = fss_2d(forecast, truth, spatial_dims=("y", "x"), preserve_dims=[], **options)
    found = value_of(
        Score(window=window), (y[:2, ..., 0], p[:2, ..., 0]), (y[2:, ..., 0], p[2:, ..., 0])
    )
    np.testing.assert_allclose(found, float(theirs), rtol=5e-6)
