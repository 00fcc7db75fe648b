"""Small models of every kind, compiled, with their data: what is carried between backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_masked as km

ROWS, FEATURES, LABELS = 24, 4, 3
COLUMNS = [f"column_{c}" for c in range(LABELS)]
SENTINEL = -9999.0
EMPTY_ROW = 1

Model = tuple[keras.Model, np.ndarray, Any]


def table(rows: int = ROWS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, the complete labels, and which of these to take away: a whole row of them, say."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, FEATURES))
    y = x @ rng.normal(size=(FEATURES, LABELS)) + 0.1 * rng.normal(size=(rows, LABELS))
    gone = rng.random(y.shape) < 0.3
    gone[EMPTY_ROW] = True
    return x, y, gone


def network(**heads: str | None) -> keras.Model:
    """One output per name, with its activation."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((FEATURES,))
    outputs = [keras.layers.Dense(LABELS, act, name=name)(inputs) for name, act in heads.items()]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])


def optimizer() -> keras.optimizers.Optimizer:
    """One with state, and the same class on every backend.

    On PyTorch, Keras saves Adam, SGD and six others as classes of `keras.src.backend.torch`, which
    load nowhere else, whatever the losses (except with `custom_objects={"Adam": ...}`).
    """
    return keras.optimizers.Lamb(0.05)


def regression(**options: Any) -> Model:
    """A sentinel among real values."""
    x, y, gone = table()
    model = network(values=None)
    metrics = [
        km.metrics.MeanAbsoluteError(missing=SENTINEL),
        km.metrics.RootMeanSquaredError(missing=SENTINEL),
        km.metrics.R2Score(missing=(SENTINEL, "nan"), class_aggregation=None),
        km.metrics.ObservedFraction(missing=SENTINEL),
        km.metrics.PerLabel(
            km.metrics.PearsonCorrelation(missing=SENTINEL), COLUMNS, "weighted", show_support=True
        ),
    ]
    loss = km.losses.MeanSquaredError(missing=SENTINEL, reduction="mean_with_sample_weight")
    model.compile(optimizer(), loss=loss, metrics=metrics, **options)
    return model, x, np.where(gone, SENTINEL, y)


def multi_label(**options: Any) -> Model:
    """Binary labels with holes."""
    x, y, gone = table()
    model = network(assays="sigmoid")
    metrics = [
        km.metrics.AUC(multi_label=True, name="auc_of_columns", thresholds=[0.25, 0.5, 0.75]),
        km.metrics.AUC(name="pr", curve="PR"),
        km.metrics.BinaryAccuracy(threshold=0.4),
        km.metrics.PerLabel(km.metrics.F1Score(threshold=0.5), COLUMNS),
        km.metrics.PerLabel(km.metrics.BinaryIoU(), COLUMNS, name="iou"),
        km.metrics.RecallAtPrecision(0.3, name="recall_at"),
        km.metrics.Masked(keras.metrics.Precision(name="precision")),
    ]
    loss = km.losses.BinaryCrossentropy(label_smoothing=0.1)
    model.compile(optimizer(), loss=loss, metrics=metrics, **options)
    return model, x, np.where(gone, np.nan, y > 0)


def class_ids(**options: Any) -> Model:
    """Class ids of which some are -1, with objects of Keras's lifted over them."""
    x, y, gone = table()
    model = network(species="softmax")
    top_2 = keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top_2")
    metrics = [
        km.metrics.SparseCategoricalAccuracy(),
        km.metrics.Masked(top_2, label_axes=1, missing=-1),
    ]
    loss = keras.losses.SparseCategoricalCrossentropy()
    loss = km.losses.Masked(loss, label_axes=1, fill=(0, 0.5), missing=-1)
    model.compile(optimizer(), loss=loss, metrics=metrics, **options)
    return model, x, np.where(gone[:, 0], -1, y.argmax(axis=-1))


def sequence(**options: Any) -> Model:
    """Padded sequences, whose labels have holes beside the padding."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 9, size=(6, 5))
    tokens[np.arange(5) >= np.array([5, 3, 4, 0, 1, 2])[:, None]] = 0
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,), dtype="int32")
    # Not trained: on TensorFlow its gradients are sparse, for which Keras's Lamb steps differ.
    embedded = keras.layers.Embedding(9, 4, mask_zero=True, trainable=False)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(LABELS, "softmax")(embedded))
    loss = km.losses.SparseCategoricalCrossentropy()
    metrics = [km.metrics.SparseCategoricalCrossentropy(name="crossentropy")]
    model.compile(optimizer(), loss=loss, metrics=metrics, **options)
    labels = rng.integers(0, LABELS, tokens.shape)
    return model, tokens, np.where(rng.random(tokens.shape) < 0.3, -1, labels)


def functions(**options: Any) -> Model:
    """Functions instead of objects."""
    x, y, gone = table()
    model = network(values=None)
    metrics = [km.metrics.mean_absolute_error]
    model.compile(optimizer(), loss=km.losses.mean_squared_error, metrics=metrics, **options)
    return model, x, np.where(gone, np.nan, y)


def several_outputs(**options: Any) -> Model:
    """Three kinds of labels, each missing in its own way."""
    x, y, gone = table()
    model = network(values=None, assays="sigmoid", species="softmax")
    precision = km.metrics.Masked(keras.metrics.Precision(), name="precision")
    model.compile(
        optimizer(),
        loss={
            "values": km.losses.Masked(keras.losses.Huber(), missing=SENTINEL),
            "assays": km.losses.BinaryCrossentropy(),
            "species": km.losses.SparseCategoricalCrossentropy(),
        },
        loss_weights={"values": 1.0, "assays": 0.5, "species": 2.0},
        metrics={
            "values": [km.metrics.R2Score(missing=SENTINEL)],
            "assays": [km.metrics.AUC(name="auc"), precision],
            "species": [km.metrics.SparseCategoricalAccuracy()],
        },
        **options,
    )
    labels = [
        np.where(gone, SENTINEL, y),
        np.where(gone[::-1], np.nan, y > 0),
        np.where(gone[:, 0], -1, y.argmax(axis=-1)),
    ]
    return model, x, labels


def boxes_and_fields(**options: Any) -> Model:
    """Losses that Keras does not have, with options; predictions as in the labels' range."""
    x, _, gone = table()
    rng = np.random.default_rng(4)
    keras.utils.set_random_seed(1)
    inputs = keras.Input((FEATURES,))
    rain = keras.layers.Dense(25, "sigmoid")(inputs)
    outputs = [
        keras.layers.Dense(4, name="boxes")(inputs),
        keras.layers.Reshape((5, 5), name="rain")(rain),
        keras.layers.Dense(LABELS, "sigmoid", name="assays")(inputs),
    ]
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer(),
        loss={
            "boxes": km.losses.GIoULoss(mode="giou", missing=SENTINEL),
            "rain": km.losses.FractionsSkillScore(window=2, threshold=0.4, axis=(1, 2)),
            "assays": km.losses.SigmoidFocalCrossEntropy(alpha=0.4, gamma=1.5),
        },
        **options,
    )
    corners = rng.normal(size=(ROWS, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.5, 2, (ROWS, 2))], axis=-1)
    boxes[gone[:, 0], 1] = SENTINEL
    fields = rng.random((ROWS, 5, 5))
    fields[rng.random(fields.shape) < 0.3] = np.nan
    return model, x, [boxes, fields, np.where(gone, np.nan, rng.random(gone.shape) < 0.5)]


def survey(**options: Any) -> Model:
    """Predicted distributions of labels with errors, in their units, of a normalized network."""
    x, y, gone = table()
    units = np.array([0.1, 1.0, 20.0])
    y = np.where(gone, SENTINEL, y * units + 50 * units)
    errors = np.where(gone, SENTINEL, np.abs(x[:, :LABELS]) * 0.1 * units)
    normalization = km.layers.LabelNormalization(missing=SENTINEL, names=COLUMNS)
    normalization.adapt(y)
    keras.utils.set_random_seed(1)
    head = km.layers.DistributionHead(LABELS)
    end = km.layers.LabelDenormalization(normalization, "gaussian")
    model = keras.Sequential([keras.Input((FEATURES,)), head, end])
    metrics = [
        km.metrics.OfMean(km.metrics.MeanAbsoluteError(missing=SENTINEL)),
        km.metrics.StandardizedResidualScatter(missing=SENTINEL),
        km.metrics.IntervalCoverage(missing=SENTINEL),
    ]
    loss = km.losses.NegativeLogLikelihood(missing=SENTINEL)
    model.compile(optimizer(), loss=loss, metrics=metrics, **options)
    return model, x, np.stack([y, errors], axis=-1)


def language_model(**options: Any) -> Model:
    """A layer that adds the loss, and shares the kernel of another; it takes the ids itself."""
    rng = np.random.default_rng(5)
    x = rng.integers(1, 9, (ROWS, 5, 2)).astype("int32")
    x[..., 1][rng.random((ROWS, 5)) < 0.4] = -100
    keras.utils.set_random_seed(1)
    both = keras.Input((5, 2), dtype="int32")
    embedding = keras.layers.ReversibleEmbedding(9, 4)
    hidden = keras.layers.Dense(4, "tanh")(embedding(both[..., 0]))
    head = km.layers.LinearCrossentropy(
        kernel=embedding, missing=-100, label_smoothing=0.1, z_loss=1e-3, observed_rate=0.6
    )
    model = keras.Model(both, head([both[..., 1], hidden]))
    model.compile(optimizer(), **options)
    return model, x, None


def families(**options: Any) -> Model:
    """A head for each predicted distribution; run eagerly, since it takes long to compile."""
    del options
    d = km.distributions
    fractions: list[Any] = [
        d.Beta(), d.Exponential(), d.Gamma(), d.Gaussian(), d.Histogram([0, 0.3, 0.5, 1]),
        d.Laplace(), d.LogLogistic(), d.LogNormal(), d.Logistic(), d.NormalInverseGamma(),
        d.Mixture(d.Laplace(), 2), d.StudentT(), d.StudentT(5), d.Weibull(),
        d.DiscreteHazard([0, 0.3, 0.5, 1]), d.MultivariateGaussian(LABELS),
    ]  # fmt: skip
    counts = [d.Poisson(), d.NegativeBinomial(), d.ZeroInflated("poisson")]
    _, y, gone = table()
    losses = {f"family_{i}": nll(each) for i, each in enumerate([*fractions, *counts])}
    y = 1 / (1 + np.exp(-y))
    labels = [np.where(gone, np.nan, y)] * len(fractions)
    labels += [np.where(gone, np.nan, np.floor(10 * y))] * len(counts)
    return heads([*fractions, *counts], losses, labels)


def nll(distribution: Any) -> keras.losses.Loss:
    return km.losses.NegativeLogLikelihood(distribution, name="nll")


def scores(**options: Any) -> Model:
    """Losses of quantiles, ensembles, intervals and distributions, run eagerly as well."""
    del options
    _, y, gone = table()
    quantiles = km.distributions.Quantiles((0.1, 0.5, 0.9), ordered=True)
    losses = {
        "pinball": km.losses.PinballLoss((0.1, 0.5, 0.9)),
        "intervals": km.losses.WeightedIntervalScore((0.8,)),
        "ensemble": km.losses.EnsembleCRPS(fair=True),
        "energy": km.losses.EnergyScore(),
        "crps": km.losses.ContinuousRankedProbabilityScore(quantiles),
        "expectile": km.losses.Expectile(0.3),
    }
    kinds = [quantiles] * (len(losses) - 1)
    return heads(kinds, losses, [np.where(gone, np.nan, y)] * len(losses))


def bounds(**options: Any) -> Model:
    """Labels of which some are known only as bounds, or as times without an event yet."""
    del options
    x, y, gone = table()
    times = np.where(gone, np.nan, np.exp(y / 4))  # not far from where an untrained head puts them
    until = km.censored_labels(times, event=x[:, :LABELS] > -0.5)
    losses = {
        "weibull": km.losses.NegativeLogLikelihood("weibull", censored=True, name="nll"),
        "cox": km.losses.CoxPartialLikelihood(),
        "squares": km.losses.MeanSquaredError(censored=True),
    }
    brier = km.metrics.BrierScoreAt("weibull", 1.0)
    brier.adapt(until)
    concordance = km.metrics.ConcordanceIndex(capacity=2 * ROWS, estimator="uno")
    metrics = {
        "weibull": [brier, km.metrics.CalibrationError("weibull", censored=True)],
        "cox": [km.metrics.PerLabel(concordance, COLUMNS)],
        "squares": [km.metrics.RootMeanSquaredError(censored=True)],
    }
    kinds = [km.distributions.Weibull()]
    return heads(kinds, losses, [until] * len(losses), metrics=metrics)


def heads(
    distributions: list[Any], losses: dict[str, Any], labels: list[Any], **options: Any
) -> Model:
    """An output for each loss: parameters of a distribution, where there is one."""
    keras.utils.set_random_seed(1)
    x, _, _ = table()
    inputs = keras.Input((FEATURES,))
    layers = [
        km.layers.DistributionHead(LABELS, each, name=name)
        for each, name in zip(distributions, losses, strict=False)
    ]
    layers += [keras.layers.Dense(LABELS, name=name) for name in list(losses)[len(layers) :]]
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    model.compile(optimizer(), losses, run_eagerly=True, **options)
    return model, x, labels


MODELS: dict[str, Callable[..., Model]] = {
    build.__name__: build
    for build in (
        regression,
        multi_label,
        class_ids,
        sequence,
        functions,
        several_outputs,
        boxes_and_fields,
        survey,
        language_model,
        families,
        scores,
        bounds,
    )
}
"""Each builds a compiled model and returns it with its data."""
