"""What `PerLabel` costs, against one metric object for each label, and TorchMetrics."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_masked as km
from benchmarks import engines
from benchmarks.losses import as_row
from benchmarks.metric_update import Call, update
from benchmarks.subjects import data, hide
from benchmarks.timing import interleave

METRICS = {
    "AUC": "binary",
    "MeanAbsoluteError": "real",
    "R2Score": "real",
    "Recall": "binary",
    "MatthewsCorrelation": "binary",
    "BrierScore": "binary",
    "ExpectedCalibrationError": "binary",
    "ROCAUC": "binary",
}
ROWS = 256
BASE = "one Keras object per label, complete"
OURS = "one of our objects per label"


class Objects(keras.metrics.Metric):
    """One metric for each label, as one metric."""

    def __init__(self, module: Any, name: str, labels: int) -> None:
        super().__init__()
        self.parts = [getattr(module, name)() for _ in range(labels)]

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        """Each sees its column."""
        for c, part in enumerate(self.parts):
            part.update_state(y_true[:, c : c + 1], y_pred[:, c : c + 1])


def time_per_label(
    name: str, labels: int, compiled: bool, fraction: float, rounds: int, clock: str
) -> Iterator[dict[str, Any]]:
    """Times updates of all labels with `fraction` of them missing."""
    kind, shape = METRICS[name], (ROWS, labels)
    y_true, y_pred = (ops.convert_to_tensor(x) for x in data(kind, shape))
    hidden = ops.convert_to_tensor(hide(ops.convert_to_numpy(y_true), kind, fraction))
    ours = km.metrics.PerLabel(getattr(km.metrics, name)(), [f"label_{i}" for i in range(labels)])
    numbers = sum(int(np.prod(variable.shape)) for variable in ours.variables)
    calls = {f"PerLabel, {fraction:.0%} missing": update(ours, hidden, y_pred, compiled)}
    # A graph of a thousand objects takes longer to compile than anybody would wait.
    if not compiled or labels <= 100:
        if hasattr(keras.metrics, name):
            objects = Objects(keras.metrics, name, labels)
            calls[BASE] = update(objects, y_true, y_pred, compiled)
        calls[OURS] = update(Objects(km.metrics, name, labels), hidden, y_pred, compiled)
    if name == "AUC":
        theirs = keras.metrics.AUC(multi_label=True, num_labels=labels)
        calls["Keras multi_label, complete"] = update(theirs, y_true, y_pred, compiled)
    if not compiled:
        calls |= _multioutput(name, labels, hidden, y_pred)
    base = next((each for each in (BASE, OURS) if each in calls), next(iter(calls)))
    timings = interleave(calls, base, rounds, clock)
    engines.forget()
    for variant, timing in timings.items():
        yield {
            "section": "per-label",
            "subject": f"{name} ({numbers / labels:.0f} numbers a label)",
            "shape": list(shape),
            "mode": "jit" if compiled else "eager",
            "variant": variant,
            **as_row(timing),
        }


def _multioutput(name: str, labels: int, y_true: Any, y_pred: Any) -> dict[str, Call]:
    """TorchMetrics' wrapper, which drops the rows of which a label is missing, per column."""
    if keras.config.backend() != "torch" or name not in ("MeanAbsoluteError", "R2Score"):
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torchmetrics
    except ImportError:
        return {}
    inner = getattr(torchmetrics, name)()
    metric = torchmetrics.MultioutputWrapper(inner, num_outputs=labels, remove_nans=True)
    return {"torchmetrics MultioutputWrapper": lambda: metric.update(y_pred, y_true)}
