"""Two binary columns and one of numbers, and scikit-learn's scores of what is observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

NAMES = ["toxic", "level", "irritant"]
DRAWS = {"replicates": 50}


def table(rows: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Two binary columns, and one of numbers between them."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=(rows, 3))
    noisy = z + rng.normal(size=z.shape)
    y = np.where([True, False, True], z > 0, z)
    p = np.where([True, False, True], 1 / (1 + np.exp(-noisy)), noisy)
    y = np.where(rng.random(y.shape) < 0.4, np.nan, y)
    return y.astype("float32"), p.astype("float32")


def deleted(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    seen = ~np.isnan(y)
    y, p = y[seen], p[seen].astype("float64")
    if np.isin(y, (0, 1)).all():
        return {
            "auc": sk.roc_auc_score(y, p),
            "brier": sk.brier_score_loss(y, p),
            "accuracy": sk.accuracy_score(y, p > 0.5),
        }
    rmse, mae = sk.root_mean_squared_error(y, p), sk.mean_absolute_error(y, p)
    return {"rmse": rmse, "mae": mae, "r2": sk.r2_score(y, p)}


def check(row: dict[str, Any], y: np.ndarray, p: np.ndarray) -> None:
    assert row["support"] == (~np.isnan(y)).sum()
    for name, expected in deleted(y, p).items():
        assert row[name] == pytest.approx(expected, abs=1e-5, nan_ok=True)
