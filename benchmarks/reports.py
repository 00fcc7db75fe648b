"""What a report costs, over Keras's `evaluate` of the same model with the same plain metrics.

    KERAS_BACKEND=torch python benchmarks/reports.py [--rows 800] [--labels 12] [--turns 10]

Processor time, medians of turns: each turn runs every one of them once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_masked as km

SMALL = 32


def subjects(rows: int, labels: int, numbers: bool) -> dict[str, Callable[[], Any]]:
    """What is timed, by name, of labels that are numbers, or 0 and 1; 17 % are missing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 16)).astype("float32")
    y = x @ rng.normal(size=(16, labels)) / 4 + rng.normal(size=(rows, labels))
    y = np.where(rng.random(y.shape) < 0.17, np.nan, y if numbers else y > 0).astype("float32")
    model = keras.Sequential([keras.layers.Dense(labels, None if numbers else "sigmoid")])
    m, names = km.metrics, [str(i) for i in range(labels)]
    plain = [m.RootMeanSquaredError(), m.MeanAbsoluteError(), m.R2Score()]
    if not numbers:
        plain = [m.AUC(), m.MeanSquaredError(), m.BinaryAccuracy()]
    metrics = [m.PerLabel(each, names) for each in plain]
    model.compile(loss=km.losses.MeanSquaredError(), metrics=metrics)

    def report(**options: Any) -> Any:
        return km.report(
            model=model, data=(x, y), labels=names, batch_size=rows, verbose=0, **options
        )

    return {
        "report": report,
        "report without intervals": lambda: report(confidence_level=None),
        "evaluate in one batch": lambda: model.evaluate(x, y, batch_size=rows, verbose=0),
        f"evaluate in batches of {SMALL}": lambda: model.evaluate(x, y, SMALL, verbose=0),
    }


def seconds(function: Callable[[], Any]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--labels", type=int, default=12)
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    print(f"{keras.config.backend()}, {options.rows} rows, {options.labels} labels")
    for numbers in (False, True):
        timed = subjects(options.rows, options.labels, numbers)
        first = {name: seconds(function) for name, function in timed.items()}
        turns = [[seconds(f) for f in timed.values()] for _ in range(options.turns)]
        medians = dict(zip(timed, np.median(turns, axis=0), strict=True))
        print("numbers" if numbers else "labels 0 and 1")
        for name, median in medians.items():
            ratios = (median / medians[other] for other in list(medians)[2:])
            print(
                f"  {name:28} {median:8.3f} s, the first call {first[name]:.2f} s; "
                + "{:.1f} and {:.1f} of evaluate's".format(*ratios)
            )


if __name__ == "__main__":
    main()
