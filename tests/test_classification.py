"""Metrics of confusion matrices: many columns, ids and one-hot rows, undefined values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import keras_masked as km
from tests import classification_oracles as oracles
from tests.backend import tensor, to_numpy
from tests.test_metric_values import value_of

M = km.metrics
NAN = float("nan")
BINARY: dict[str, Any] = {
    "MatthewsCorrelation": oracles.matthews,
    "CohenKappa": oracles.kappa(None),
    "BalancedAccuracy": oracles.balanced,
    "Specificity": oracles.specificity,
    "NegativePredictiveValue": oracles.negative_predictive_value,
}


def rare(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns from never to always positive, a third of the labels missing."""
    rng = np.random.default_rng(0)
    share = np.linspace(0, 1, columns)
    y = (rng.random((rows, columns)) < share).astype("float32")
    p = np.clip(0.4 * y + 0.6 * rng.random(y.shape), 0.01, 0.99).astype("float32")
    y[rng.random(y.shape) < 0.35] = NAN
    y[:, 3] = NAN
    return y, p, rng.integers(1, 4, rows).astype("float32")


@pytest.mark.parametrize("name", BINARY)
def test_a_thousand_columns_are_those_of_scikit_learn(name: str) -> None:
    y, p, w = rare(50, 1000)
    metric = M.PerLabel(getattr(M, name)(), [f"{c}" for c in range(1000)], log="macro", name="m")
    for part in (slice(0, 7), slice(7, 50)):
        metric.update_state(y[part], p[part], w[part])
    found = metric.metric.scores(metric._state)[0]
    expected = []
    for c in range(1000):
        o = ~np.isnan(y[:, c])
        expected.append(BINARY[name](y[o, c], p[o, c], w[o]))
    assert 0 < np.isnan(expected).sum() < 100
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-6, atol=1e-6)
    macro = to_numpy(metric.result()["m/macro"])
    np.testing.assert_allclose(macro, np.nanmean(expected), rtol=1e-5)


def of_classes(classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, classes - 1, 60)  # the last class is predicted only
    p = rng.dirichlet(np.ones(classes), 60)
    p[:30] = 0.5 * p[:30] + 0.5 * np.eye(classes)[ids[:30]]
    return ids, p.astype("float32")


@pytest.mark.parametrize("sparse", [True, False], ids=["ids", "one-hot"])
def test_confusion_matrix_and_its_functions(sparse: bool) -> None:
    ids, p = of_classes()
    hidden = np.arange(60) % 4 == 0
    labels: Any = np.where(hidden, -1, ids)
    if not sparse:
        labels = np.eye(5)[ids]
        labels[hidden] = NAN
    said, o = p.argmax(-1), ~hidden
    options: Any = {"num_classes": 5, "sparse_y_true": sparse}
    w = np.linspace(0.5, 2, 60)
    matrix = M.ConfusionMatrix(**options)
    found = value_of(matrix, (labels[:20], p[:20], w[:20]), (labels[20:], p[20:], w[20:]))
    expected = sklearn_metrics.confusion_matrix(
        ids[o], said[o], sample_weight=w[o], labels=range(5)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert to_numpy(matrix.support()) == pytest.approx(w[o].sum())
    for weights in (None, "linear", "quadratic"):
        found = value_of(M.CohenKappa(weights, **options), (labels, p))
        kappa = sklearn_metrics.cohen_kappa_score(ids[o], said[o], weights=weights, labels=range(5))
        np.testing.assert_allclose(found, kappa, rtol=1e-6)
    for cls, score in (
        (M.MatthewsCorrelation, sklearn_metrics.matthews_corrcoef),
        (M.BalancedAccuracy, oracles.no_warning(sklearn_metrics.balanced_accuracy_score)),
    ):
        found = value_of(cls(**options), (labels, p, w))
        np.testing.assert_allclose(found, score(ids[o], said[o], sample_weight=w[o]), rtol=1e-6)


def test_binary_confusion_matrix() -> None:
    y, p = np.array([[1, 0, NAN, 1, 0]]), np.array([[0.9, 0.8, 0.7, 0.2, 0.1]])
    np.testing.assert_array_equal(value_of(M.ConfusionMatrix(), (y, p)), [[1, 1], [1, 1]])
    np.testing.assert_array_equal(value_of(M.ConfusionMatrix(), (NAN * y, p)), [[0, 0], [0, 0]])
    p[0, 1] = NAN
    assert np.isnan(value_of(M.ConfusionMatrix(), (y, p))).all()
    scores = np.array([[0.1, 0.9], [NAN, 0.5], [0.3, 0.7]])
    metric = M.ConfusionMatrix(2, sparse_y_true=True)
    assert np.isnan(value_of(metric, (np.array([1, 0, 1]), scores))).all()
    with pytest.raises(ValueError, match="matrix"):
        M.PerLabel(M.ConfusionMatrix(), ["a", "b"])


def test_classes_per_column() -> None:
    """Labels (batch, columns) of scores (batch, columns, classes)."""
    rng = np.random.default_rng(3)
    y, p = rng.integers(-1, 4, (30, 6)), rng.random((30, 6, 4))
    for cls, oracle in (
        (M.MatthewsCorrelation, oracles.matthews_of_classes),
        (M.BalancedAccuracy, oracles.balanced_of_classes),
        (M.CohenKappa, oracles.kappa(None, 4)),
    ):
        metric = M.PerLabel(cls(num_classes=4, sparse_y_true=True), list("abcdef"), name="m")
        metric.update_state(y, p)
        found = [to_numpy(metric.result()[f"m/{c}"]) for c in "abcdef"]
        o = y >= 0
        expected = [oracle(y[o[:, c], c], p[o[:, c], c], np.ones(o[:, c].sum())) for c in range(6)]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("cls", [M.MatthewsCorrelation, M.CohenKappa, M.BalancedAccuracy])
def test_wrong_shapes_and_ids(cls: Any) -> None:
    ids, p = of_classes()
    with pytest.raises(ValueError, match="num_classes"):
        cls(sparse_y_true=True).update_state(ids, p)
    with pytest.raises(ValueError, match="4 classes"):
        cls(num_classes=4, sparse_y_true=True).update_state(ids, p)
    with pytest.raises(ValueError, match="sparse_y_true=True"):
        cls(num_classes=5).update_state(ids, p)
    with pytest.raises(ValueError, match="sparse_y_true=True"):
        cls(num_classes=5).update_state(ids[:, None], p)
    with pytest.raises(ValueError, match="outside 0"):
        cls(num_classes=5, sparse_y_true=True).update_state(ids + 2, p)
    assert np.isnan(value_of(cls(num_classes=5, sparse_y_true=True), (tensor(ids + 2), p)))


def test_labels_of_one_class_have_no_correlation() -> None:
    p = np.array([0.2, 0.9, 0.7])
    for y in (np.zeros(3), np.ones(3)):
        assert np.isnan(value_of(M.MatthewsCorrelation(), (y, p)))
        assert value_of(M.CohenKappa(), (y, p)) == pytest.approx(0)
        assert np.isnan(value_of(M.CohenKappa(), (y, y)))
    y = np.array([0.0, 1.0, 1.0])
    assert value_of(M.MatthewsCorrelation(), (y, 0.1 * p)) == 0
    assert np.isnan(value_of(M.NegativePredictiveValue(), (y, 0.5 + 0.5 * p)))
    assert np.isnan(value_of(M.Specificity(), (y[1:], p[1:])))


EVENTS = [
    "CriticalSuccessIndex", "EquitableThreatScore", "FalseAlarmRatio", "FrequencyBias",
    "HeidkeSkillScore", "ProbabilityOfDetection",
]  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    """A value on the threshold is an event; 0/1 labels have probabilities."""
    cls = getattr(M, name)
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 4, (2, 40)).astype("float32")
    y[::5] = NAN
    found = value_of(cls(threshold=2), (y, p))
    assert np.isfinite(found)
    np.testing.assert_array_equal(
        value_of(cls(), (np.where(np.isnan(y), NAN, y >= 2), (p >= 2) * 0.4 + 0.1)), found
    )
    nothing = value_of(cls(threshold=9), (y, p))
    assert np.isnan(nothing)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        cls().update_state(y, p)
