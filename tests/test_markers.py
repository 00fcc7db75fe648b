"""Markers that dtypes have rounded or narrowed on the way, and markers of vectors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import compile_, tensor, to_numpy
from tests.cases import LOSSES, METRICS, Case, draw
from tests.ways import ways

L, M = km.losses, km.metrics
NAN, INF = float("nan"), float("inf")
CASES = LOSSES + METRICS


def value_of(obj: Any, *batch: Any) -> float:
    if isinstance(obj, keras.metrics.Metric):
        obj.update_state(*batch)
        return float(to_numpy(obj.result()))
    return float(to_numpy(keras.ops.mean(obj(*batch))))


# Rounded on the way

TABLE = np.array([[1.0, 2.0], [NAN, 4.0], [5.0, NAN], [7.0, 9.0]])
ZEROS = np.zeros((4, 2), "float32")
MEAN_SQUARE = (1 + 4 + 16 + 25 + 49 + 81) / 6


def rounded(marker: float, dtype: str = "float64") -> np.ndarray:
    """Labels that were written to a file of float32."""
    return np.where(np.isnan(TABLE), np.float32(marker), TABLE.astype("float32")).astype(dtype)


def test_a_sentinel_that_was_rounded_to_float32() -> None:
    for y in (rounded(-99.99), np.where(np.isnan(TABLE), -99.99, TABLE)):
        missing = -99.99
        for way, found in ways(
            L.MeanSquaredError(missing=missing), M.MeanAbsoluteError(missing=missing), y, ZEROS
        ).items():
            assert found == pytest.approx((MEAN_SQUARE, 28 / 6), rel=1e-6), way


@pytest.mark.parametrize("marker", [-99.99, -999.9, 1e20, 9.96921e36, -3.4028235e38, 1e300, INF])
def test_every_object_finds_rounded_sentinels(marker: float) -> None:
    with np.errstate(over="ignore"):
        labels = [rounded(marker), rounded(marker, "float32"), tensor(rounded(marker))]
        written = np.float32(marker)
    for y in labels:
        assert value_of(L.MeanSquaredError(missing=marker), y, ZEROS) == pytest.approx(MEAN_SQUARE)
        assert value_of(M.MeanSquaredError(missing=marker), y, ZEROS) == pytest.approx(MEAN_SQUARE)
        assert value_of(M.ObservedFraction(missing=marker), y) == 0.75
        assert km.observed_rate(y, missing=(marker, "nan")) == 0.75
        assert km.observed_rate(y, missing=marker, per_column=True) == (0.75, 0.75)
        layer = km.layers.LabelNormalization(missing=marker)
        layer.adapt(y)
        np.testing.assert_allclose(to_numpy(layer.mean), [13 / 3, 5], rtol=1e-6)
        z = to_numpy(layer(y))
        np.testing.assert_array_equal(z == written, np.isnan(TABLE))
        rows = to_numpy(L.magic_correction_term(y, missing=marker))
        np.testing.assert_array_equal(rows, [1, 2, 2, 1])
    per_label = M.PerLabel(M.MeanSquaredError(missing=marker), ["a", "b"], name="m")
    per_label.update_state(labels[0], ZEROS)
    assert to_numpy(per_label.result()["m/a"]) == pytest.approx((1 + 25 + 49) / 3)
    inner = L.Masked(keras.losses.Huber(delta=1e9), missing=marker)
    assert value_of(inner, labels[0], ZEROS) == pytest.approx(MEAN_SQUARE / 2)
    assert value_of(M.MedianError(missing=marker, capacity=9), labels[0], ZEROS) == -4.5


def test_a_huge_label_is_not_the_infinity_that_is_named() -> None:
    """Infinite in float32, where float64 is narrowed: then an error, else a huge loss."""
    y, loss = np.array([[1.0, 1e300, INF]]), L.MeanSquaredError(missing=INF)
    assert km.observed_rate(y, missing=INF) == pytest.approx(2 / 3)
    with np.errstate(over="ignore"):  # JAX says so
        if "64" in str(tensor(np.ones(1)).dtype):
            assert value_of(loss, y, np.zeros((1, 3))) > 1e30
        else:
            with pytest.raises(ValueError, match="`y_true` of dtype float64 holds labels"):
                loss(y, np.zeros((1, 3)))
        assert value_of(L.MeanSquaredError(missing=(INF, 1e300)), y, np.zeros((1, 3))) == 1


def test_in_a_graph() -> None:
    loss = L.MeanSquaredError(missing=-99.99)
    found = compile_(lambda y, p: loss(y, p))(tensor(rounded(-99.99)), tensor(ZEROS))
    assert to_numpy(found) == pytest.approx(MEAN_SQUARE)


def test_half_precision_in_fit_is_named_as_it_is_stored() -> None:
    """Keras makes float32 of it before anybody sees it."""
    y = np.where(np.isnan(TABLE), -9999.0, TABLE).astype("float16")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])
    for missing, found in ((-9999.0, False), (float(np.float16(-9999.0)), True)):
        model.compile(loss=L.MeanSquaredError(missing=missing))
        value = model.evaluate(ZEROS, y, verbose=0)
        assert (value == pytest.approx(MEAN_SQUARE)) == found
        assert value_of(L.MeanSquaredError(missing=missing), y, ZEROS) == pytest.approx(MEAN_SQUARE)


# Narrowed on the way


def test_integers_that_a_backend_narrows() -> None:
    """JAX makes -1 of 2^32 - 1: found while labels are arrays."""
    y, p = np.array([[2**32 - 1, 3, -1]]), np.zeros((1, 3), "float32")
    narrow = "64" not in str(tensor(np.array([1])).dtype)
    assert km.observed_rate(y, missing=-1) == pytest.approx(2 / 3)
    layer = km.layers.LabelNormalization(missing=-1)
    layer.adapt(np.concatenate([y.T, y.T - [[0], [2], [0]]]))
    assert to_numpy(layer.mean) == pytest.approx(2**31 + 0.5)
    for obj in (
        L.MeanSquaredError(missing=-1), M.MeanSquaredError(missing=-1),
        L.mean_squared_error, M.Accuracy(missing=-1), L.SparseCategoricalCrossentropy(),
        M.MeanIoU(4), M.PerLabel(M.MeanSquaredError(missing=-1), ["a", "b", "c"]),
    ):  # fmt: skip
        scores = np.zeros((1, 3, 4)) if isinstance(obj, L.SparseCategoricalCrossentropy) else p
        if narrow or isinstance(obj, (L.SparseCategoricalCrossentropy, M.MeanIoU)):
            with pytest.raises(ValueError, match=str(2**32 - 1)):
                value_of(obj, y, scores)
    if narrow:
        for call in (lambda: M.ObservedFraction(missing=-1).update_state(y), lambda: layer(y.T)):
            with pytest.raises(ValueError, match=str(2**32 - 1)):
                call()
    else:
        exact = ((2**32 - 1) ** 2 + 9) / 2
        assert value_of(L.MeanSquaredError(missing=-1), y, p) == pytest.approx(exact)
        assert value_of(M.ObservedFraction(missing=-1), y) == pytest.approx(2 / 3)


# Vectors


def vectors(case: Case, marker: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels with some marked by NaN, the same with some of these by a number, predictions."""
    data = draw(case)
    nans, marked = data.with_missing(), data.with_missing(marker)
    marked[2] = nans[2]
    if case.vector:
        nans[2, :, 1:] = data.y[2, :, 1:]  # any entry is enough
    return nans, marked, data.p


@pytest.mark.parametrize("case", [c for c in CASES if c.vector], ids=str)
def test_a_vector_is_missing_if_all_of_it_equals_a_marker(case: Case) -> None:
    for marker in (0.0, -9999.0):
        nans, marked, p = vectors(case, marker)
        if case.covers in ("CosineSimilarity", "EnergyScore"):  # use the entries that are observed
            nans[2], marked[2] = NAN, marker
        expected = value_of(case.make(), nans, p)
        found = value_of(case.make(missing=(marker, -1, "nan")), marked, p)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_a_vector_that_merely_holds_a_marker_is_observed() -> None:
    y = np.array([[0.0, 1.0], [0.0, 0.0], [-1.0, -1.0], [1.0, 0.0], [0.0, -1.0]])
    expected = [True, False, False, True, True]
    missing = (0, -1)
    assert value_of(M.ObservedFraction(missing=missing, label_axes=1), y) == pytest.approx(0.6)
    assert km.observed_rate(y, missing=missing, label_axes=1) == pytest.approx(0.6)
    assert km.observed_rate(tensor(y), missing=missing, label_axes=1) == pytest.approx(0.6)
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.0] * 4, [-1.0] * 4, [0.0, 0.0, 2.0, 2.0]])
    rows = to_numpy(L.GIoULoss(missing=missing, reduction="none")(boxes, boxes[[0, 0, 0, 0]]))
    assert rows == pytest.approx([0, 0, 0, 0.75])
    iou = M.OneHotIoU(2, [1], missing=(0, -1))
    iou.update_state(y[:4], np.array([[0.1, 0.9]] * 4))
    assert to_numpy(iou.result()) == 0.5
    # Whole labels also for what wraps others; single entries where labels are single.
    p = np.full((5, 2), 0.5)
    for obj in (
        L.Masked(keras.losses.CategoricalCrossentropy(), 1, missing=missing, reduction="none"),
        L.CategoricalCrossentropy(missing=missing, reduction="none"),
    ):
        rows = to_numpy(obj(y, p))
        assert rows == pytest.approx(np.log(2) * np.array([1, 0, 0, 1, -1]))
    wrapper = M.MeanMetricWrapper(keras.losses.kl_divergence, label_axes=1, missing=missing)
    wrapper.update_state(y[:4], p[:4])
    assert to_numpy(wrapper.support()) == sum(expected[:4])
    assert value_of(L.MeanSquaredError(missing=missing), y, p) == pytest.approx(0.25)


def test_zero_rows_on_every_way() -> None:
    y = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    p = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.25, 0.7, 0.05]])
    expected = (-np.log(0.5 * 0.25) / 2, 0.5)
    for dtype in ("float32", "int32"):
        for way, found in ways(
            L.CategoricalCrossentropy(missing=0), M.CategoricalAccuracy(missing=0),
            y.astype(dtype), p.astype("float32"),
        ).items():  # fmt: skip
            assert found == pytest.approx(expected, rel=1e-5), way
