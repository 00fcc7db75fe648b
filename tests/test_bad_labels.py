"""Values that no label can have: errors in arrays, NaN in tensors, unseen where they are named."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import set_mask, tensor, to_numpy
from tests.case_data import binary, binary_and_variance, binary_logits, binary_off_grid, signs
from tests.cases import LOSSES, METRICS, Case, draw
from tests.laws import grid
from tests.test_markers import value_of
from tests.ways import ways

L, M = km.losses, km.metrics
NAN, INF = float("nan"), float("inf")
CASES = LOSSES + METRICS


OF_UNIT = (binary, binary_logits, binary_off_grid, binary_and_variance)
BINARY = [
    c for c in CASES if c.data in (*OF_UNIT, signs) and not c.wrapped and c.covers != "BinaryIoU"
]


@grid(
    "case",
    BINARY,
    lambda case, wrong: wrong != -1 or case.data is not signs,
    wrong=[255.0, -100.0, -1.0],
)
def test_binary_labels_that_are_none(case: Case, wrong: float) -> None:
    """-1 for "uncertain" raises in arrays, is NaN in tensors, and counts nowhere if named."""
    data = draw(case, (5, 5))
    y = data.with_missing(wrong)
    with pytest.raises(ValueError, match=f"`missing={wrong}`"):
        value_of(case.make(), y, data.p)
    assert np.isnan(value_of(case.make(), tensor(y), tensor(data.p)))
    named = value_of(case.make(missing=wrong), y, data.p)
    if wrong == 255:
        assert named == value_of(case.make(), data.with_missing(), data.p)
    # What is weighted with 0 or masked may be anything. A mask cannot be seen in arrays.
    weighted = value_of(case.make(), y, data.p, data.observed.astype("float32"))
    assert not np.isnan(weighted)
    masked = value_of(case.make(), y, set_mask(data.p, data.observed))
    assert masked == pytest.approx(named, rel=1e-6)


SETS = [
    L.Dice, L.Tversky, L.Jaccard, L.CriticalSuccessIndex, L.SigmoidFocalCrossEntropy,
    M.BinaryIoU, lambda: M.F1Score("micro"), lambda: L.FractionsSkillScore(threshold=None),
]  # fmt: skip
FUNCTIONS = [
    L.dice, L.tversky, L.jaccard, L.binary_crossentropy, L.binary_focal_crossentropy, L.hinge,
    L.squared_hinge, L.sigmoid_crossentropy_logits, L.sigmoid_focal_crossentropy,
    M.binary_accuracy, L.critical_success_index,
]  # fmt: skip


@pytest.mark.parametrize("make", [*SETS, *(lambda f=f: f for f in FUNCTIONS)])
def test_binary_labels_of_sets_and_functions(make: Any) -> None:
    y, p = np.eye(5, dtype="float32"), np.full((5, 5), 0.4, "float32")
    if isinstance(make(), L.FractionsSkillScore):
        y, p = y[None], p[None]
    value_of(make(), y, p)
    y[..., 1, 2] = 255
    with pytest.raises(ValueError, match="255"):
        value_of(make(), y, p)
    assert np.isnan(value_of(make(), tensor(y), tensor(p)))


def test_binary_labels_of_columns() -> None:
    y, p = np.array([[0.0, -1.0], [1.0, 1.0], [1.0, 0.0]]), np.full((3, 2), 0.4)
    with pytest.raises(ValueError, match="missing=-1"):
        M.PerLabel(M.AUC(), ["a", "b"]).update_state(y, p)
    seen = M.PerLabel(M.AUC(), ["a", "b"], name="auc")
    seen.update_state(tensor(y), tensor(p))
    scores = {key: float(to_numpy(value)) for key, value in seen.result().items()}
    assert scores["auc/a"] == 0.5 and np.isnan(scores["auc/b"]) and np.isnan(scores["auc/macro"])
    named = M.PerLabel(M.AUC(missing=-1), ["a", "b"], name="auc")
    named.update_state(y, p)
    assert to_numpy(named.result()["auc/macro"]) == 0.5


def test_soft_labels_may_be_anything_between() -> None:
    y = np.array([[0.0, 0.3, 1.0 + 1e-6], [-1e-7, 0.5, 1.0]])
    p = np.full((2, 3), 0.5)
    for obj in (L.BinaryCrossentropy(label_smoothing=0.1), M.BinaryCrossentropy()):
        assert value_of(obj, y, p) == pytest.approx(np.log(2))
    events = L.CriticalSuccessIndex(threshold=10.0)
    assert value_of(events, np.array([[3.0, 40.0]]), np.array([[3.0, 40.0]])) < 1e-3


def test_unnamed_minus_one_on_every_way() -> None:
    y = np.array([[0.0, 1.0], [-1.0, 1.0]], "float32")
    p = np.array([[0.2, 0.6], [0.9, 0.3]], "float32")
    loss, metric = L.BinaryCrossentropy(), M.AUC()
    with pytest.raises(ValueError, match="missing=-1"):
        ways(loss, metric, y, p)
    ok = {"missing": -1}
    expected = -np.log(0.8 * 0.6 * 0.3) / 3
    for way, found in ways(L.BinaryCrossentropy(**ok), M.AUC(**ok), y, p).items():
        assert found == pytest.approx((expected, 1.0), rel=1e-5), way
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])
    model.compile(loss=loss, metrics=[metric])
    seen = model.evaluate(p, y, verbose=0)
    assert np.isnan(seen).all()


# Errors of labels


def test_errors_of_labels() -> None:
    """One that is infinite hides its label, one missing is 0, and a negative one is an error."""
    p = np.zeros((2, 3, 2))
    y = np.array([[1.0, 2.0, 3.0], [4.0, NAN, 6.0]])
    error = np.array([[0.0, INF, NAN], [2.0, -5.0, INF]])
    labels = np.stack([y, error], -1)
    left = np.array([[[1.0, 0.0]], [[3.0, 0.0]], [[4.0, 2.0]]])
    mean = M.OfMean(M.MeanAbsoluteError())
    for obj in (L.NegativeLogLikelihood(), M.NegativeLogLikelihood(), M.IntervalCoverage(),
                M.StandardizedResidualScatter(), mean):  # fmt: skip
        expected = value_of(obj, left, p[:1, :1].repeat(3, 0))
        for received in (labels, labels.tolist(), tensor(labels), labels.astype("float32")):
            if isinstance(obj, keras.metrics.Metric):
                obj.reset_state()
            assert value_of(obj, received, p) == pytest.approx(expected, rel=1e-6)
    assert to_numpy(mean.support()) == 3
    rows = to_numpy(L.robust_mse(y, p[..., 0], p[..., 1], error))
    loss = lambda y, e: 0.5 * (y**2 / (1 + e**2) + np.log(1 + e**2))  # noqa: E731
    assert rows == pytest.approx([(loss(1, 0) + loss(3, 0)) / 2, loss(4, 2)])


def test_negative_errors() -> None:
    p, labels = np.zeros((1, 2, 2)), np.array([[[1.0, -9999.0], [2.0, 0.5]]])
    for make in (L.NegativeLogLikelihood, M.NegativeLogLikelihood, M.IntervalCoverage,
                 M.StandardizedResidualScatter):  # fmt: skip
        for received in (labels, labels.tolist()):
            with pytest.raises(ValueError, match=r"must not be negative.*-9999"):
                value_of(make(), received, p)
        assert np.isnan(value_of(make(), tensor(labels), p))
        named = value_of(make(missing=-9999), labels, p)
        zero = np.array([[[1.0, 0.0], [2.0, 0.5]]])
        assert named == pytest.approx(value_of(make(), zero, p))
    for error in (-1.0, np.array([[-1.0, 2.0]])):
        with pytest.raises(ValueError, match="must not be negative"):
            L.robust_mse(labels[..., 0], p[..., 0], p[..., 1], error)
    with pytest.raises(ValueError, match="must not be negative"):
        value_of(M.OfMean(M.MeanAbsoluteError()), labels, p)
    assert np.isnan(value_of(M.OfMean(M.MeanAbsoluteError()), tensor(labels), p))
    assert value_of(M.OfMean(M.MeanAbsoluteError(missing=-9999)), tensor(labels), p) == 1.5
    labels[0, 0, 0] = NAN  # of a missing label, the error says nothing
    assert value_of(M.OfMean(M.MeanAbsoluteError()), tensor(labels), p) == 2


def test_errors_on_every_way() -> None:
    labels = np.array([[[1.0, INF], [2.0, NAN]], [[3.0, 2.0], [NAN, -1.0]]], "float32")
    p = np.zeros((2, 2, 2), "float32")
    loss = (4 + 9 / 5 + np.log(5)) / 4
    found = ways(L.NegativeLogLikelihood(), M.NegativeLogLikelihood(), labels, p)
    for way, pair in found.items():
        assert pair == pytest.approx((loss, loss), rel=1e-5), way


# What no backend would notice


@pytest.mark.parametrize("case", [c for c in CASES if str(c) in {
    "MeanSquaredError", "SparseCategoricalCrossentropy", "AUC", "NegativeLogLikelihood",
    "MeanIoU", "Masked-huber", "R2Score", "ClusteringAccuracy"}], ids=str)  # fmt: skip
def test_lists_of_masked_arrays_and_complex_numbers(case: Case) -> None:
    data = draw(case, (4, 3), missing=0.0)
    rows = [np.ma.masked_array(row, mask=np.zeros(row.shape, bool)) for row in data.y]
    for received in (rows, tuple(rows), [[*rows[0][:2], np.ma.masked]]):
        with pytest.raises(ValueError, match="`y_true` is a numpy masked array, or holds some"):
            value_of(case.make(), received, data.p)
    for complex_ones in (data.p.astype("complex64"), (data.p + 1j).tolist()):
        with pytest.raises(ValueError, match="`y_pred` must be real"):
            value_of(case.make(), data.y, complex_ones)
    with pytest.raises(ValueError, match="`y_true` must be real"):
        value_of(case.make(), tensor(data.y.astype("complex64")), data.p)


def test_class_ids_that_are_no_integers() -> None:
    scores = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    ids = np.array([1.5, 1.0])
    for make in (
        L.SparseCategoricalCrossentropy, M.SparseCategoricalAccuracy, L.MulticlassHinge,
        L.CategoricalGeneralizedCrossEntropy, M.SparseTopKCategoricalAccuracy,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"class ids outside 0 ... 2.*\[1.5\]"):
            value_of(make(), ids, scores)
        assert np.isnan(value_of(make(), tensor(ids), scores))
    for metric in (M.MeanIoU(3), M.ClusteringAccuracy(num_classes=3, num_clusters=3)):
        with pytest.raises(ValueError, match="1.5"):
            value_of(metric, ids, np.array([1, 1]))
        assert np.isnan(value_of(metric, tensor(ids), np.array([1, 1])))
    with pytest.raises(ValueError, match="1.5"):
        value_of(L.CTC(), np.array([[1.5, 1.0]]), np.zeros((1, 4, 3)))
