"""Bad input: an error that names the argument and what was received; never a silent number."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.cases import LOSSES, METRICS, Case
from tests.errors import evaluate, raises
from tests.laws import grid, intakes

L, M = km.losses, km.metrics
NAN = float("nan")
CASES = LOSSES + METRICS
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda c: str(c))
SPARSE = [c for c in CASES if c.class_ids and not c.wrapped and not c.logits]
OF_NUMBERS = [c for c in CASES if not c.label_axes]
PROBABILITIES = np.full((2, 4), 0.25)


def shaped(case: Case, labels: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    y, p = case.data(np.random.default_rng(0), labels)
    return y.astype("float32"), p.astype("float32")


# missing=


BAD_MISSING = [None, True, "foo", object, {-1}, 1j, b"nan", np.ones(2), np.True_, (1, True)]


@grid("case", CASES, missing=BAD_MISSING)
def test_missing_of_a_wrong_type(case: Case, missing: Any) -> None:
    received = missing[1] if isinstance(missing, tuple) else missing
    with raises("`missing`", repr(received), type(received).__name__):
        case.make(missing=missing)


@grid("case", CASES, missing=[(), []])
def test_missing_empty_or_nested(case: Case, missing: Any) -> None:
    with raises("`missing`", "empty", type(missing).__name__):
        case.make(missing=missing)
    with raises("`missing`", repr((*missing, 2))):
        case.make(missing=(1, (*missing, 2)))
    with raises("`missing`", "'foo'"):
        L.mean_squared_error(np.ones((2, 1)), np.ones((2, 1)), missing="foo")


# Shapes


@grid("case", CASES, other=[(3, 3), (4, 2), (3,), (1, 4, 3), (2, 2, 3)])
def test_shapes_that_do_not_align(case: Case, other: tuple[int, ...]) -> None:
    y, _ = shaped(case, (4, 3))
    _, p = shaped(case, other)
    with raises(y.shape, p.shape):
        evaluate(case.make(), y, p)


PAIRS = [((4, 1), (4, 3)), ((4, 3), (4, 1)), ((1, 3), (4, 3)), ((4,), (1, 4))]


@grid("case", OF_NUMBERS, pair=PAIRS)
def test_no_broadcasting(case: Case, pair: tuple[tuple[int, ...], ...]) -> None:
    labels, predictions = pair
    with raises(labels, predictions):
        evaluate(case.make(), np.ones(labels), np.ones(predictions))


@grid("case", intakes(OF_NUMBERS), lambda case, n: not (case.per_row and n == 1), columns=[5, 1])
def test_last_axis_of_one(case: Case, columns: int) -> None:
    """(B,) against (B, 1) is a column, as in Keras: never (B, B)."""
    one = np.s_[:, 0] if columns == 1 else np.s_[..., None]
    y, p = shaped(case, (5, columns))
    y[2, :2] = NAN
    value = evaluate(case.make(), y, p)
    np.testing.assert_array_equal(evaluate(case.make(), y[one], p), value)
    if columns == 1 or not case.per_column:  # else one column: tests/test_axes.py
        np.testing.assert_array_equal(evaluate(case.make(), y, p[one]), value)
    if case in LOSSES:
        rows = evaluate(case.make(reduction=None), y[one], p)
        assert rows.shape == (5,)
        np.testing.assert_array_equal(rows, evaluate(case.make(reduction=None), y, p))


VECTORS = [L.CategoricalCrossentropy(), L.categorical_crossentropy, M.CategoricalAccuracy()]
IDS = [L.SparseCategoricalCrossentropy(), L.sparse_categorical_crossentropy,
       M.SparseCategoricalAccuracy()]  # fmt: skip


def test_sparse_ids_as_one_hot() -> None:
    for obj in VECTORS:
        with raises((2,), (2, 4), "Sparse"):
            evaluate(obj, np.array([0.0, 1.0]), PROBABILITIES)
    for obj in IDS:
        with raises((2, 4), "one-hot"):
            evaluate(obj, np.eye(4)[:2], PROBABILITIES)


@pytest.mark.parametrize("case", SPARSE, ids=str)
def test_class_ids_with_an_axis_of_one(case: Case) -> None:
    y, p = shaped(case, (6,))
    np.testing.assert_array_equal(evaluate(case.make(), y[:, None], p), evaluate(case.make(), y, p))


@grid("case", CASES, weight=[(3,), (4, 2), (3, 3), (4, 3, 2), (3, 1)])
def test_weights_that_do_not_align(case: Case, weight: tuple[int, ...]) -> None:
    with raises("`sample_weight`", weight, (4, 3)):
        evaluate(case.make(), *shaped(case, (4, 3)), np.ones(weight))


@pytest.mark.parametrize("case", [c for c in CASES if c.label_axes], ids=str)
def test_weights_of_parts_of_a_label(case: Case) -> None:
    """A loss of vectors has no values per entry, so that (B, C) weights mean nothing."""
    with raises("`sample_weight`", (5, 4), (5,)):
        evaluate(case.make(), *shaped(case, (5,)), np.ones((5, 4)))


def test_unknown_reduction(loss_case: Case) -> None:
    for reduction in ("average", 3, "SUM"):
        with raises("`reduction`", reduction):
            loss_case.make(reduction=reduction)


@EVERY
def test_config_with_unknown_keys(case: Case) -> None:
    obj = case.make()
    if isinstance(obj, M.MeanMetricWrapper):
        pytest.skip("further keys are arguments of the wrapped function")
    with raises("colour", "flavour", type(obj).__name__, "missing"):
        type(obj).from_config({**obj.get_config(), "colour": 1, "flavour": 2})


@EVERY
def test_numpy_masked_arrays(case: Case) -> None:
    y, p = shaped(case, (4, 3))
    for i, name in enumerate(("y_true", "y_pred", "sample_weight")):
        batch = [y, p, np.ones((4, 3))]
        batch[i] = np.ma.masked_array(batch[i], mask=np.zeros(batch[i].shape, bool))
        with raises(f"`{name}`", "masked array", "filled"):
            evaluate(case.make(), *batch)


@grid(
    "case",
    dict.fromkeys([*intakes(CASES), *intakes(CASES, "collect")]),
    dtype=["int64", "int8"],
)
def test_integer_labels_have_no_nan(case: Case, dtype: str) -> None:
    y, p = shaped(case, (5, 5))
    y = np.round(y)
    value = evaluate(case.make(missing="nan"), y.astype(dtype), p)
    np.testing.assert_allclose(value, evaluate(case.make(), y, p), rtol=1e-6)


@pytest.mark.parametrize("marker", [-1, -1.0, 256, 1.5, np.inf, -1e30])
def test_sentinel_that_a_dtype_cannot_hold(marker: float) -> None:
    """-1 wraps to 255 in uint8: that label is not missing for that."""
    p = np.array([[2.0, 3.0, 4.0]])
    y = np.array([[255, 0, 1]], "uint8")
    for loss in (L.MeanSquaredError, M.MeanSquaredError):
        expected = np.mean((y - p) ** 2)
        np.testing.assert_allclose(evaluate(loss(missing=marker), y, p), expected, rtol=1e-6)
        found = evaluate(loss(missing=(marker, 255)), y, p)  # the others still count
        np.testing.assert_allclose(found, np.mean((y - p)[:, 1:] ** 2), rtol=1e-6)
        truths = evaluate(loss(missing=-1), np.array([[True, False]]), p[:, :2])
        np.testing.assert_allclose(truths, (1 + 9) / 2, rtol=1e-6)


@grid("case", SPARSE, wrong=[4, -2, 99, NAN])
def test_class_id_outside_the_classes(case: Case, wrong: float) -> None:
    """An error where values are at hand; else NaN: a 0 would look like a perfect prediction."""
    more = case.make().label.more_classes  # so many fewer predictions, of so many classes
    y, p = np.array([1.0, wrong]), PROBABILITIES[:, more:]
    with raises("`y_true`", "missing=-1", wrong):
        evaluate(case.make(missing=-1), y, p)
    assert np.isnan(evaluate(case.make(missing=-1), keras.ops.convert_to_tensor(y), p))
    if wrong == wrong:
        ids = y.astype("int32")
        with raises("`y_true`", int(wrong)):
            evaluate(case.make(), ids.tolist(), p)
        assert np.isnan(evaluate(case.make(), keras.ops.convert_to_tensor(ids), p))
    # ... but a missing one may be anything.
    seen = evaluate(case.make(), y[:1], p[:1])
    found = evaluate(case.make(missing=wrong), y, p)
    np.testing.assert_allclose(found, seen, rtol=1e-6)


def test_columns() -> None:
    y, p = np.ones((4, 3)), np.ones((4, 3))
    for metric in (M.R2Score(), M.AUC(multi_label=True), M.AUC(multi_label=True, num_labels=3)):
        metric.update_state(y, p)
        with raises("3", "2 columns"):
            metric.update_state(y[:, :2], p[:, :2])
    with raises("`multi_label=True`", (4,)):
        evaluate(M.AUC(multi_label=True), np.ones(4), np.ones(4))


def test_marker_that_the_backend_would_narrow_away() -> None:
    """JAX converts int64 labels to int32, where the smallest int64 is some other number."""
    smallest = np.iinfo("int64").min
    labels = np.array([[smallest, 3]])
    loss = L.MeanSquaredError(missing=int(smallest))
    if "64" in str(keras.ops.convert_to_tensor(labels).dtype):
        assert float(loss(labels, np.array([[5.0, 5.0]]))) == 4
    else:
        with pytest.raises(ValueError, match="does not fit int32"):
            loss(labels, np.array([[5.0, 5.0]]))
