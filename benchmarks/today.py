"""What people do today where labels are missing, on one table: the figures of the README.

    python -m pip install ".[torch]" chemicals scikit-learn torchmetrics
    python benchmarks/today.py [--backend jax|tensorflow|torch] [--seeds 5]

The table, network, split and choice of the best epoch are those of `examples/quickstart.py`: four
properties of molecules, half of them missing, the mean R2 on the observed test labels. What is
shown is what `evaluate` says of the test molecules, in one batch, with labels and weights treated
as in training; what is true is the mean squared error of their observed labels. Both are in units
of the labels' variances.

The metrics of TorchMetrics, if that is installed, look at the test molecules' labels, made binary.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

# Keras picks its backend when it is imported: functions import it, once --backend is read.
from examples import quickstart
from examples.quickstart import Array, Split

DROPPED = "leave out rows with a hole"
MEANS = "fill with the column's mean"
ZEROS = "fill with 0"
WEIGHTS = "`sample_weight=0` for rows with a hole"
WHERE = "`where(seen, (y - p)**2, 0)` over NaN"
BY_HAND = "the same over labels filled first, mean over all"
MASKED = '`km.masked("mse")`'
WAYS = (DROPPED, MEANS, ZEROS, WEIGHTS, WHERE, BY_HAND, MASKED)


class Labelled(NamedTuple):
    """What one way makes of one part of the data."""

    x: Array
    y: Array
    weights: Array | None


def main() -> None:
    parser = argparse.ArgumentParser(description="What people do today, on one table.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions, default 5")
    args = parser.parse_args()
    os.environ["KERAS_BACKEND"] = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    fragments, labels = quickstart.load()
    rows: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
    for seed in range(args.seeds):
        split = quickstart.make_split(fragments, labels, seed)
        for way in WAYS:
            rows[way].append(measure(split, way, seed))
            print(f"seed {seed}, {way}: {rows[way][-1]}", file=sys.stderr, flush=True)
    print("| | labels used | mean R² | test error shown | true |\n|---|---|---|---|---|")
    for way, found in rows.items():
        used, r2, shown, true = np.mean(found, axis=0)
        spread = np.std([each[1] for each in found], ddof=min(1, args.seeds - 1))
        print(f"| {way} | {used:.0%} | {r2:.2f} ± {spread:.2f} | {shown:.2f} | {true:.2f} |")
    if importlib.util.find_spec("torchmetrics"):
        areas(split)


def measure(split: Split, way: str, seed: int) -> tuple[float, ...]:
    """Shares of the observed labels that train, R2, and the test error as shown and in truth."""
    train, test = (treat(split, way, part) for part in ("train", "test"))
    model, keep_best = quickstart.network(train.x.shape[1], loss_of(way), seed)
    model.fit(
        train.x,
        train.y,
        sample_weight=train.weights,
        batch_size=quickstart.BATCH,
        epochs=quickstart.EPOCHS,
        callbacks=[keep_best],
        validation_data=(split.x["validation"], split.y["validation"]),
        validation_batch_size=len(split.x["validation"]),
        verbose=0,
    )
    shown = model.evaluate(
        test.x, test.y, sample_weight=test.weights, batch_size=len(test.x), verbose=0
    )[0]
    predicted = model.predict(split.x["test"], batch_size=1024, verbose=0)
    truth = split.y["test"]
    observed = np.isfinite(truth)
    true = np.mean(np.square(truth - predicted.astype("float64"))[observed])
    observed = np.isfinite(split.y["train"])
    complete = observed.all(axis=1)
    used = observed[complete].sum() / observed.sum() if way in (DROPPED, WEIGHTS) else 1.0
    r2 = [quickstart.r2(truth, predicted)[-1] if np.isfinite(predicted).all() else np.nan]
    return float(used), float(r2[0]), float(shown), float(true)


def treat(split: Split, way: str, part: str) -> Labelled:
    """The labels of a part as one way has them, and weights where it has any."""
    x, y = split.x[part], split.y[part]
    complete = np.isfinite(y).all(axis=1)
    if way == DROPPED:
        kept = np.flatnonzero(complete)
        # In training repeated, so that an epoch has as many batches.
        kept = np.resize(kept, len(y)) if part == "train" else kept
        return Labelled(x[kept], y[kept], None)
    if way == MEANS:
        return Labelled(x, np.nan_to_num(y), None)  # standardised: 0 is the column's mean
    if way == ZEROS:
        zero = (-split.mean / split.scale).astype(y.dtype)  # in the labels' own units
        return Labelled(x, np.where(np.isnan(y), zero, y), None)
    if way == WEIGHTS:
        return Labelled(x, np.nan_to_num(y), complete.astype("float32"))
    return Labelled(x, y, None)


def loss_of(way: str) -> Any:
    """The loss that goes with it."""
    import keras
    from keras import ops

    import keras_masked as km

    def where(y: Any, p: Any) -> Any:
        return ops.mean(ops.where(ops.isnan(y), 0.0, ops.square(y - p)))

    def by_hand(y: Any, p: Any) -> Any:
        seen = ops.cast(ops.logical_not(ops.isnan(y)), "float32")
        return ops.mean(seen * ops.square(ops.nan_to_num(y) - p))

    special = {WHERE: where, BY_HAND: by_hand, MASKED: km.masked("mse")}
    return special.get(way, keras.losses.MeanSquaredError())


def areas(split: Split) -> None:
    """The mean AUC of four yes-or-no labels with holes, one of which is never a yes."""
    import torch
    import torchmetrics
    from sklearn.metrics import roc_auc_score

    import keras_masked as km

    rng = np.random.default_rng(0)
    y = split.y["test"]
    scores = 1 / (1 + np.exp(-(np.nan_to_num(y) + rng.normal(size=y.shape)))).astype("float32")
    seen = np.isfinite(y)
    thresholds = np.array([0.0, 0.0, 0.0, np.nanmax(y[:, 3])])
    binary = np.where(seen, y > thresholds, -1).astype("int64")
    each = [roc_auc_score(binary[seen[:, c], c], scores[seen[:, c], c]) for c in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torchmetrics.classification.MultilabelAUROC(4, ignore_index=-1)(
            torch.tensor(scores), torch.tensor(binary)
        )
        squared = torchmetrics.MeanSquaredError()(torch.tensor(y) * 0, torch.tensor(y))
    ours = km.metrics.PerLabel(km.metrics.ROCAUC(missing=-1, name="auc"), quickstart.LABELS)
    ours.update_state(binary, scores)
    area = float(ours.result()["auc/macro"])
    print(
        f"\nMean AUC of four labels, one without a positive: scikit-learn on deleted data "
        f"{np.mean(each):.3f}, TorchMetrics with ignore_index=-1 {float(theirs):.3f}, "
        f"keras_masked {area:.3f}. TorchMetrics' MeanSquaredError with NaN labels: {squared}"
    )


if __name__ == "__main__":
    main()
