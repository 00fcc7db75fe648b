"""Fractions skill score and critical success index against the `scores` package, if installed.

    pip install --group scores

It knows hard events only, so ours get a step so steep that no prediction lies on it.
"""

from __future__ import annotations

import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy

pytest.importorskip("scores")

import xarray as xr
from scores.categorical import ThresholdEventOperator
from scores.spatial import fss_2d

L = km.losses
STEEP = 1e6


def fields(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Away from the threshold of 0.5, in steps of a hundredth."""
    rng = np.random.default_rng(seed)
    shape = (3, 12, 15)
    y, p = (np.round(rng.gamma(1.0, 0.4, shape), 2) + 0.005 for _ in range(2))
    return y.astype("float32"), p.astype("float32")


@pytest.mark.parametrize("window", [1, 2, 3, 5, 12])
def test_fractions_skill_score(window: int) -> None:
    y, p = fields(window)
    dims = ("sample", "y", "x")
    options = {
        "event_threshold": 0.5,
        "window_size": (window, window),
        "spatial_dims": ("y", "x"),
        "zero_padding": False,
    }
    forecast, truth = xr.DataArray(p, dims=dims), xr.DataArray(y, dims=dims)
    for axis, kept in ((None, []), ((1, 2), ["sample"])):
        expected = 1 - np.asarray(fss_2d(forecast, truth, preserve_dims=kept, **options))
        loss = L.FractionsSkillScore(window=window, scale=STEEP, axis=axis, reduction=None)
        np.testing.assert_allclose(to_numpy(loss(y, p)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_critical_success_index_with_holes(seed: int) -> None:
    """The package leaves out pairs of which one is NaN."""
    y, p = fields(seed)
    y[np.random.default_rng(seed).random(y.shape) < 0.3] = np.nan
    table = ThresholdEventOperator().make_contingency_manager(
        xr.DataArray(p, dims=("sample", "y", "x")),
        xr.DataArray(y, dims=("sample", "y", "x")),
        event_threshold=0.5,
    )
    loss = L.CriticalSuccessIndex(threshold=0.5, scale=STEEP)
    expected = 1 - float(table.transform().critical_success_index())
    np.testing.assert_allclose(to_numpy(loss(y, p)), expected, rtol=1e-5)


NAMES = {
    "CriticalSuccessIndex": "critical_success_index",
    "ProbabilityOfDetection": "probability_of_detection",
    "FalseAlarmRatio": "false_alarm_ratio",
    "FrequencyBias": "frequency_bias",
    "EquitableThreatScore": "equitable_threat_score",
    "HeidkeSkillScore": "heidke_skill_score",
}


@pytest.mark.parametrize("name", NAMES)
def test_event_metrics_with_holes(name: str) -> None:
    """Of all labels and of each column; on the threshold, too."""
    y, p = fields(1)
    y, p = (np.round(x - 0.005, 1) for x in (y, p))
    y[np.random.default_rng(0).random(y.shape) < 0.3] = np.nan
    y[..., 2] = np.nan
    y[..., 3] = 0
    dims = ("sample", "y", "x")
    events = ThresholdEventOperator().make_contingency_manager(
        xr.DataArray(p, dims=dims), xr.DataArray(y, dims=dims), event_threshold=np.float32(0.5)
    )
    metric = getattr(km.metrics, name)(threshold=0.5)
    columns = km.metrics.PerLabel(metric, [str(c) for c in range(15)], name="m")
    for part in (slice(0, 1), slice(1, 3)):
        metric.update_state(y[part], p[part])
        columns.update_state(y[part], p[part])
    expected = float(getattr(events.transform(reduce_dims="all"), NAMES[name])())
    np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-6)
    each = np.asarray(getattr(events.transform(preserve_dims=["x"]), NAMES[name])())
    each = np.where(np.isinf(each), np.nan, each)  # of no event; an infinite bias tells nothing
    found = [to_numpy(columns.result()[f"m/{c}"]) for c in range(15)]
    np.testing.assert_allclose(found, each, rtol=1e-6, atol=1e-7)
    assert np.isnan(each[2])
