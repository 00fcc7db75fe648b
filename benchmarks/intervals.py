"""How often intervals hold the truth, and what they cost.

    KERAS_BACKEND=torch python benchmarks/intervals.py [--tables 1000] [--rows 400]

Tables are drawn, of which the true area under the curve (normal scores), mean absolute error and
share of explained variance are known; 17 or 60 % of the labels are missing. Beside it stand the
intervals of `scipy.stats.bootstrap`, of the means, on rows without the missing labels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from scipy import stats

import keras_masked as km

AT_ONCE = 10
NOISE = 0.7


def table(rng: np.random.Generator, rows: int, missing: float) -> dict[str, tuple[Any, Any]]:
    """Labels and predictions of ten tables, side by side."""
    shape = (rows, AT_ONCE)
    holes = rng.random(shape) < missing
    positive = (rng.random(shape) < 0.3).astype("float32")
    score = rng.normal(size=shape) + positive
    level = rng.normal(size=shape)
    guess = level + NOISE * rng.normal(size=shape)
    found = {"auc": (positive, stats.norm.cdf(score)), "mae": (level, guess), "r2": (level, guess)}
    return {
        name: (np.where(holes, np.nan, y).astype("float32"), p.astype("float32"))
        for name, (y, p) in found.items()
    }


TRUTH = {
    "auc": float(stats.norm.cdf(1 / np.sqrt(2))),
    "mae": float(NOISE * np.sqrt(2 / np.pi)),
    "r2": 1 - NOISE**2,
}


def metric(name: str) -> Any:
    """The metric of a name."""
    m = km.metrics
    return {"auc": m.AUC(400), "mae": m.MeanAbsoluteError(), "r2": m.R2Score()}[name]


def coverage(tables: int, rows: int, missing: float) -> Iterator[tuple[str, str, float]]:
    """Metric, method, and the share of tables whose interval holds the truth."""
    labels = [str(i) for i in range(AT_ONCE)]
    hits: dict[tuple[str, str], list[bool]] = {}
    rng = np.random.default_rng(0)
    for _ in range(tables // AT_ONCE):
        for name, (y, p) in table(rng, rows, missing).items():
            for method in ("percentile", "bca"):
                inner = km.metrics.PerLabel(metric(name), labels, average=None, name="m")
                found = km.metrics.WithInterval(inner, method=method)
                found.update_state(y, p)
                result = {k: float(v) for k, v in found.result().items()}
                hits.setdefault((name, method), []).extend(
                    result[f"m/{c}/lower"] <= TRUTH[name] <= result[f"m/{c}/upper"] for c in labels
                )
            if name == "mae":
                for c in range(AT_ONCE):
                    seen = ~np.isnan(y[:, c])
                    errors = np.abs(y[seen, c] - p[seen, c])
                    low, high = stats.bootstrap(
                        (errors,), np.mean, n_resamples=1000, method="percentile", rng=rng
                    ).confidence_interval
                    hits.setdefault((name, "scipy"), []).append(low <= TRUTH[name] <= high)
    for (name, method), held in hits.items():
        yield name, method, float(np.mean(held))


def main() -> None:
    """Prints coverage and times."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=400)
    options = parser.parse_args()
    for missing in (0.17, 0.6):
        start = time.perf_counter()
        for name, method, share in coverage(options.tables, options.rows, missing):
            print(f"{missing:.0%} missing  {name:<4} {method:<10} {share:.1%}", flush=True)
        print(f"{keras.config.backend()}: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
