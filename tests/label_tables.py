"""Tables of labels in different units, some missing, and layers that are adapted to them."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_masked as km
from tests.backend import to_numpy

ROWS, LABELS = 57, 3
SENTINEL = -9999.0


def table(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of different units, and which of them are missing: a whole row, say."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(ROWS, LABELS)) * [1.0, 30.0, 0.01] + [-2.0, 5000.0, 0.5]
    gone = rng.random(y.shape) < 0.4
    gone[3] = True
    return y, gone


def oracle(y: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column from which the missing entries are deleted."""
    columns = [np.delete(c, np.flatnonzero(m)) for c, m in zip(y.T, gone.T, strict=True)]
    return np.array([c.mean() for c in columns]), np.array([c.std() for c in columns])


def split(y: np.ndarray, size: int) -> list[np.ndarray]:
    return [y[i : i + size] for i in range(0, len(y), size)]


def adapted(missing: Any = "nan", **options: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """A layer, the labels that it is adapted to, and which of them are missing."""
    y, gone = table()
    layer = km.layers.LabelNormalization(missing, **options)
    marker = np.nan if missing == "nan" else missing
    y = np.where(gone, marker, y)
    layer.adapt(y)
    return layer, y, gone


def state(layer: Any) -> list[list[float]]:
    return [to_numpy(weight).tolist() for weight in (layer.mean, layer.standard_deviation)]
