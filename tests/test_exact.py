"""Special options against Keras, scikit-learn or NumPy: AUC, R2Score, infinities."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import keras_masked as km
from tests import oracles
from tests.backend import to_numpy
from tests.cases import METRICS, Case, draw
from tests.laws import grid

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
