"""`label_weights` and `class_weights`: against float64 sums over labels that are deleted."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad

pytestmark = pytest.mark.slow

Array = np.ndarray
L = km.losses

B, C, CLASSES = 5, 4, 3
WEIGHTS = (2.0, 0.5, 0.0, 3.0)
OF_CLASSES = (0.25, 4.0, 1.5)


def drawn(columns: int = C) -> tuple[Array, Array, Array, Array]:
    """Labels, predictions, which are observed (in one column none), and weights."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, B, columns)).astype("float32")
    o = rng.random((B, columns)) > 0.4
    o[:, 1] = False
    return y, p, o, (rng.random((B, columns)) + 0.5).astype("float32")


def hide(y: Array, o: Array) -> Array:
    return np.where(o, y, np.nan).astype("float32")


def expected(
    losses: Array, o: Array, w: Array, of_columns: Array, reduction: str, average: str
) -> float:
    """By deletion: micro and samples multiply, macro is the weighted mean of the columns."""
    by_weight = reduction == "mean_with_sample_weight"
    if average == "macro":
        values, weights = [], []
        for c in np.flatnonzero(o.any(0)):
            k = o[:, c]
            by = w[k, c].sum() if by_weight else k.sum()
            values.append((losses[k, c] * w[k, c]).sum() / by)
            weights.append(of_columns[c])
        return float(np.average(values, weights=weights))
    w = w * of_columns
    if average == "micro":
        return float((losses * w)[o].sum() / (w[o].sum() if by_weight else o.sum()))
    seen = [i for i in range(len(o)) if o[i].any()]
    means = sum((losses[i] * w[i])[o[i]].mean() for i in seen)
    return float(means / (sum(w[i][o[i]].mean() for i in seen) if by_weight else len(seen)))


@pytest.mark.parametrize("average", ["micro", "samples", "macro"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight"])
def test_label_weights(average: str, reduction: str) -> None:
    y, p, o, w = drawn()
    losses = (y - p).astype(float) ** 2
    loss = L.MeanSquaredError(reduction, average=average, label_weights=WEIGHTS)
    for weight in (None, w):
        full = np.ones(o.shape) if weight is None else w.astype(float)
        value = to_numpy(loss(hide(y, o), p, weight))
        oracle = expected(losses, o, full, np.array(WEIGHTS), reduction, average)
        np.testing.assert_allclose(value, oracle, rtol=2e-6)


def test_label_weights_with_rates_rows_and_gradients() -> None:
    y, p, o, w = drawn()
    losses, of_columns = (y - p).astype(float) ** 2, np.array(WEIGHTS)
    products = np.where(o, losses * w * of_columns, 0)
    loss = L.MeanSquaredError(observed_rate=0.5, label_weights=WEIGHTS)
    np.testing.assert_allclose(to_numpy(loss(hide(y, o), p, w)), products.sum() / 10, 2e-6)
    rates = np.array([0.5, 0.25, 1.0, 0.8])
    loss = L.MeanSquaredError(average="macro", observed_rate=rates, label_weights=WEIGHTS)
    oracle = (products / rates).sum() / B / of_columns.sum()
    np.testing.assert_allclose(to_numpy(loss(hide(y, o), p, w)), oracle, 2e-6)
    loss = L.MeanSquaredError(None, label_weights=WEIGHTS)
    rows = products.sum(1) / np.maximum(o.sum(1), 1)
    np.testing.assert_allclose(to_numpy(loss(hide(y, o), p, w)), rows, 2e-6)
    garbage = np.where(o & (of_columns > 0), p, np.nan)  # a weight of 0 hides
    loss = L.MeanSquaredError(label_weights=WEIGHTS)
    value, gradient = value_and_grad(lambda q: loss(hide(y, o), q))(tensor(garbage))
    np.testing.assert_allclose(
        to_numpy(gradient), np.where(o, 2 * (p - y) * of_columns, 0) / o.sum(), 2e-6
    )
    np.testing.assert_allclose(to_numpy(value), (losses * of_columns)[o].sum() / o.sum(), 2e-6)


def test_label_weights_of_one_column_vectors_sets_and_groups() -> None:
    y, p, o, w = drawn()
    losses = (y - p).astype(float) ** 2
    loss = L.MeanSquaredError(label_weights=[3.0])
    value = to_numpy(loss(hide(y, o), p[..., None], w))
    np.testing.assert_allclose(value, 3 * (losses * w)[o].mean(), 2e-6)

    ids, q = np.random.default_rng(1).integers(0, CLASSES, (B, C)), softmax((B, C, CLASSES))
    labels = np.where(o, ids, -1)
    of_ids = -np.log(np.take_along_axis(q, ids[..., None], -1)[..., 0].astype(float))
    loss = L.SparseCategoricalCrossentropy(label_weights=WEIGHTS, average="macro")
    oracle = expected(of_ids, o, w.astype(float), np.array(WEIGHTS), "mean", "macro")
    np.testing.assert_allclose(to_numpy(loss(labels, q, w)), oracle, 2e-6)

    binary = (y > 0).astype("float32")
    sets = to_numpy(L.Dice(None, axis=0)(binary, q[..., 0]))
    assert sets.shape == (C,)
    masks, scores = np.stack([binary] * 2), np.stack([q[..., 0]] * 2)
    loss = L.Dice(axis=1, average="macro", label_weights=WEIGHTS)
    np.testing.assert_allclose(
        to_numpy(loss(masks, scores)), np.average(sets, weights=WEIGHTS), 2e-6
    )

    loss = L.RootMeanSquaredError(label_weights=WEIGHTS)
    weighted = L.RootMeanSquaredError()(
        hide(y, o), p, np.broadcast_to(np.float32(WEIGHTS), y.shape)
    )
    np.testing.assert_allclose(to_numpy(loss(hide(y, o), p)), to_numpy(weighted), 2e-6)


def softmax(shape: tuple[int, ...]) -> Array:
    p = np.random.default_rng(2).random(shape).astype("float32") + 0.1
    return p / p.sum(-1, keepdims=True)


def one_hot(ids: Array, o: Array) -> Array:
    return np.where(o[..., None], np.eye(CLASSES)[ids], np.nan).astype("float32")


@pytest.mark.parametrize(
    "loss",
    [L.SparseCategoricalCrossentropy, L.CategoricalGeneralizedCrossEntropy, L.MulticlassHinge,
     L.CategoricalCrossentropy, L.CategoricalFocalCrossentropy, L.CategoricalHinge],
)  # fmt: skip
def test_class_weights(loss: Any) -> None:
    """They multiply the losses: as `sample_weight` by class, in every average."""
    _, _, o, w = drawn()
    ids, p = np.random.default_rng(1).integers(0, CLASSES, (B, C)), softmax((B, C, CLASSES))
    y = np.where(o, ids, -1) if loss().label.class_ids else one_hot(ids, o)
    of_labels = np.float32(OF_CLASSES)[ids]
    for options in ({}, {"reduction": "mean_with_sample_weight", "average": "samples"}):
        value = to_numpy(loss(class_weights=OF_CLASSES, **options)(y, p, w))
        np.testing.assert_allclose(value, to_numpy(loss(**options)(y, p, w * of_labels)), 2e-6)
    if loss is L.SparseCategoricalCrossentropy:
        losses = -np.log(np.take_along_axis(p, ids[..., None], -1)[..., 0].astype(float))
        value = to_numpy(loss(class_weights=OF_CLASSES)(y, p))
        np.testing.assert_allclose(value, (losses * of_labels)[o].sum() / o.sum(), 2e-6)


def test_class_weights_of_pixels_binary_and_soft_labels() -> None:
    y, p, o, w = drawn()
    binary, q = (y > 0).astype(float), 1 / (1 + np.exp(-p.astype(float)))
    losses = -np.where(binary == 1, np.log(q), np.log(1 - q))
    factors = np.where(binary == 1, 5.0, 0.5)
    loss = L.BinaryCrossentropy(from_logits=True, class_weights=(0.5, 5.0))
    value = to_numpy(loss(hide(binary, o), p, w))
    np.testing.assert_allclose(value, (losses * factors * w)[o].mean(), 2e-6)

    soft = softmax((B, CLASSES))
    q = softmax((B, CLASSES))[::-1]
    oracle = (-(soft * np.log(q)).sum(-1) * (soft @ np.array(OF_CLASSES))).mean()
    loss = L.CategoricalCrossentropy(class_weights=OF_CLASSES)
    np.testing.assert_allclose(to_numpy(loss(soft, q)), oracle, 2e-6)


@pytest.mark.parametrize(
    "weights", ["ab", 1.0, [], [1.0, -1.0], [np.nan, 1], [np.inf], [True], [[1.0]], {0: 1.0}]
)
def test_weights_that_are_none_raise(weights: Any) -> None:
    for name in ("label_weights", "class_weights"):
        with pytest.raises(ValueError, match=name):
            L.CategoricalCrossentropy(**{name: weights})


def test_weights_of_other_lengths_raise() -> None:
    y, p = np.zeros((2, 3)), np.zeros((2, 3))
    with pytest.raises(ValueError, match="2 values for 3 columns"):
        L.MeanSquaredError(label_weights=[1, 2])(y, p)
    with pytest.raises(ValueError, match="labels without"):
        L.MeanSquaredError(label_weights=[1])(y[0], p[0])
    with pytest.raises(ValueError, match="2 values for 3 classes"):
        L.CategoricalCrossentropy(class_weights=[1, 2])(y, p)
    with pytest.raises(ValueError, match="two values for binary"):
        L.BinaryCrossentropy(class_weights=[1, 2, 3])
    with pytest.raises(ValueError, match="CTC has none"):
        L.CTC(label_weights=[1])
    with pytest.raises(TypeError, match="class_weights"):
        L.MeanSquaredError(class_weights=[1, 2])


def test_weights_are_saved_and_shown() -> None:
    loss = L.CategoricalCrossentropy(class_weights=[1, 2], label_weights=np.array([0.5]))
    copy = L.deserialize(L.serialize(loss))
    assert copy.get_config() == loss.get_config()
    assert (copy.class_weights, copy.label_weights) == ((1.0, 2.0), (0.5,))
    assert "class_weights: Weights of the classes" in str(L.CategoricalCrossentropy.__doc__)
    assert "label_weights: Weights of the columns" in str(L.CategoricalCrossentropy.__doc__)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="zeros")])
    model.compile("sgd", L.MeanSquaredError(label_weights=(1.0, 3.0)))
    y = np.array([[1.0, np.nan], [2.0, 1.0]], "float32")
    history = model.fit(np.zeros((2, 2)), y, verbose=0).history
    np.testing.assert_allclose(history["loss"], (1 + 4 + 3) / 3, rtol=1e-6)


BINARY = ("AsymmetricLoss", "BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge",
          "SigmoidFocalCrossEntropy", "SquaredHinge")  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
def test_class_weights_of_binary_labels_a_pair_or_one_per_column(name: str) -> None:
    """Against the losses of single labels, which the loss itself gives, times their weights."""
    y, p, o, w = drawn()
    y, p = (y > 0).astype("float32"), 1 / (1 + np.exp(-p))
    each = np.array([[to_numpy(getattr(L, name)()(y[i, [c]], p[i, [c]])) for c in range(C)]
                     for i in range(B)])  # fmt: skip
    pairs = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, 4.0], [0.0, 1.0]])
    for weights in (pairs[0], pairs):
        of_labels = np.where(y > 0, *np.broadcast_to(weights, (C, 2)).T[::-1])
        loss = getattr(L, name)(class_weights=weights)
        assert type(loss).from_config(loss.get_config()).get_config() == loss.get_config()
        count = o.any(1).sum() if name.startswith("Sigmoid") else o.sum()
        for weight in (None, w):
            oracle = (each * of_labels * (1 if weight is None else w))[o].sum() / count
            value = to_numpy(loss(hide(y, o), p, weight))
            np.testing.assert_allclose(value, oracle, rtol=5e-6)
    signs = np.where(y > 0, 1, -1).astype("float32")
    if "Hinge" in name:
        value = to_numpy(loss(np.where(o, signs, np.nan), p, w))
        np.testing.assert_allclose(value, oracle, rtol=5e-6)
    with pytest.raises(ValueError, match="one pair per column"):
        getattr(L, name)(class_weights=[[1, 2], [3, 4]])(y, p)
    with pytest.raises(ValueError, match="a pair for each column"):
        getattr(L, name)(class_weights=[[1, 2, 3]])


def test_class_weights_of_stacked_and_ordinal_predictions() -> None:
    y, p, o, _ = drawn()
    ids = np.random.default_rng(1).integers(0, CLASSES, B)
    q = np.random.default_rng(2).normal(size=(B, CLASSES, 2)).astype("float32")
    one_hot = np.eye(CLASSES, dtype="float32")[ids]
    one_hot[0] = np.nan
    for cls in (L.RobustCategoricalCrossentropy, L.BayesianCategoricalCrossentropy):
        rows = to_numpy(cls(reduction=None)(one_hot, q))
        value = to_numpy(cls(class_weights=OF_CLASSES)(one_hot, q))
        np.testing.assert_allclose(value, (rows * np.array(OF_CLASSES)[ids])[1:].mean(), 2e-6)
    stacked = np.stack([p, 0 * p], -1)
    binary = (y > 0).astype("float32")
    pairs = [[1, 2], [3, 1], [0.5, 4], [0, 1]]
    for cls in (L.RobustBinaryCrossentropy, L.BayesianBinaryCrossentropy):
        each = np.stack(
            [to_numpy(cls(reduction=None)(binary[:, [c]], stacked[:, [c]])) for c in range(C)], 1
        )
        factors = np.where(binary > 0, *np.array(pairs).T[::-1])
        value = to_numpy(cls(class_weights=pairs)(hide(binary, o), stacked))
        np.testing.assert_allclose(value, (each * factors)[o].mean(), 5e-6)
    loss = L.OrdinalCrossentropy(reduction=None)
    value = to_numpy(L.OrdinalCrossentropy(class_weights=OF_CLASSES)(ids, q[:, :2, 0]))
    rows = to_numpy(loss(ids, q[:, :2, 0]))
    np.testing.assert_allclose(value, (rows * np.array(OF_CLASSES)[ids]).mean(), 2e-6)
    with pytest.raises(ValueError, match="one value per class"):
        L.OrdinalCrossentropy(class_weights=OF_CLASSES)(ids, q[..., 0])
