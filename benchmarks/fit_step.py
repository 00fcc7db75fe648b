"""What a masked loss adds to a step of `model.fit`, on the same complete labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

import keras_masked as km
from benchmarks.losses import as_row
from benchmarks.subjects import hide
from benchmarks.timing import interleave

# Units per layer, rows per batch, batches per call of `fit`.
NETWORKS = {"small": ((16, 32, 16), 256, 100), "large": ((1024, 1024, 1024, 1024), 256, 10)}
QUICK = {"small": ((16, 32, 16), 256, 20)}
BASE = "keras, complete"


def time_fit(rounds: int, clock: str, quick: bool) -> Iterator[dict[str, Any]]:
    """Times `fit` with Keras's MSE and with ours, compiled where Keras's "auto" does."""
    for name, (units, batch, batches) in (QUICK if quick else NETWORKS).items():
        random = np.random.default_rng(0)
        x = random.normal(size=(batch * batches, units[0])).astype("float32")
        y = random.normal(size=(batch * batches, units[-1])).astype("float32")
        calls = {
            BASE: _fit(keras.losses.MeanSquaredError(), units, x, y, batch),
            "complete": _fit(km.losses.MeanSquaredError(), units, x, y, batch),
            "30% missing": _fit(
                km.losses.MeanSquaredError(), units, x, hide(y, "real", 0.3), batch
            ),
        }
        for variant, timing in interleave(calls, BASE, rounds, clock, sample=0.0, limit=60).items():
            row = {"section": "fit", "subject": f"{name} network", "shape": [batch, *units]}
            row |= {"mode": "fit", "variant": variant, **as_row(timing)}
            if "ms" in row:
                row["ms"] /= batches
            yield row


def _fit(loss: Any, units: tuple[int, ...], x: Any, y: Any, batch: int) -> Callable[[], Any]:
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(n, activation="relu") for n in units[1:-1]]
    model = keras.Sequential([keras.Input((units[0],)), *hidden, keras.layers.Dense(units[-1])])
    model.compile(optimizer="adam", loss=loss)
    return lambda: model.fit(x, y, batch_size=batch, shuffle=False, verbose=0)
