"""What the scripts of all engines train: the data, the losses, and the numbers they report.

One model has an output for each loss. Its heads share nothing but the input, so that one `fit`
trains them all, each as if it were alone.
"""

import contextlib
import json
import sys
from pathlib import Path

import keras
import numpy as np

import keras_masked as km
from keras_masked import _backend

FEATURES, LABELS = 4, 3
RATES = (0.5, 0.6, 0.7)

KERAS_DISTRIBUTES_TORCH = tuple(map(int, keras.version().split(".")[:2])) >= (3, 16)
"""Whether `fit` wraps a model in `DistributedDataParallel`, and metrics add up over processes."""

Loss = km.losses.MeanSquaredError
UNWEIGHTED = {
    "micro": Loss(),
    "samples": Loss(average="samples"),
    "macro": Loss(average="macro"),
    "rate": Loss(observed_rate=0.6),
    "rates": Loss(observed_rate=RATES, average="macro"),
    "sum": Loss(reduction="sum"),
    "complete": Loss(),
    "complete_macro": Loss(average="macro"),
}
WEIGHTED = {
    "weights": Loss(reduction="mean_with_sample_weight"),
    "weights_samples": Loss(reduction="mean_with_sample_weight", average="samples"),
    "weights_macro": Loss(reduction="mean_with_sample_weight", average="macro"),
    "weights_counted": Loss(),
}
GROUPS = {"unweighted": UNWEIGHTED, "weighted": WEIGHTED}
UNEQUAL = ("micro", "samples", "macro")
"""Losses of which a mean over the parts of a batch differs, also where the parts are equal."""


COLUMNS = ["a", "b", "c"]


def metrics():
    """Metrics of one output: a mean, moments, and counts, of all labels and of each column."""
    return [
        km.metrics.MeanAbsoluteError(name="mae"),
        km.metrics.R2Score(name="r2"),
        km.metrics.PearsonCorrelation("correlation", axis=None),
        km.metrics.PerLabel(km.metrics.ConcordanceCorrelation(), COLUMNS, name="concordance"),
        km.metrics.PerLabel(km.metrics.MeanError(), COLUMNS, name="bias"),
        km.metrics.PerLabel(km.metrics.MeanSquaredError(), COLUMNS, name="errors"),
    ]


METRICS = [
    *(f"micro_{name}" for name in ("mae", "r2", "correlation")),
    *(f"{kind}/{column}" for kind in ("concordance", "bias", "errors") for column in COLUMNS),
    *(f"{kind}/macro" for kind in ("concordance", "bias", "errors")),
]
"""What Keras logs them as; the results of a dict get no output's name."""


def table(rows, part, seed):
    """Features, labels and weights; every second part of so many rows has few labels, and large.

    The last column has none at all there.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, FEATURES))
    y = rng.normal(size=(rows, LABELS))
    weight = rng.uniform(0.5, 2.0, size=rows)
    poor = np.arange(rows) // part % 2 == 1
    y[poor] += 3.0
    weight[poor] *= 3.0
    gone = rng.random((rows, LABELS)) < np.where(poor, 0.6, 0.1)[:, None]
    gone[poor, -1] = True
    gone[::3, 0] = False  # no batch without any label
    return x.astype("float32"), np.where(gone, np.nan, y).astype("float32"), weight


def model(losses):
    """A linear model with an output for each loss, and the same weights whenever it is made."""
    inputs = keras.Input((FEATURES,))
    outputs = {name: keras.layers.Dense(LABELS, name=name)(inputs) for name in losses}
    network = keras.Model(inputs, outputs)
    kernel = np.random.default_rng(0).normal(size=(FEATURES, LABELS))
    for name in losses:
        network.get_layer(name).set_weights([kernel, np.zeros(LABELS)])
    network.compile(
        keras.optimizers.SGD(0.05),
        dict(losses),
        metrics={"micro": metrics()} if "micro" in losses else {},
        jit_compile=keras.config.backend() == "jax",
    )
    return network


def inputs(group, data):
    """Arguments of `fit` and `evaluate`."""
    x, y, weight = data
    losses = GROUPS[group]
    whole = np.nan_to_num(y).round().astype("int32")  # integers, of which none can be NaN
    y = {name: whole if name.startswith("complete") else y for name in losses}
    if group == "unweighted":
        return {"x": x, "y": y}
    return {"x": x, "y": y, "sample_weight": dict.fromkeys(losses, weight)}


def fit(network, data, batch_size):
    """Keras's own training, for one epoch; returns what it logs."""
    history = network.fit(**data, batch_size=batch_size, shuffle=False, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


def train(
    train_data,
    test_data,
    batch_size,
    scope=contextlib.nullcontext,
    fit=fit,
    groups=GROUPS,
):
    """Evaluates, trains for one epoch, evaluates: all that a user sees, by name."""
    seen = {}
    for group in groups:
        with scope():
            network = model(GROUPS[group])
        test = {**inputs(group, test_data), "batch_size": batch_size, "verbose": 0}
        before = network.evaluate(**test, return_dict=True)
        logged = fit(network, inputs(group, train_data), batch_size)
        after = network.evaluate(**test, return_dict=True)
        for moment, logs in {"before": before, "fit": logged, "after": after}.items():
            for name, value in logs.items():
                seen[f"{moment}/{f'total {group}' if name == 'loss' else name}"] = float(value)
        for name in GROUPS[group]:
            kernel, bias = network.get_layer(name).get_weights()
            seen[f"weights/{name}"] = [*kernel.ravel().tolist(), *bias.tolist()]
    return seen


@contextlib.contextmanager
def means_of_means(parts):
    """What Keras does: each part divides by what it holds itself, and the parts are averaged."""
    total, combine = _backend.total, _backend.combine
    # Keras's trainer on TensorFlow adds up; `DistributedDataParallel` averages by itself.
    share = parts if keras.config.backend() == "tensorflow" else 1
    _backend.total = lambda denominator: denominator
    _backend.combine = lambda loss: loss / share if _backend.replicated() else loss
    try:
        yield
    finally:
        _backend.total, _backend.combine = total, combine


def report(**numbers):
    """Writes the numbers where the test reads them: the script's last argument."""
    Path(sys.argv[-1]).write_text(json.dumps(numbers))
