"""`WithInterval`, a bootstrap of rows however data are split."""

from __future__ import annotations

import json
import pickle
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

import keras_masked as km
from keras_masked.metrics.rows import drawn
from tests.backend import BACKEND, set_mask, to_numpy
from tests.cases import METRICS, draw
from tests.interval_data import (
    EVERY,
    KINDS,
    LABELS,
    NO_ROW,
    REPLICATES,
    ROWS,
    binary,
    drawn_rows,
    ends,
    result_of,
    table,
)

M = km.metrics


def repeated(counts: np.ndarray) -> np.ndarray:
    """Numbers of rows, each as often as it was drawn, and then of `NO_ROW`, always as many.

    JAX would compile every metric anew for each number of rows. A row without labels is none.
    """
    rows = np.repeat(np.arange(ROWS), counts.astype(int))
    return np.pad(rows, (0, 130 - len(rows)), constant_values=NO_ROW)


@EVERY
def test_replicates_are_repeated_rows(kind: str) -> None:
    """Each replicate is the metric itself on rows repeated as often as they were drawn."""
    make, of_classes = KINDS[kind]
    y, p = binary(*table()) if of_classes else table()
    counts = drawn_rows()
    for metric in (make(), M.PerLabel(make(), LABELS)):
        found = M.WithInterval(metric, replicates=REPLICATES)
        for rows in (slice(0, 30), slice(30, 60), slice(60, 90)):
            found.update_state(y[rows], p[rows])
        values, ways = (to_numpy(x) for x in found.values())
        np.testing.assert_allclose(values, result_of(metric, y, p), rtol=1e-5, atol=1e-6)
        for r in (0, 7, REPLICATES - 1):
            rows = repeated(counts[:, r])
            expected = result_of(metric, y[rows], p[rows])
            np.testing.assert_allclose(ways[:, r], expected, rtol=2e-4, atol=1e-5)
        result = {key: float(to_numpy(x)) for key, x in found.result().items()}
        assert list(result) == found.logged()
        name = found.logged()[0]
        ends = np.quantile(ways[0], [0.025, 0.975])
        np.testing.assert_allclose(
            [result[name], result[f"{name}/lower"], result[f"{name}/upper"]],
            [values[0], *ends],
            rtol=1e-5,
        )


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_any_split_and_any_merge(method: str) -> None:
    y, p = table()

    def metric(start: int = 0) -> Any:
        inner = M.PerLabel(M.MeanAbsoluteError(), LABELS)
        return M.WithInterval(inner, replicates=60, start=start, method=method)

    whole, halves = metric(), [metric(), metric(start=30)]
    whole.update_state(y, p)
    for first in range(0, 60, 30):
        halves[first // 30].update_state(y[first : first + 30], p[first : first + 30])
    halves[0].merge_state(halves[1:])
    halves[0].update_state(y[60:], p[60:])
    np.testing.assert_allclose(ends(halves[0]), ends(whole), rtol=1e-5)
    copy = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(ends(copy), ends(whole))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(whole)))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded.get_config() == whole.get_config()
    loaded.update_state(y, p)
    np.testing.assert_allclose(ends(loaded), ends(whole), rtol=1e-6)
    with pytest.raises(ValueError, match="same class and options"):
        whole.merge_state([M.WithInterval(whole.metric, replicates=61, method=method)])


def test_intervals_of_scipy() -> None:
    """About those of `scipy.stats.bootstrap` on rows without the missing labels."""
    rng = np.random.default_rng(1)
    y = rng.exponential(size=(400, 1)).astype("float32")
    p = np.zeros_like(y)
    y[::3] = np.nan
    errors = np.abs(y[~np.isnan(y)])
    for method in ("percentile", "bca"):
        metric = M.WithInterval(M.MeanAbsoluteError(), replicates=2000, method=method)
        metric.update_state(y, p)
        theirs = stats.bootstrap((errors,), np.mean, n_resamples=4000, method=method, rng=rng)
        interval = theirs.confidence_interval
        width = interval.high - interval.low
        np.testing.assert_allclose(ends(metric)[1:], interval, atol=0.06 * width)


def test_rows_belong_together() -> None:
    """Sequences whose labels are all the same: the interval is that of as many rows."""
    y = np.repeat(np.random.default_rng(0).normal(size=(100, 1)), 20, axis=1)[..., None]
    of_labels = M.WithInterval(M.MeanError(), replicates=300)
    of_labels.update_state(np.zeros_like(y), y)
    of_rows = M.WithInterval(M.MeanError(), replicates=300)
    of_rows.update_state(np.zeros((100, 1)), y[:, 0])
    np.testing.assert_allclose(ends(of_labels), ends(of_rows), rtol=1e-4, atol=1e-6)


def test_weights_masks_vectors_and_ids() -> None:
    y, p = table()
    rng = np.random.default_rng(0)
    counts = drawn_rows()
    rows = repeated(counts[:, 3])
    w = rng.random(ROWS) + 0.5
    for metric in (M.MeanSquaredError(), M.R2Score(), M.AUC(num_thresholds=20)):
        data = binary(y, p) if isinstance(metric, M.AUC) else (y, p)
        found = M.WithInterval(metric, replicates=REPLICATES)
        found.update_state(*data, w)
        expected = result_of(metric, *(x[rows] for x in (*data, w)))
        np.testing.assert_allclose(to_numpy(found.values()[1])[:, 3], expected, rtol=1e-4)
    mask = rng.random(ROWS) < 0.7
    found = M.WithInterval(M.MeanSquaredError(), replicates=REPLICATES)
    found.update_state(y, set_mask(p, mask))
    rows = repeated(counts[:, 3] * mask)
    expected = result_of(M.MeanSquaredError(), *(x[rows] for x in (y, p)))
    np.testing.assert_allclose(to_numpy(found.values()[1])[:, 3], expected, rtol=1e-4)
    rows = repeated(counts[:, 3])
    ids, scores = rng.integers(-1, 4, ROWS), rng.random((ROWS, 4)).astype("float32")
    ids[NO_ROW] = -1
    one_hot = np.where(ids[:, None] == -1, np.nan, np.eye(4)[ids]).astype("float32")
    for metric, labels in (
        (M.SparseCategoricalAccuracy(), ids),
        (M.CategoricalAccuracy(), one_hot),
    ):
        found = M.WithInterval(metric, replicates=REPLICATES)
        found.update_state(labels, scores)
        expected = result_of(metric, labels[rows], scores[rows])
        np.testing.assert_allclose(to_numpy(found.values()[1])[:, 3], expected, rtol=1e-4)


def test_undefined_and_diverged() -> None:
    y, p = binary(*table())
    y[:, 1] = np.where(np.isnan(y[:, 1]), np.nan, 0)
    y[:3, 1], y[:, 2] = [1, 0, 0], np.nan  # one positive: absent from a third of the replicates
    metric = M.WithInterval(M.PerLabel(M.AUC(), LABELS, name="m"), replicates=60)
    assert np.isnan(ends(metric)).all()
    metric.update_state(y, p)
    found = dict(zip(metric.logged(), ends(metric), strict=True))
    assert np.isnan(found["m/c"]) and np.isnan(found["m/c/lower"])
    assert 0 <= found["m/b/lower"] <= found["m/b/upper"] <= 1
    p[5] = np.nan
    y[5] = 1
    metric.reset_state()
    metric.update_state(y, p)
    assert np.isnan(ends(metric)).all()


def test_replicates_of_one_label_are_undefined() -> None:
    """A rounding is no variance: R2 of a million, or above 1, would be an end of the interval."""
    y = np.array([[0.1], [7.3], [0.1]], "float32")
    p = np.array([[0.3], [2.0], [1.1]], "float32")
    ways = to_numpy(drawn(keras.ops.arange(3, dtype="int32"), 200, 0)).astype(int).T
    for metric in (M.R2Score(), M.PearsonCorrelation(axis=0)):
        whole, parts = (M.WithInterval(metric, replicates=200) for _ in range(2))
        whole.update_state(y, p)
        for i in range(3):
            parts.update_state(y[i : i + 1], p[i : i + 1])
        found = to_numpy(whole.values()[1])[0]
        alike = [len(set(np.repeat(y[:, 0], n))) < 2 for n in ways]
        np.testing.assert_array_equal(np.isnan(found), alike)
        np.testing.assert_allclose(ends(parts), ends(whole), rtol=1e-4)


def test_what_has_no_interval() -> None:
    for metric in (
        M.MedianAbsoluteDeviation(),
        M.PearsonCorrelation(),
        M.F1Score(threshold=0.5),
        M.R2Score(class_aggregation=None),
        M.Masked(keras.metrics.Precision()),
        keras.metrics.Precision(),
        M.OfMean(M.MeanSquaredError()),
    ):
        with pytest.raises(ValueError, match="metric|axis|threshold"):
            M.WithInterval(metric)
    inside = M.OfMean(M.WithInterval(M.MeanAbsoluteError(name="m"), replicates=20))
    inside.update_state(np.zeros((5, 2)), np.ones((5, 2, 2)))
    np.testing.assert_allclose(ends(inside), [1, 1, 1])


def test_in_compile() -> None:
    y, p = table()

    def metric() -> Any:
        return M.WithInterval(M.PerLabel(M.MeanSquaredError(name="m"), LABELS), replicates=20)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model.compile(loss=km.losses.MeanSquaredError(), metrics=[metric()])
    found = model.evaluate(p, y, batch_size=32, verbose=0, return_dict=True)
    alone = metric()
    alone.update_state(y, p)
    expected = {key: float(to_numpy(x)) for key, x in alone.result().items()}
    assert {key: pytest.approx(value, rel=1e-5) for key, value in expected.items()} == {
        key: value for key, value in found.items() if key != "loss"
    }


def test_auc_of_scikit_learn() -> None:
    y, p = binary(*table())
    metric = M.WithInterval(M.PerLabel(M.AUC(2000), LABELS, name="m"), replicates=20)
    metric.update_state(y, p)
    found = dict(zip(metric.logged(), ends(metric), strict=True))
    for c, label in enumerate(LABELS):
        seen = ~np.isnan(y[:, c])
        expected = roc_auc_score(y[seen, c], p[seen, c])
        assert found[f"m/{label}"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.skipif(BACKEND != "torch", reason="the same code elsewhere; JAX compiles for minutes")
@pytest.mark.parametrize("wrapper", [M.WithInterval, M.ByGroup])
def test_every_metric_has_its_value_or_is_refused(wrapper: Any) -> None:
    """Whatever the metric, none has another value, or fails only once there are data."""
    counts: dict[bool, int] = {True: 0, False: 0}
    made = [(case, case.make) for case in METRICS]
    made += [(case, lambda case=case: M.PerLabel(case.make(), LABELS)) for case in METRICS]
    for case, make in made:
        data = draw(case, (5, len(LABELS)))
        y, options = data.with_missing(), {"replicates": 4} if wrapper is M.WithInterval else {}
        try:
            wrapped = wrapper(make(), **options or {"groups": 1})
        except ValueError:
            counts[False] += 1
            continue
        metric = make()
        metric.update_state(y, data.p)
        expected = metric.result()
        if isinstance(expected, dict):
            expected = expected[f"{metric.name}/{LABELS[0]}"]
        for batch in (slice(0), slice(None)):  # the first without rows
            groups = {} if options else {"groups": np.zeros(len(y[batch]), "int32")}
            wrapped.update_state(y[batch], data.p[batch], **groups)
        value, *_ = wrapped.result().values()
        np.testing.assert_allclose(
            to_numpy(value), to_numpy(expected), rtol=1e-4, atol=1e-6, err_msg=str(case)
        )
        counts[True] += 1
    assert min(counts.values()) > 15
