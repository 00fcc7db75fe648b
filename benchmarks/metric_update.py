"""What `update_state` costs, against Keras's on complete labels and TorchMetrics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

import keras_masked as km
from benchmarks import engines
from benchmarks.losses import as_row
from benchmarks.subjects import data, hide
from benchmarks.timing import interleave

METRICS: dict[str, tuple[str, dict[str, Any]]] = {
    "MeanSquaredError": ("real", {}),
    "BinaryAccuracy": ("binary", {}),
    "AUC": ("binary", {}),
    "R2Score": ("real", {}),
    "MeanAbsoluteError": ("real", {}),
    "RootMeanSquaredError": ("real", {}),
    "MeanAbsolutePercentageError": ("positive", {}),
    "MeanSquaredLogarithmicError": ("positive", {}),
    "LogCoshError": ("real", {}),
    "CosineSimilarity": ("real", {}),
    "PearsonCorrelation": ("real", {}),
    "ConcordanceCorrelation": ("real", {}),
    "BinaryCrossentropy": ("binary", {}),
    "Precision": ("binary", {}),
    "Recall": ("binary", {}),
    "TruePositives": ("binary", {}),
    "PrecisionAtRecall": ("binary", {"recall": 0.5}),
    "F1Score": ("binary", {"threshold": 0.5}),
    "BinaryIoU": ("binary", {}),
    "CategoricalAccuracy": ("one-hot", {}),
    "TopKCategoricalAccuracy": ("one-hot", {}),
    "CategoricalCrossentropy": ("one-hot", {}),
    "KLDivergence": ("one-hot", {}),
    "SparseCategoricalAccuracy": ("ids", {}),
    "SparseTopKCategoricalAccuracy": ("ids", {}),
    "SparseCategoricalCrossentropy": ("ids", {}),
    "Hinge": ("binary logits", {}),
    "Poisson": ("positive", {}),
}
"""What labels each takes, and options; the first few are those of a quick run."""
BASE = "keras, complete"
Call = Callable[[], Any]


def time_metric(
    name: str, shape: tuple[int, ...], compiled: bool, fraction: float, rounds: int, clock: str
) -> Iterator[dict[str, Any]]:
    """Times updates of a metric with `fraction` of the labels missing."""
    kind, arguments = METRICS[name]
    y_true, y_pred = (ops.convert_to_tensor(x) for x in data(kind, shape))
    hidden = hide(ops.convert_to_numpy(y_true), kind, fraction)
    hidden = ops.convert_to_tensor(hidden)
    ours, theirs = (getattr(m, name)(**arguments) for m in (km.metrics, keras.metrics))
    calls = {
        BASE: update(theirs, y_true, y_pred, compiled),
        f"{fraction:.0%} missing": update(ours, hidden, y_pred, compiled),
        **({} if compiled else _torchmetrics(name, hidden, y_pred)),
    }
    timings = interleave(calls, BASE, rounds, clock)
    engines.forget()
    for variant, timing in timings.items():
        row = {"section": "metrics", "subject": name, "shape": list(shape)}
        yield row | {
            "mode": "jit" if compiled else "eager",
            "variant": variant,
            **as_row(timing),
        }


def update(metric: Any, y_true: Any, y_pred: Any, compiled: bool) -> Call:
    """A call that updates the metric."""
    metric.update_state(y_true, y_pred)  # some make their variables only now
    if keras.config.backend() == "jax":
        state = [variable.value for variable in metric.variables]
        stateless = engines.compiled_call(metric.stateless_update_state, compiled)
        return lambda: stateless(state, y_true, y_pred)

    def run(y_true: Any, y_pred: Any) -> None:
        metric.update_state(y_true, y_pred)

    stateful = engines.compiled_call(run, compiled)
    return lambda: stateful(y_true, y_pred)


def _torchmetrics(name: str, y_true: Any, y_pred: Any) -> dict[str, Call]:
    """TorchMetrics on what a mask selects, and with `ignore_index` where it has that."""
    if keras.config.backend() != "torch":
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torchmetrics
            from torchmetrics import classification
    except ImportError:
        return {}
    import torch

    if name in ("MeanSquaredError", "R2Score"):
        metric = getattr(torchmetrics, name)()

        def indexed() -> None:
            observed = ~torch.isnan(y_true)
            metric.update(y_pred[observed], y_true[observed])

        return {"torchmetrics, indexed": indexed}

    options: dict[str, Any] = {"ignore_index": -1}
    if name == "AUC":
        options["thresholds"] = 200
    ignoring = {"BinaryAccuracy": "BinaryAccuracy", "AUC": "BinaryAUROC"}.get(name)
    if ignoring is None:
        return {}
    metric = getattr(classification, ignoring)(**options)
    ids = torch.nan_to_num(y_true, nan=-1.0).to(torch.int32)
    return {"torchmetrics ignore_index=": lambda: metric.update(y_pred, ids)}
