"""Special options against Keras, scikit-learn or NumPy: AUC, R2Score, infinities, axes."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import keras_masked as km
from tests import oracles
from tests import test_functions as functions
from tests.backend import set_mask, to_numpy
from tests.cases import METRICS, Case, Draw, draw
from tests.laws import grid
from tests.test_functions import ROWS, Function

pytestmark = pytest.mark.slow

Array = np.ndarray
L, M, KL, KM = km.losses, km.metrics, keras.losses, keras.metrics
NAN, INF = float("nan"), float("inf")
CURVES = ["ROC", "PR", "PRGAIN"]


def value_of(metric: Any, *batch: Any) -> Array:
    metric.update_state(*batch)
    return to_numpy(metric.result())


def binary_table(rows: int = 40, columns: int = 3, missing: float = 0.4) -> tuple[Array, Array]:
    """Labels with holes, but with both classes in every column, and predictions that know them."""
    rng = np.random.default_rng(7)
    y = (rng.random((rows, columns)) < 0.4).astype("float32")
    p = np.clip(np.round(0.3 * y + 0.7 * rng.random(y.shape), 2), 0.01, 0.99).astype("float32")
    y[rng.random(y.shape) < missing] = NAN
    y[:2] = [[0.0], [1.0]]
    return y, p


def deleted(y: Array, p: Array, *more: Array) -> tuple[Array, ...]:
    o = ~np.isnan(y)
    return tuple(x[o] for x in (y, p, *more))


FIVE = {"thresholds": [0.8, 0.1, 0.25, 0.5, 0.77]}
AUCS: list[dict[str, Any]] = [
    {"curve": curve, "summation_method": summation, **more}
    for curve in ("ROC", "PR", "PRGAIN")
    for summation in ("interpolation", "minoring", "majoring")
    for more in ({}, FIVE)
]
AUCS += [{"from_logits": True}, {"num_thresholds": 7}, {"curve": "PR", "from_logits": True, **FIVE}]


@pytest.mark.parametrize("options", AUCS, ids=lambda options: "-".join(map(str, options.values())))
def test_auc_is_that_of_keras_on_deleted_data(options: dict[str, Any]) -> None:
    y, p = binary_table()
    p = np.log(p / (1 - p)) if options.get("from_logits") else p
    weight = np.random.default_rng(1).random(y.shape).astype("float32")
    for extra in ((), (weight,)):
        ours = value_of(M.AUC(**options), y, p, *extra)
        theirs = value_of(KM.AUC(**options), *deleted(y, p, *extra))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    ours, theirs = M.AUC(multi_label=True, **options), KM.AUC(multi_label=True, **options)
    y = np.nan_to_num(y)
    np.testing.assert_allclose(value_of(ours, y, p), value_of(theirs, y, p), rtol=1e-5, atol=1e-6)


def test_auc_is_exact_where_thresholds_separate() -> None:
    """With thresholds between all predictions, the area that scikit-learn gets by sorting."""
    y, p = binary_table()
    weight = np.random.default_rng(2).random(y.shape)
    thresholds = (np.arange(100) + 0.5) / 100
    expected = sklearn_metrics.roc_auc_score(*deleted(y, p))
    np.testing.assert_allclose(value_of(M.AUC(thresholds=thresholds), y, p), expected, rtol=1e-5)
    expected = oracles.roc_auc(*deleted(y, p, weight))
    found = value_of(M.AUC(thresholds=thresholds), y, p, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    columns = [oracles.roc_auc(*deleted(y[:, c], p[:, c], weight[:, c])) for c in range(3)]
    found = value_of(M.AUC(thresholds=thresholds, multi_label=True), y, p, weight)
    np.testing.assert_allclose(found, np.mean(columns), rtol=1e-5)


@pytest.mark.parametrize("curve", CURVES)
def test_auc_label_weights(curve: str) -> None:
    y, p = binary_table()
    weights = [1.0, 0.5, 3.0]
    columns = [value_of(KM.AUC(curve=curve), *deleted(y[:, c], p[:, c])) for c in range(3)]
    metric = M.AUC(curve=curve, multi_label=True, label_weights=weights)
    np.testing.assert_allclose(
        value_of(metric, y, p), np.average(columns, weights=weights), rtol=1e-5
    )
    # In one curve, they weight the labels.
    each = np.broadcast_to(np.array(weights, "float32"), y.shape)
    metric = M.AUC(curve=curve, label_weights=weights)
    expected = value_of(KM.AUC(curve=curve), *deleted(y, p, each))
    np.testing.assert_allclose(value_of(metric, y, p), expected, rtol=1e-5)


@pytest.mark.parametrize("curve", CURVES)
def test_auc_needs_both_classes(curve: str) -> None:
    p = np.array([[0.2, 0.3], [0.6, 0.9], [0.7, 0.1]])
    for y in ([[0, 0]] * 3, [[1, 1]] * 3, [[1, NAN]] * 3, [[NAN, 0.0]] * 3):
        for multi_label in (True, False):
            assert np.isnan(value_of(M.AUC(curve=curve, multi_label=multi_label), np.array(y), p))
    # A column with one class is skipped by the mean over columns.
    y = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, NAN]])
    metric = M.AUC(curve=curve, multi_label=True, label_weights=[2.0, 5.0])
    expected = value_of(KM.AUC(curve=curve), y[:, 0], p[:, 0])
    np.testing.assert_allclose(value_of(metric, y, p), expected, rtol=1e-6)
    # A label of weight 0 does not count as a class.
    weight = np.array([0.0, 1.0, 1.0])
    assert np.isnan(value_of(M.AUC(curve=curve), y[:, 0], p[:, 0], weight))


def real_table(rows: int = 12, columns: int = 3) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(rows, columns)) * [1, 2, 5] + [0, 1, 9]
    p = y + rng.normal(size=y.shape)
    weight = rng.random(y.shape) + 0.1
    y[rng.random(y.shape) < 0.4] = NAN
    return y.astype("float32"), p.astype("float32"), weight.astype("float32")


def r2_columns(y: Array, p: Array, w: Array, regressors: int = 0) -> tuple[Array, Array]:
    """Scores and weighted sums of squares of each column, from what is left of it."""
    scores, totals = [], []
    for c in range(y.shape[1]):
        left = (x.astype("float64") for x in deleted(y[:, c], p[:, c], w[:, c]))
        labels, predictions, weights = left
        score, n = oracles.r2(labels, predictions, weights), len(labels)
        scores.append(1 - (1 - score) * (n - 1) / (n - regressors - 1) if regressors else score)
        mean = np.average(labels, weights=weights)
        totals.append(np.sum(weights * (labels - mean) ** 2))
    return np.array(scores), np.array(totals)


@pytest.mark.parametrize("regressors", [0, 2])
def test_r2_aggregations(regressors: int) -> None:
    y, p, weight = real_table()
    scores, totals = r2_columns(y, p, weight, regressors)
    for aggregation, expected in {
        None: scores,
        "uniform_average": scores.mean(),
        "variance_weighted_average": np.average(scores, weights=totals),
    }.items():
        metric = M.R2Score(aggregation, regressors)
        np.testing.assert_allclose(value_of(metric, y, p, weight), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("aggregation", [None, "uniform_average", "variance_weighted_average"])
def test_r2_is_that_of_keras_and_sklearn(aggregation: str | None) -> None:
    y, p, weight = real_table()
    y = np.nan_to_num(y)
    metric = M.R2Score(aggregation)
    ours = value_of(metric, y, p, weight)
    np.testing.assert_allclose(ours, value_of(KM.R2Score(aggregation), y, p, weight), rtol=1e-4)
    multioutput = {None: "raw_values", "variance_weighted_average": "variance_weighted"}
    expected = sklearn_metrics.r2_score(
        y, p, multioutput=multioutput.get(aggregation, "uniform_average")
    )
    np.testing.assert_allclose(value_of(M.R2Score(aggregation), y, p), expected, rtol=1e-4)


def test_r2_num_regressors_of_one_column() -> None:
    """Keras counts the labels of all columns at once; of one column, that is the same."""
    y, p, _ = real_table()
    labels, predictions = (x[:, None] for x in deleted(y[:, 0], p[:, 0]))
    for regressors in (
        3,
        len(labels),
    ):  # too few labels: the standard score, in Keras with a warning
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = value_of(KM.R2Score(num_regressors=regressors), labels, predictions)
        ours = value_of(M.R2Score(num_regressors=regressors), y[:, :1], p[:, :1])
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_r2_of_undefined_columns() -> None:
    y = np.array([[1.0, 3.3, NAN, 2.0], [2.0, 3.3, 5.0, 2.0], [4.0, 3.3, NAN, NAN]])
    p = y + [[0.5, 1, 0, 0], [0, 0, 0, 0], [-0.5, 1, 0, 0]]
    known = oracles.r2(y[:, 0], p[:, 0], np.ones(3))
    found = value_of(M.R2Score(class_aggregation=None), y, p)
    np.testing.assert_allclose(found, [known, NAN, NAN, NAN], rtol=1e-5)
    for aggregation in ("uniform_average", "variance_weighted_average"):
        np.testing.assert_allclose(value_of(M.R2Score(aggregation), y, p), known, rtol=1e-5)
        assert np.isnan(value_of(M.R2Score(aggregation), y[:, 1:], p[:, 1:]))


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's IoU on JAX
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # there, too
@grid("case", METRICS, infinite=[INF, -INF])
def test_infinite_predictions_are_as_in_keras(case: Case, infinite: float) -> None:
    shape = (6,) if case.label_axes else (6, 3 if case.per_row else 1)
    data = draw(case, shape, missing=0)
    data.p.flat[2] = infinite
    assert case.keras is not None
    ours, theirs = (value_of(build(), data.y, data.p) for build in (case.make, case.keras))
    if case.infinite is not None:
        theirs = np.array(case.infinite)
    if case.logits and np.isnan(theirs):  # PyTorch's formula has 0 times infinity
        assert not np.isfinite(ours)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=2e-5)


@pytest.mark.parametrize("cls", [M.MeanSquaredError, M.MeanAbsoluteError, M.RootMeanSquaredError])
def test_infinite_error_stays_infinite(cls: Any) -> None:
    metric, y = cls(), np.array([[1.0, NAN], [2.0, 3.0]])
    for p in ([[INF, NAN], [2.0, 3.0]], [[1.0, 0.0], [2.0, 3.0]], [[-INF, 0.0], [2.0, 3.0]]):
        assert value_of(metric, y, np.array(p)) == INF


# Vector labels, axes, ignore_class


def test_vector_label_is_missing_if_any_entry_is() -> None:
    rng = np.random.default_rng(0)
    y, p = np.eye(4)[[0, 1, 2, 3, 0]], rng.dirichlet(np.ones(4), 5)
    holes = y.copy()
    holes[1, 0] = holes[2, 2] = NAN  # where the label is 0, and where it is 1
    holes[4] = NAN
    left = [0, 3]
    expected = oracles.categorical_crossentropy(y[left], p[left])
    for cls in (L.CategoricalCrossentropy, M.CategoricalCrossentropy):
        value = cls()(holes, p)
        np.testing.assert_allclose(to_numpy(value), expected.mean(), rtol=1e-5)
    rows = to_numpy(L.CategoricalCrossentropy(reduction=None)(holes, p))
    np.testing.assert_allclose(rows, [expected[0], 0, 0, expected[1], 0], rtol=1e-5, atol=1e-7)
    match = oracles.categorical_match(y[left], p[left]).mean()
    assert value_of(M.CategoricalAccuracy(), holes, p) == match


AXIS = [each for each in ROWS if "axis" in inspect.signature(each.function).parameters]


def elsewhere(each: Function, data: Draw, axis: int) -> tuple[Array, Array]:
    """Labels with holes, and predictions, with their last axis where the object looks for it."""
    y, p = data.with_missing(), data.p
    return (y if each.case.class_ids else np.moveaxis(y, -1, axis)), np.moveaxis(p, -1, axis)


@grid("each", AXIS, axis=[1, 2, -2, 0, -1])
def test_axis(each: Function, axis: int) -> None:
    data = draw(each.case, (2, 3, 5))
    y, p = elsewhere(each, data, axis)
    rows = functions.expected(each, data)
    np.testing.assert_allclose(to_numpy(each(y, p, axis=axis)), rows, rtol=2e-5, atol=1e-6)
    loss = each.case.make(axis=axis, reduction=None)
    np.testing.assert_allclose(to_numpy(loss(y, p)), rows, rtol=2e-5, atol=1e-6)
    losses = functions.per_label(each, data, data.observed)[data.observed]
    np.testing.assert_allclose(to_numpy(each.case.make(axis=axis)(y, p)), losses.mean(), rtol=2e-5)


def test_label_smoothing_counts_the_classes_of_its_axis() -> None:
    """Keras 3.15 counts the last axis, whatever `axis` says."""
    rng = np.random.default_rng(0)
    y, p = np.eye(3)[rng.integers(0, 3, (2, 5))], rng.dirichlet(np.ones(3), (2, 5))
    smooth = y * 0.7 + 0.1
    crossentropy = -(smooth * np.log(p)).sum(-1)
    focal = -(0.25 * (1 - p) ** 2 * smooth * np.log(p)).sum(-1)
    y, p = np.moveaxis(y, -1, 1), np.moveaxis(p, -1, 1)
    options: dict[str, Any] = {"label_smoothing": 0.3, "axis": 1}
    for name, rows in (("Crossentropy", crossentropy), ("FocalCrossentropy", focal)):
        loss = getattr(L, f"Categorical{name}")(**options, reduction=None)
        np.testing.assert_allclose(to_numpy(loss(y, p)), rows, rtol=1e-5)
    function = L.categorical_focal_crossentropy(y, p, **options)
    np.testing.assert_allclose(to_numpy(function), focal, rtol=1e-5)
    metric = M.CategoricalCrossentropy(**options)
    np.testing.assert_allclose(value_of(metric, y, p), crossentropy.mean(), rtol=1e-5)


@grid("each", AXIS, shape=[(3,), (3, 3), (3, 3, 3)])
def test_axis_and_weights(each: Function, shape: tuple[int, ...]) -> None:
    """Per label, weights and masks have the axes of the labels; with fewer, those of the rows."""
    data = draw(each.case, (3, 3, 3))
    y, p = elsewhere(each, data, 1)
    weight = np.random.default_rng(1).random(shape)
    full = np.broadcast_to(weight.reshape(shape + (1,) * (3 - len(shape))), (3, 3, 3))
    if not each.case.label_axes and len(shape) == 3:
        full = np.moveaxis(full, 1, -1)
    losses = functions.per_label(each, data, data.observed)
    expected = (losses * full)[data.observed].mean()
    np.testing.assert_allclose(to_numpy(each.case.make(axis=1)(y, p, weight)), expected, rtol=2e-5)
    expected = losses[data.observed & (full > 0.5)].mean()
    masked = set_mask(p, weight > 0.5)
    np.testing.assert_allclose(to_numpy(each.case.make(axis=1)(y, masked)), expected, rtol=2e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
@pytest.mark.parametrize("ignored", [2, -1, -100, 255])
def test_ignore_class_is_that_of_keras(ignored: int, reduction: str | None) -> None:
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 4, (5, 6)), rng.dirichlet(np.ones(4), (5, 6))
    y[rng.random(y.shape) < 0.3] = ignored
    options: dict[str, Any] = {"ignore_class": ignored}
    ours = L.SparseCategoricalCrossentropy(**options, reduction=reduction, missing="nan")(y, p)
    theirs = KL.SparseCategoricalCrossentropy(**options, reduction=reduction)(y, p)
    np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-5, atol=1e-6)
    left = oracles.sparse_crossentropy(y[y != ignored], p[y != ignored]).mean()
    found = value_of(M.SparseCategoricalCrossentropy(**options), y, p)
    np.testing.assert_allclose(found, left, rtol=1e-5)
    y[0] = -1  # what `missing=` names is missing beside it
    observed = (y != ignored) & (y != -1)
    left = oracles.sparse_crossentropy(y[observed], p[observed]).mean()
    found = to_numpy(L.SparseCategoricalCrossentropy(**options)(y, p))
    np.testing.assert_allclose(found, left, rtol=1e-5)
