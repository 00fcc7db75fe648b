"""Class ids instead of one-hot rows, averages over classes, and classes that are not averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import keras_masked as km
from tests.backend import to_numpy
from tests.test_metric_values import value_of

L, M = km.losses, km.metrics
NAN = float("nan")
RNG = np.random.default_rng(0)
CLASSES, ROWS = 5, 80
IDS = RNG.integers(0, CLASSES - 1, ROWS)  # the last class is predicted, and never there
P = RNG.dirichlet(np.ones(CLASSES), ROWS).astype("float32")
P[::2] = 0.5 * P[::2] + 0.5 * np.eye(CLASSES, dtype="float32")[IDS[::2]]
P[:4, -1] += 1
P /= P.sum(-1, keepdims=True)
HIDDEN = RNG.random(ROWS) < 0.3
MARKED = np.where(HIDDEN, -1, IDS)
ONE_HOT = np.eye(CLASSES)[IDS]
ONE_HOT[HIDDEN] = NAN
W = RNG.random(ROWS) + 0.5
SEEN = ~HIDDEN
SAID = P.argmax(-1)


def sparse_and_dense(cls: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of ids in two batches with weights, and of the one-hot rows."""
    sparse = cls(sparse_y_true=True, **options)
    a = value_of(sparse, (MARKED[:30], P[:30], W[:30]), (MARKED[30:, None], P[30:], W[30:]))
    return a, value_of(cls(**options), (ONE_HOT, P, W))


AVERAGES = pytest.mark.parametrize(
    ("average", "targets"),
    [("micro", None), ("macro", (0, 2, 4)), ("weighted", None), (None, (0, 2, 4)),
     ("micro", (0, 2))],
    ids=str,
)  # fmt: skip


@AVERAGES
def test_f_scores(average: Any, targets: Any) -> None:
    options = {"average": average, "target_class_ids": targets}
    sparse, dense = sparse_and_dense(M.F1Score, **options)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)
    expected = sklearn_metrics.f1_score(
        IDS[SEEN], SAID[SEEN], average=average, labels=targets and list(targets),
        sample_weight=W[SEEN], zero_division=np.nan,
    )  # fmt: skip
    np.testing.assert_allclose(sparse, expected, rtol=1e-6)


@AVERAGES
@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_precision_and_recall(name: str, average: Any, targets: Any) -> None:
    """Of the greatest of each row's scores: `top_k=1`."""
    options = {"average": average, "target_class_ids": targets, "top_k": 1}
    sparse, dense = sparse_and_dense(getattr(M, name), **options)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)
    score = getattr(sklearn_metrics, f"{name.lower()}_score")
    expected = score(
        IDS[SEEN], SAID[SEEN], average=average, labels=list(targets or range(CLASSES)),
        sample_weight=W[SEEN], zero_division=np.nan,
    )  # fmt: skip
    np.testing.assert_allclose(sparse, expected, rtol=1e-6)


@AVERAGES
def test_accuracy_of_classes(average: Any, targets: Any) -> None:
    """The accuracy of the labels of a class is its recall."""
    options: Any = {"average": average, "target_class_ids": targets}
    sparse = value_of(M.SparseCategoricalAccuracy(**options), (MARKED, P, W))
    dense = value_of(M.CategoricalAccuracy(**options), (ONE_HOT, P, W))
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)
    expected = sklearn_metrics.recall_score(
        IDS[SEEN], SAID[SEEN], average=average, labels=list(targets or range(CLASSES)),
        sample_weight=W[SEEN], zero_division=np.nan,
    )  # fmt: skip
    np.testing.assert_allclose(sparse, expected, rtol=1e-6)
    p = P.copy()
    p[np.flatnonzero(SEEN)[0], 0] = NAN
    found = value_of(M.SparseCategoricalAccuracy(**options), (MARKED, p))
    assert np.isnan(found).all()


def test_accuracy_of_columns() -> None:
    y, p = (RNG.random((40, 4)) < 0.5).astype("float32"), RNG.random((40, 4)).astype("float32")
    y[RNG.random(y.shape) < 0.3] = NAN
    y[:, 2] = NAN
    o = ~np.isnan(y)
    right = (p > 0.5) == (y > 0)
    each = [right[o[:, c], c].mean() if o[:, c].any() else NAN for c in range(4)]
    np.testing.assert_allclose(value_of(M.BinaryAccuracy(average=None), (y, p)), each, rtol=1e-6)
    macro = value_of(M.BinaryAccuracy(average="macro"), (y, p))
    assert macro == pytest.approx(np.nanmean(each))
    weighted = value_of(M.BinaryAccuracy(average="weighted"), (y, p))
    assert weighted == pytest.approx(right[o].mean())
    some = value_of(M.BinaryAccuracy(target_class_ids=(1, 3)), (y, p))
    assert some == pytest.approx(right[:, [1, 3]][o[:, [1, 3]]].mean())
    with pytest.raises(ValueError, match="average"):
        M.PerLabel(M.BinaryAccuracy(average="macro"), ["a", "b"])
    with pytest.raises(ValueError, match="target_class_ids"):
        M.BinaryAccuracy(target_class_ids=(1, 4)).update_state(y, p)


@pytest.mark.parametrize("name", ["Specificity", "NegativePredictiveValue"])
def test_rates_of_negative_labels(name: str) -> None:
    """Of scikit-learn's tables of each column, its missing labels deleted."""
    rng = np.random.default_rng(0)
    y, p = (rng.random((40, 5)) < 0.5).astype("float32"), rng.random((40, 5)).astype("float32")
    y[:, 1], p[:, 2] = 1, 0.9  # no negative label, nothing said to be
    y[rng.random(y.shape) < 0.3] = NAN
    y[:, 3] = NAN
    w = rng.random(y.shape).astype("float32")
    tables = []
    for c in range(5):
        o = ~np.isnan(y[:, c])
        tables.append(
            sklearn_metrics.confusion_matrix(
                y[o, c], p[o, c] > 0.5, sample_weight=w[o, c], labels=[0, 1]
            )
            if o.any()
            else np.zeros((2, 2))
        )
    table = np.array(tables)
    right, negative = table[:, 0, 0], table[:, 0].sum(axis=-1)
    all_of = negative if name == "Specificity" else table[:, :, 0].sum(axis=-1)
    each = np.divide(right, all_of, out=np.full(5, NAN), where=all_of > 0)
    some = ~np.isnan(each)
    assert 0 < some.sum() < 4
    batches = [(y[i : i + 20], p[i : i + 20], w[i : i + 20]) for i in (0, 20)]
    for average, expected in {
        None: each,
        "micro": right.sum() / all_of.sum(),
        "macro": np.mean(each[some]),
        "weighted": np.average(each[some], weights=negative[some]),
    }.items():
        found = value_of(getattr(M, name)(average=average), *batches)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        nothing = value_of(getattr(M, name)(average=average), (NAN * y, p))
        assert np.isnan(nothing).all()
    wrong = value_of(getattr(M, name)(average="weighted"), (np.ones((2, 2)), np.zeros((2, 2))))
    np.testing.assert_equal(wrong, NAN if name == "Specificity" else 0.0)
    with pytest.raises(ValueError, match="average"):
        M.PerLabel(getattr(M, name)(average="weighted"), ["a", "b"])
    with pytest.raises(ValueError, match="one number"):
        M.WithInterval(getattr(M, name)(average=None))


@pytest.mark.parametrize("multi_label", [True, False])
def test_auc_of_ids(multi_label: bool) -> None:
    thresholds = np.linspace(0, 1, 2001)[1:-1]
    options: Any = {"multi_label": multi_label, "thresholds": thresholds}
    sparse, dense = sparse_and_dense(M.AUC, **options)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)
    average = "macro" if multi_label else "micro"
    there = list(range(CLASSES - 1)) if multi_label else list(range(CLASSES))
    expected = sklearn_metrics.roc_auc_score(
        np.eye(CLASSES)[IDS[SEEN]][:, there], P[SEEN][:, there], average=average,
        sample_weight=W[SEEN],
    )  # fmt: skip
    np.testing.assert_allclose(sparse, expected, atol=1e-3)
    logits = M.AUC(sparse_y_true=True, from_logits=True, **options)
    found = value_of(logits, (MARKED, np.log(P) + 3.0, W))
    np.testing.assert_allclose(found, sparse, atol=2e-4)


@pytest.mark.parametrize(
    "metric",
    [M.F1Score(), M.Precision(), M.Recall(), M.AUC(), M.CategoricalAccuracy()],
    ids=lambda metric: metric.name,
)
def test_ids_for_one_hot_rows_name_the_option(metric: Any) -> None:
    for ids in (MARKED, MARKED[:, None], np.abs(MARKED).astype("float32")):
        with pytest.raises(ValueError, match="sparse_y_true=True"):
            metric.update_state(ids, P)


def test_options_that_contradict() -> None:
    with pytest.raises(ValueError, match="average"):
        M.Precision([0.2, 0.5], average="macro")
    with pytest.raises(ValueError, match="average"):
        M.Recall(class_id=1, average=None)
    for metric in (M.F1Score(threshold=0.5, sparse_y_true=True), M.AUC(sparse_y_true=True),
                   M.Precision(average="macro"), M.Recall(target_class_ids=(1,))):  # fmt: skip
        with pytest.raises(ValueError, match="sparse_y_true"):
            M.PerLabel(metric, ["a", "b"])


def test_target_classes_that_are_not_there_raise() -> None:
    with pytest.raises(ValueError, match="top_k"):
        M.Recall(top_k=CLASSES + 1).update_state(ONE_HOT, P)
    for cls, labels in ((M.SparseCategoricalAccuracy, MARKED), (M.CategoricalAccuracy, ONE_HOT)):
        for average in ("micro", None):  # some backends would take another class instead, or 0
            with pytest.raises(ValueError, match="target_class_ids"):
                cls(target_class_ids=(1, CLASSES), average=average).update_state(labels, P)


@pytest.mark.parametrize("name", ["Dice", "Tversky", "CategoricalFocalCrossentropy"])
def test_losses_of_ids(name: str) -> None:
    cls = getattr(L, name)
    options: Any = {"label_smoothing": 0.1} if name.startswith("Categorical") else {}
    sparse = to_numpy(cls(sparse_y_true=True, **options)(MARKED, P))
    np.testing.assert_allclose(sparse, to_numpy(cls(**options)(ONE_HOT, P)), rtol=1e-6)
    if name != "CategoricalFocalCrossentropy":
        each = cls(axis=0, sparse_y_true=True, reduction=None)(MARKED, P)
        dense = cls(axis=0, reduction=None)(ONE_HOT, P)
        np.testing.assert_allclose(to_numpy(each), to_numpy(dense), rtol=1e-6)
    images = cls(sparse_y_true=True, **options)(MARKED.reshape(4, 20), P.reshape(4, 20, -1))
    np.testing.assert_allclose(to_numpy(images), sparse, rtol=1e-5)
    assert to_numpy(cls(sparse_y_true=True)(np.full(ROWS, -1), P)) == 0
    with pytest.raises(ValueError, match="sparse_y_true=True"):
        cls()(MARKED, P)
    again = cls.from_config(cls(sparse_y_true=True).get_config())
    assert again.missing == (-1, "nan")
    assert again.sparse_y_true
