"""Moments are those of the whole data, however badly these start and are split."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import oracles
from tests.test_metric_values import value_of

M = km.metrics
Array = np.ndarray

ROWS, SIZES = 2000, [1, 6, 493, 1500]
"""How the rows are split."""
STORIES = ["light", "lightest", "predicted", "unweighted", "constant", "nothing", "offset", "same"]


def tell() -> tuple[Array, Array, Array]:
    """Labels, predictions and weights, in float32: one story a column."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(ROWS, len(STORIES)))
    p = y + 0.5 * rng.normal(size=y.shape)
    w = rng.uniform(0.5, 1.5, size=y.shape)
    y[1000:1100, 1] = np.nan
    y[0, 0], w[0, 0] = 1e4, 1e-6
    y[3, 1], p[3, 1], w[3, 1] = 1e8, 1e8 + 64, 1e-16  # the plain mean of its batch is far from all
    p[0, 2], w[0, 2] = 1e4, 1e-6
    y[0, 3] = 1000.0
    y[:7, 4], p[:7, 4] = 30.1, 0.7
    y[:7, 5] = np.nan
    y[:, 6] += 1e6
    p[:, 6] += 1e6
    y[:, 7] = 0.1  # undefined, in every split
    return y.astype("float32"), p.astype("float32"), w.astype("float32")


def batches(*data: Array) -> list[tuple[Array, ...]]:
    return list(zip(*(np.split(x, np.cumsum(SIZES)[:-1]) for x in data), strict=True))


def explained_variance(y: Array, p: Array, w: Array) -> float:
    def variance(x: Array) -> float:
        return float(np.average((x - np.average(x, weights=w)) ** 2, weights=w))

    return 1 - variance(y - p) / variance(y) if np.ptp(y) else np.nan


ORACLES = {
    "r2": oracles.r2,
    "explained": explained_variance,
    "pearson": oracles.pearson,
    "lin": oracles.concordance,
}


def per_column() -> dict[str, Any]:
    return {
        "r2": M.R2Score(),
        "explained": M.ExplainedVariance(),
        "pearson": M.PearsonCorrelation(axis=0),
        "lin": M.ConcordanceCorrelation(axis=0),
    }


def exact(oracle: Any, y: Array, p: Array, w: Array) -> float:
    o = ~np.isnan(y)
    return float(oracle(*(x[o].astype("float64") for x in (y, p, w))))


def of_columns(name: str, *data: Array) -> list[float]:
    return [exact(ORACLES[name], *(x[:, c] for x in data)) for c in range(len(STORIES))]


def test_evaluate() -> None:
    data = tell()
    inputs = keras.Input((len(STORIES),))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    metrics = [M.PerLabel(m, STORIES, name=name) for name, m in per_column().items()]
    metrics += [M.R2Score(name="mean"), M.PearsonCorrelation("all", axis=None)]
    model.compile(loss=km.losses.MeanSquaredError(), weighted_metrics=metrics)
    stream = ((p, y, w) for y, p, w in batches(*data))
    logs = model.evaluate(stream, steps=len(SIZES), verbose=0, return_dict=True)
    for name in ORACLES:
        found = [logs[f"{name}/{story}"] for story in STORIES]
        np.testing.assert_allclose(found, of_columns(name, *data), rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(logs["mean"], np.nanmean(of_columns("r2", *data)), rtol=1e-4)
    np.testing.assert_allclose(logs["all"], exact(oracles.pearson, *data), rtol=1e-4)


@pytest.mark.parametrize("name", ORACLES)
def test_merged(name: str) -> None:
    data = tell()
    parts = [M.PerLabel(per_column()[name], STORIES, name="m") for _ in (*SIZES, None)]
    for part, batch in zip(parts, batches(*data), strict=False):
        part.update_state(*batch)
    parts[0].merge_state([pickle.loads(pickle.dumps(part)) for part in parts[1:]])
    found = [float(parts[0].result()[f"m/{story}"]) for story in STORIES]
    np.testing.assert_allclose(found, of_columns(name, *data), rtol=1e-4)


def test_one_label_far_off_before_two_million() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=2_000_001).astype("float32")
    p = (y + rng.normal(size=y.shape)).astype("float32")
    y[0] = 1000.0
    found = value_of(M.ConcordanceCorrelation(axis=None), (y[:1], p[:1]), (y[1:], p[1:]))
    wanted = exact(oracles.concordance, y, p, np.ones_like(y))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_rows() -> None:
    y, p, w = (np.moveaxis(x[:20, [1, 4]], 0, 1) for x in tell())
    for cls, oracle in (
        (M.PearsonCorrelation, oracles.pearson),
        (M.ConcordanceCorrelation, oracles.concordance),
    ):
        rows = [exact(oracle, *(x[i] for x in (y, p, w))) for i in range(2)]
        wanted = np.average(rows, weights=w.mean(axis=1, dtype="float64"))
        np.testing.assert_allclose(value_of(cls(), (y, p, w)), wanted, rtol=1e-4)


def test_scatter_of_residuals() -> None:
    y, p, w = (x[:, :1] for x in tell())
    stacked = np.stack([p, np.zeros_like(p)], axis=-1)
    metric = M.StandardizedResidualScatter()
    for batch in batches(y, stacked, w):
        metric.update_state(*batch)
    z, weight = (y - p).astype("float64"), w.astype("float64")
    wanted = np.sqrt(np.average((z - np.average(z, weights=weight)) ** 2, weights=weight))
    np.testing.assert_allclose(float(metric.result()), wanted, rtol=1e-4)
