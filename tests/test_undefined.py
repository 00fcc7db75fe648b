"""What is undefined leaves an average, but a diverged prediction in it stays visible."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, fbeta_score

import keras_masked as km
from tests import oracles
from tests.backend import to_numpy
from tests.test_metric_values import value_of

M = km.metrics
NAN = float("nan")

# The first row and column have a single label each, with a NaN prediction.
Y = np.array([[NAN, 1.0, NAN], [NAN, 0.0, 1.0], [2.0, 3.0, 0.5], [NAN, 1.0, 2.0]])
P = np.array([[0.1, NAN, 0.2], [0.5, 0.2, 0.6], [0.4, 0.1, 0.3], [0.7, 0.2, 0.9]])
OF_COLUMN = np.where(Y == 2.0, NAN, P)
OF_COLUMN[0, 1] = 0.3


@pytest.mark.parametrize("cls", [M.PearsonCorrelation, M.ConcordanceCorrelation])
def test_correlations_show_divergence_in_undefined_rows_and_columns(cls: Any) -> None:
    assert np.isnan(value_of(cls(), (Y, P)))
    rows = to_numpy(getattr(M, cls().name)(Y, P))
    np.testing.assert_array_equal(np.isnan(rows), [True, False, False, False])
    column = np.array([[NAN, 1.0], [2.0, 3.0], [NAN, 2.0]])
    p = np.array([[0.1, 0.3], [NAN, 0.4], [0.2, 0.1]])
    for metric in (cls(axis=0), M.PerLabel(cls(), ["a", "b"], name="m")):
        metric.update_state(column, p)
        result = metric.result()
        result = result["m/macro"] if isinstance(result, dict) else result
        assert np.isnan(to_numpy(result))
        p[1, 0] = 0.6  # nothing has diverged: the column is left out
        metric.reset_state()
        metric.update_state(column, p)
        result = metric.result()
        result = result["m/macro"] if isinstance(result, dict) else result
        assert np.isfinite(to_numpy(result))
        p[1, 0] = NAN


@pytest.mark.parametrize("cls", [M.R2Score, M.ExplainedVariance])
def test_shares_of_variance_show_divergence_in_undefined_columns(cls: Any) -> None:
    y, p = Y[2:, :2], np.array([[NAN, 0.2], [0.3, 0.4]])
    for aggregation in ("uniform_average", "variance_weighted_average"):
        assert np.isnan(value_of(cls(aggregation), (y, p)))
        assert np.isfinite(value_of(cls(aggregation), (y, np.nan_to_num(p))))
    assert np.isnan(to_numpy(M.explained_variance(y, p, axis=0))).tolist() == [True, False]
    metric = M.PerLabel(cls(), ["a", "b"], name="m")
    metric.update_state(y, p)
    assert np.isnan(to_numpy(metric.result()["m/macro"]))
    assert np.isfinite(to_numpy(metric.result()["m/b"]))


def test_a_single_residual_that_diverged() -> None:
    metric = M.StandardizedResidualScatter()
    p = np.array([[[NAN, 0.0], [0.3, 0.0]], [[0.1, 0.0], [0.5, 0.1]]])
    columns = M.PerLabel(metric, ["a", "b"], name="m")
    columns.update_state(np.array([[1.0, 1.0], [NAN, 2.0]]), p)
    assert np.isnan(to_numpy(columns.result()["m/macro"]))


@pytest.mark.parametrize(
    "metric",
    [
        M.Precision(),
        M.AUC(),
        M.AUC(multi_label=True),
        M.F1Score("macro", threshold=0.5),
        M.F1Score("micro"),
        M.MeanSquaredError(),
        M.RootMeanSquaredError(),
        M.MedianError(),
        M.MedianAbsoluteDeviation(capacity=9),
        M.TruePositives(),
        M.BinaryIoU(),
    ],
    ids=lambda metric: metric.name,
)
def test_divergence_where_weights_cancel(metric: Any) -> None:
    y = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    p = np.array([[NAN, 0.2], [NAN, 0.6], [0.3, 0.7], [0.8, 0.1]])
    w = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    assert np.isnan(value_of(metric, (y, p, w)))
    if isinstance(metric, (M.MeanSquaredError, M.Precision)):  # a column of nothing else
        columns = M.PerLabel(metric, ["a", "b"], name="m")
        columns.update_state(y[:2], p[:2], w[:2])
        assert np.isnan(to_numpy(columns.result()["m/macro"]))


# F-scores: of four classes one is predicted only, one is neither predicted nor observed.

LABELS = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [NAN, 1, 0, NAN]])
SCORES = np.array([[0.9, 0, 0, 0.1], [0.1, 0.8, 0, 0.2], [0, 0.1, 0.7, 0], [0.9, 0.8, 0.2, 0.9]])


def deleted(c: int, score: Any, w: Any) -> float:
    o = ~np.isnan(LABELS[:, c])
    y, p = LABELS[o, c], SCORES[o, c] > 0.5
    return float(score(y, p, sample_weight=w[o], zero_division=np.nan))


@pytest.mark.parametrize("weight", [None, np.array([1.0, 2.0, 3.0, 0.5])], ids=["", "weights"])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_f_scores_are_those_of_scikit_learn(weight: Any, beta: float) -> None:
    w = np.ones(4) if weight is None else weight
    each = [deleted(c, lambda *a, **k: fbeta_score(*a, beta=beta, **k), w) for c in range(4)]
    assert each[2] == 0
    assert np.isnan(each[3])
    batch = (LABELS, SCORES) if weight is None else (LABELS, SCORES, weight)
    seen = ~np.isnan(LABELS)
    support = [(w * (LABELS[:, c] == 1) * seen[:, c]).sum() for c in range(4)]
    for average, wanted in {
        None: each,
        "macro": np.nanmean(each),
        "weighted": np.average(each[:3], weights=support[:3]),
        "micro": fbeta_score(
            LABELS[seen], SCORES[seen] > 0.5, beta=beta, sample_weight=np.repeat(w, seen.sum(1))
        ),
    }.items():
        metric = M.FBetaScore(average, beta, 0.5)
        np.testing.assert_allclose(value_of(metric, batch), wanted, rtol=1e-5)
    columns = M.PerLabel(M.FBetaScore(None, beta, 0.5), list("abcd"), name="m")
    columns.update_state(*batch)
    found = {key: float(value) for key, value in columns.result().items()}
    np.testing.assert_allclose([found[f"m/{label}"] for label in "abcd"], each, rtol=1e-5)
    np.testing.assert_allclose(found["m/macro"], np.nanmean(each), rtol=1e-5)


def test_f_scores_with_nothing_missing() -> None:
    """As in Keras and scikit-learn, where every class is predicted or observed."""
    y, p = np.eye(3)[[0, 0, 1]], np.eye(3)[[0, 2, 1]]
    wanted = f1_score(y.argmax(1), p.argmax(1), average="macro")
    np.testing.assert_allclose(value_of(M.F1Score("macro"), (y, p)), wanted, rtol=1e-6)
    np.testing.assert_allclose(value_of(keras.metrics.F1Score("macro"), (y, p)), wanted, rtol=1e-5)
    # No positive label at all, but a prediction.
    for average in ("macro", "micro", "weighted"):
        metric = M.F1Score(average, threshold=0.5)
        assert value_of(metric, (np.zeros((2, 2)), np.array([[0.9, 0.1], [0.2, 0.3]]))) == 0
        assert np.isnan(value_of(M.F1Score(average, 0.5), (np.zeros((2, 2)), np.zeros((2, 2)))))


def test_columns_of_more_axes() -> None:
    """With `axis=0`, a column is what it is in R2: all that is on one index of the last axis."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(12, 3, 4))
    p = y + rng.normal(size=y.shape)
    y[rng.random(y.shape) < 0.2] = NAN
    for cls, oracle in (
        (M.PearsonCorrelation, oracles.pearson),
        (M.ConcordanceCorrelation, oracles.concordance),
    ):
        wanted = []
        for c in range(4):
            o = ~np.isnan(y[..., c])
            wanted.append(oracle(y[..., c][o], p[..., c][o], np.ones(o.sum())))
        whole, parts = (
            value_of(cls(axis=0), *b)
            for b in (
                [(y, p)],
                [(y[:, :1], p[:, :1]), (y[:5, 1:], p[:5, 1:]), (y[5:, 1:], p[5:, 1:])],
            )
        )
        np.testing.assert_allclose([whole, parts], np.mean(wanted), rtol=1e-5)


def empty(*shape: int) -> tuple[Any, Any]:
    return np.zeros(shape, "float32"), np.zeros(shape, "float32")


def test_batches_without_rows() -> None:
    y, p = LABELS[:3], SCORES[:3]
    made: list[Any] = [
        M.F1Score("macro"),
        M.F1Score("macro", 0.5),
        M.R2Score(),
        M.AUC(),
        M.Precision(),
        M.PearsonCorrelation(axis=0),
        M.PearsonCorrelation(),
        M.MeanSquaredError(),
        M.CategoricalAccuracy(),
        M.CategoricalHinge(),
        M.MedianError(),
        M.Precision(top_k=2),
    ]
    for metric in made:
        assert np.isnan(value_of(metric, empty(0, 4))), metric.name
        with_empty = value_of(metric, (y, p))
        metric.reset_state()
        np.testing.assert_array_equal(value_of(metric, (y, p)), with_empty, metric.name)
    columns = M.PerLabel(M.F1Score(threshold=0.5), list("abcd"), name="m")
    columns.update_state(*empty(0, 4))
    assert np.isnan([float(value) for value in columns.result().values()]).all()
    for metric in (
        M.SparseCategoricalAccuracy(),
        M.MeanIoU(4, sparse_y_pred=False),
        M.SparseTopKCategoricalAccuracy(2),
        M.SparseCategoricalCrossentropy(),
    ):
        assert np.isnan(value_of(metric, (np.zeros((0,), "int32"), empty(0, 4)[1]))), metric.name
    assert np.isnan(value_of(M.Accuracy(missing=-1), (np.zeros((0, 2), "int32"),) * 2))


@pytest.mark.parametrize("cls", [M.F1Score, M.R2Score, M.MeanSquaredError, M.AUC, M.Precision])
def test_labels_without_columns(cls: Any) -> None:
    assert np.isnan(value_of(cls(), empty(3, 0))).all()


def test_a_label_whose_target_class_never_occurs_leaves_the_mean_of_labels():
    y, p = (np.eye(3)[ids] for ids in ([[0, 1], [0, 1], [2, 0]], [[2, 1], [0, 0], [0, 0]]))
    metric = km.metrics.PerLabel(km.metrics.OneHotIoU(3, [1]), ["a", "b"], name="iou")
    metric.update_state(y, p)
    found = {key: float(value) for key, value in metric.result().items()}
    assert np.isnan(found["iou/a"]) and found["iou/b"] == found["iou/macro"] == 0.5
