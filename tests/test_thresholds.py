"""Metrics counted at thresholds: several thresholds, top k, one class, and scikit-learn."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import keras_masked as km
from tests.backend import to_numpy
from tests.test_metric_values import value_of

M, KM = km.metrics, keras.metrics
COUNTS = ["TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"]
RATES = ["Precision", "Recall"]
RNG = np.random.default_rng(0)
Y = (RNG.random((40, 5)) < 0.4).astype("float32")
P = RNG.random((40, 5)).astype("float32")
OBSERVED = RNG.random((40, 5)) < 0.7
HOLES = np.where(OBSERVED, Y, np.nan)
THRESHOLDS = [
    [0.3, 0.7],
    [0.7, 0.3, 0.5],
    [0.9, *np.linspace(0, 1, 12), 0.05],
    list(np.linspace(0, 1, 11)),
    0.25,
]


@pytest.mark.parametrize("name", COUNTS + RATES)
@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=lambda t: str(np.shape(t)))
def test_several_thresholds(name: str, thresholds: Any) -> None:
    """In the order given, as in Keras; with holes, those of the labels left."""
    if not isinstance(thresholds, float):
        thresholds = [float(t) for t in thresholds]
    ours, theirs = getattr(M, name)(thresholds), getattr(KM, name)(thresholds)
    np.testing.assert_allclose(value_of(ours, (Y, P)), value_of(theirs, (Y, P)), rtol=1e-6)
    ours, theirs = getattr(M, name)(thresholds), getattr(KM, name)(thresholds)
    left = (Y[OBSERVED], P[OBSERVED])
    np.testing.assert_allclose(value_of(ours, (HOLES, P)), value_of(theirs, left), rtol=1e-6)
    assert ours.thresholds == theirs.thresholds
    for count in ("true_positives", "false_positives", "false_negatives"):
        if hasattr(theirs, count):
            np.testing.assert_allclose(
                to_numpy(getattr(ours, count)), to_numpy(getattr(theirs, count))
            )


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("options", [{"top_k": 2}, {"class_id": 3}, {"top_k": 2, "class_id": 1},
                                     {"top_k": 3, "thresholds": 0.5}], ids=str)  # fmt: skip
def test_top_k_and_class(name: str, options: dict[str, Any]) -> None:
    ours, theirs = getattr(M, name)(**options), getattr(KM, name)(**options)
    np.testing.assert_allclose(value_of(ours, (Y, P)), value_of(theirs, (Y, P)), rtol=1e-6)
    # With holes: row by row, with the labels deleted, one column for Keras at a time.
    ours, theirs = getattr(M, name)(**options), getattr(KM, name)(**options)
    for i in range(15):
        o = np.flatnonzero(OBSERVED[i])
        here = dict(options)
        if "class_id" in here:
            if here["class_id"] not in o:
                continue
            here["class_id"] = int(np.flatnonzero(o == here["class_id"])[0])
        k = min(here.get("top_k", 1), max(len(o), 1))
        if not len(o):
            continue
        row = getattr(KM, name)(**{**here, **({"top_k": k} if "top_k" in here else {})})
        row.update_state(Y[i : i + 1, o], P[i : i + 1, o])
        for mine, other in zip(theirs.variables, row.variables, strict=True):
            mine.assign(mine + other.value)
    np.testing.assert_allclose(value_of(ours, (HOLES[:15], P[:15])), value_of(theirs), rtol=1e-6)


@pytest.mark.parametrize("name", RATES)
def test_top_k_next_to_a_nan(name: str) -> None:
    """Nobody knows the best of a row with a diverged prediction; a hidden one is not looked at."""
    p = P.copy()
    p[~OBSERVED] = np.nan
    value = value_of(getattr(M, name)(top_k=2), (HOLES, p))
    np.testing.assert_array_equal(value, value_of(getattr(M, name)(top_k=2), (HOLES, P)))
    p[3, np.flatnonzero(OBSERVED[3])[0]] = np.nan
    assert np.isnan(value_of(getattr(M, name)(top_k=2), (HOLES, p)))


@pytest.mark.parametrize("shape", [(6,), (6, 3)])
def test_no_such_class(shape: tuple[int, ...]) -> None:
    for metric in (M.Precision(class_id=3), M.RecallAtPrecision(0.5, class_id=3)):
        with pytest.raises(ValueError, match="class_id"):
            metric.update_state(np.ones(shape), np.ones(shape))


@pytest.mark.parametrize("name", [*COUNTS, *RATES])
@pytest.mark.parametrize("thresholds", [[-0.1, 0.5], [0.5, None], 1.5])
def test_bad_thresholds(name: str, thresholds: Any) -> None:
    with pytest.raises(ValueError, match=r"`thresholds` must be .* in \[0, 1\]"):
        getattr(M, name)(thresholds)


@pytest.mark.parametrize(
    ("cls", "argument"),
    [
        (M.SensitivityAtSpecificity, "specificity"),
        (M.SpecificityAtSensitivity, "sensitivity"),
        (M.PrecisionAtRecall, "recall"),
        (M.RecallAtPrecision, "precision"),
    ],
)
def test_operating_points(cls: Any, argument: str) -> None:
    for value in (-0.1, 1.1):
        with pytest.raises(ValueError, match=rf"`{argument}` must be .* in \[0, 1\].*{value}"):
            cls(value)
    with pytest.raises(ValueError, match="num_thresholds"):
        cls(0.5, num_thresholds=0)
    theirs = getattr(KM, cls.__name__)
    each: list[tuple[float, dict[str, Any]]] = [
        (0.0, {}), (0.3, {"num_thresholds": 1}), (0.8, {"num_thresholds": 7}), (1.0, {}),
        (0.6, {"class_id": 2}),
    ]  # fmt: skip
    for value, options in each:
        ours = value_of(cls(value, **options), (Y, P))
        np.testing.assert_allclose(ours, value_of(theirs(value, **options), (Y, P)), rtol=1e-6)
    only = np.ones((4, 2))
    assert np.isnan(value_of(cls(0.5), (only, 0.5 * only)))
    assert np.isnan(value_of(cls(0.5), (0 * only, 0.5 * only)))


def test_precision_without_predicted_positives_is_zero() -> None:
    assert value_of(M.Precision(), (np.array([1.0, np.nan, 0.0]), np.array([0.1, 0.9, 0.2]))) == 0
    assert np.isnan(value_of(M.Recall(), (np.array([0.0, np.nan]), np.array([0.1, 0.9]))))


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_f_scores(average: Any, beta: float) -> None:
    ours = M.FBetaScore(average, beta, 0.5)
    columns = [(Y[o, c], P[o, c] > 0.5) for c, o in enumerate(OBSERVED.T)]
    if average == "micro":
        expected = sklearn_metrics.fbeta_score(Y[OBSERVED], P[OBSERVED] > 0.5, beta=beta)
    else:
        expected = [sklearn_metrics.fbeta_score(y, said, beta=beta) for y, said in columns]
        weights = [y.sum() for y, _ in columns] if average == "weighted" else None
        expected = expected if average is None else np.average(expected, weights=weights)
    np.testing.assert_allclose(value_of(ours, (HOLES, P)), expected, rtol=1e-6)
    theirs = KM.FBetaScore(average, beta, 0.5)
    np.testing.assert_allclose(
        value_of(M.FBetaScore(average, beta, 0.5), (Y, P)), value_of(theirs, (Y, P)), rtol=1e-5
    )


def test_f_score_of_a_class_without_positives() -> None:
    y, p = Y.copy(), P.copy()
    y[:, 2] = 0
    scores = value_of(M.F1Score(threshold=0.5), (y, p))
    assert scores[2] == 0  # predicted, though never observed
    p[:, 2] = 0
    scores = value_of(M.F1Score(threshold=0.5), (y, p))
    assert np.isnan(scores[2])  # neither
    assert not np.isnan(np.delete(scores, 2)).any()
    macro = value_of(M.F1Score("macro", threshold=0.5), (y, p))
    np.testing.assert_allclose(macro, np.nanmean(scores), rtol=1e-6)


def test_f_score_of_the_greatest() -> None:
    """Without a threshold, the greatest of a row's observed predictions says 1."""
    np.testing.assert_allclose(
        value_of(M.F1Score(), (Y, P)), value_of(KM.F1Score(), (Y, P)), rtol=1e-5
    )
    said = np.zeros_like(P)
    for i in range(40):
        if OBSERVED[i].any():
            said[i, np.argmax(np.where(OBSERVED[i], P[i], -1))] = 1
    expected = [sklearn_metrics.f1_score(Y[o, c], said[o, c]) for c, o in enumerate(OBSERVED.T)]
    np.testing.assert_allclose(value_of(M.F1Score(), (HOLES, P)), expected, rtol=1e-6)
    p = P.copy()
    p[0, np.flatnonzero(OBSERVED[0])[0]] = np.nan
    assert np.isnan(value_of(M.F1Score("macro"), (HOLES, p)))


CURVES = [
    (c, m) for c in ("ROC", "PR", "PRGAIN") for m in ("interpolation", "majoring", "minoring")
]
OPTIONS: list[dict[str, Any]] = [
    {"thresholds": [0.1, 0.5, 0.6]},
    {"num_thresholds": 5},
    {"thresholds": [i / 31 for i in range(1, 31)]},
]


@pytest.mark.parametrize(
    ("curve", "method", "options"),
    [(*each, {}) for each in CURVES]
    + [(*CURVES[0], o) for o in OPTIONS]
    + [(*CURVES[4], o) for o in OPTIONS],
    ids=str,
)
def test_auc_of_every_kind(curve: str, method: str, options: dict[str, Any]) -> None:
    ours = M.AUC(curve=curve, summation_method=method, **options)
    theirs = KM.AUC(curve=curve, summation_method=method, **options)
    left = (Y[OBSERVED], P[OBSERVED])
    np.testing.assert_allclose(value_of(ours, (HOLES, P)), value_of(theirs, left), rtol=1e-5)
    np.testing.assert_allclose(ours.thresholds, theirs.thresholds)
    np.testing.assert_allclose(to_numpy(ours.true_positives), to_numpy(theirs.true_positives))
