"""Labels of rows, and metrics of every kind, for what repeats rows or parts them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked.metrics.rows import drawn
from tests.backend import to_numpy

M = km.metrics
ROWS, LABELS = 90, ["a", "b", "c"]
NO_ROW = 17  # has no label
REPLICATES = 20


def table(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(ROWS, 3)) + 50.0
    p = y + rng.normal(size=y.shape)
    y[rng.random(y.shape) < 0.4] = np.nan
    y[NO_ROW] = np.nan
    return y.astype("float32"), p.astype("float32")


def binary(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.isnan(y), np.nan, y > 50).astype("float32"), 1 / (1 + np.exp(50 - p))


def drawn_rows(replicates: int = REPLICATES, seed: int = 0, start: int = 0) -> np.ndarray:
    numbers = keras.ops.arange(start, start + ROWS, dtype="int32")
    return to_numpy(drawn(numbers, replicates, seed)).astype(int)


KINDS: dict[str, tuple[Any, bool]] = {
    "mean": (M.MeanSquaredError, False),
    "root": (M.RootMeanSquaredError, False),
    "moments": (M.R2Score, False),
    "joint moments": (lambda: M.PearsonCorrelation(axis=0), False),
    "bins": (lambda: M.AUC(multi_label=True), True),
    "one threshold": (M.Recall, True),
    "counts": (lambda: M.F1Score("macro", threshold=0.5), True),
}
EVERY = pytest.mark.parametrize("kind", KINDS)


def result_of(metric: Any, *data: Any) -> list[float]:
    metric = type(metric).from_config(metric.get_config())
    metric.update_state(*data)
    found = metric.result()
    return [float(x) for x in (found.values() if isinstance(found, dict) else [found])]


def ends(metric: Any) -> list[float]:
    return [float(to_numpy(x)) for x in metric.result().values()]
