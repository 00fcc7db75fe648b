"""Metrics of times to an event: other packages' values, capacity, adapting, saving, bad input."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import survival_oracles as so
from tests.backend import BACKEND, tensor, to_numpy

Array = np.ndarray
M = km.metrics
INF = np.inf
DOUBLE = "float64" if BACKEND != "jax" else "float32"  # JAX computes in float32 unless told so
EXACT = 1e-9 if BACKEND != "jax" else 1e-6
TIMES = (2.0, 4.5, 7.0)


def value_of(metric: Any, *batches: Any) -> Array:
    for batch in batches:
        metric.update_state(*batch)
    return np.asarray(keras.ops.convert_to_numpy(metric.result()), "float64")


def weibulls(rows: int = 24) -> Array:
    rng = np.random.default_rng(0)
    return np.stack([rng.normal(1.5, 0.5, (rows, 3)), rng.normal(0, 0.3, (rows, 3))], axis=-1)


def survival(p: Array, time: float) -> Array:
    p = p.astype("float32").astype("float64")
    return np.asarray(np.exp(-((time / np.exp(p[..., 0])) ** np.exp(p[..., 1]))))


@pytest.mark.parametrize("estimator", ["harrell", "uno"])
def test_concordance(estimator: str) -> None:
    """Ties in times and scores, split into batches, by other labels' censoring or by their own."""
    for seed in range(2):
        t, e, p, o = so.draw(seed)
        y, train = so.as_labels(t, e, o), so.draw(seed + 10)
        for adapted in (False, True):
            columns, pairs = [], train if adapted else (t, e, p, o)
            for c, k in enumerate(o.T):
                at = tuple(x[pairs[3][:, c], c] for x in pairs[:2])
                seen = so.uncensored(*at, t[k, c]) if estimator == "uno" else None
                columns.append(so.concordance(t[k, c], e[k, c], p[k, c], seen=seen))
            metric = M.ConcordanceIndex(estimator, capacity=32, dtype=DOUBLE)
            if adapted:
                metric.adapt(so.as_labels(train[0], train[1], train[3]))
            value = value_of(metric, (y[:7], p[:7]), (y[7:], p[7:]))
            np.testing.assert_allclose(value, np.mean(columns), rtol=EXACT)
            single = M.ConcordanceIndex(estimator, capacity=32, censoring=metric.censoring)
            np.testing.assert_allclose(value_of(single, (y, p)), np.mean(columns), rtol=1e-6)


def test_scikit_survival() -> None:
    """On deleted rows, with the censoring of other labels."""
    theirs = pytest.importorskip("sksurv.metrics")
    from sksurv.util import Surv

    t, e, p, o = so.draw(1, rows=60)
    train, q = so.draw(2, rows=60), weibulls(60)
    y, labels = so.as_labels(t, e, o), so.as_labels(train[0], train[1], train[3])
    rows = {"harrell": [], "uno": [], "at": [], "over": []}  # type: dict[str, list[float]]
    for c, k in enumerate(o.T):
        then, kept = train[3][:, c], Surv.from_arrays(e[k, c], t[k, c])
        before = Surv.from_arrays(train[1][then, c], train[0][then, c])
        censored = theirs.concordance_index_censored(e[k, c], t[k, c], p[k, c])
        rows["harrell"].append(censored[0])
        rows["uno"].append(theirs.concordance_index_ipcw(before, kept, p[k, c])[0])
        left = np.stack([survival(q[k, c], time) for time in TIMES], axis=1)
        rows["at"].append(theirs.brier_score(before, kept, left[:, 1], TIMES[1])[1][0])
        rows["over"].append(theirs.integrated_brier_score(before, kept, left, TIMES))
    metrics = {
        "harrell": M.ConcordanceIndex(capacity=64, dtype=DOUBLE),
        "uno": M.ConcordanceIndex("uno", capacity=64, dtype=DOUBLE),
        "at": M.BrierScoreAt("weibull", TIMES[1], dtype=DOUBLE),
        "over": M.IntegratedBrierScore("weibull", TIMES, dtype=DOUBLE),
    }
    for name, metric in metrics.items():
        metric.adapt(labels)
        each = M.PerLabel(metric, ["a", "b", "c"])
        each.update_state(y, q.astype("float32") if name in ("at", "over") else p)
        found = np.asarray(keras.ops.convert_to_numpy(each.scores()), "float64")
        np.testing.assert_allclose(found, rows[name], rtol=EXACT)


def test_more_than_fits_is_unknown() -> None:
    """In 32 slots of a column, 24 rows with holes fit, and twice as many do not."""
    t, e, p, o = so.draw()
    y = so.as_labels(t, e, o)
    assert (o.sum(axis=0) > 16).any()
    metric = M.ConcordanceIndex(capacity=32)
    assert np.isfinite(value_of(metric, (y, p)))
    assert np.isnan(value_of(metric, (y, p)))


def test_without_pairs() -> None:
    """All censored, one label, one event; events at one time; an event and what is lost then."""
    p = np.float32([[3.0], [2.0], [1.0]])

    def value(*ends: Any, estimator: str = "harrell") -> Array:
        y = np.full((3, 1, 2), np.nan, "float32")
        y[: len(ends), 0] = ends
        return value_of(M.ConcordanceIndex(estimator, capacity=4), (y, p))

    assert np.isnan(value([1, INF], [2, INF], [3, INF]))
    assert np.isnan(value([1, 1]))
    assert np.isnan(value([2, 2], [2, 2], [2, 2]))
    assert np.isnan(value([2, INF], [2, INF], [3, 3]))
    assert value([2, 2], [2, INF]) == 1 and value([2, INF], [2, 2]) == 0
    assert value([1, 1], [2, INF], [3, 3]) == 1
    # Of what has its event when all that is left is lost, nobody knows what else was.
    assert np.isnan(value([1, 1], [2, 2], [2, INF], estimator="uno"))


def test_divergence_and_other_kinds_of_censoring() -> None:
    t, e, p, o = so.draw()
    y = so.as_labels(t, e, o)
    builders: list[Any] = [
        lambda: (M.ConcordanceIndex(capacity=32), p.copy()),
        lambda: (M.BrierScoreAt("weibull", 4.0), weibulls().astype("float32")),
    ]
    for build in builders:
        metric, q = build()
        metric.adapt(y)
        q[tuple(np.argwhere(o)[5])] = np.nan
        assert np.isnan(value_of(metric, (y, q)))
        for ends in ([-INF, 3], [1, 2], [INF, INF]):
            metric, q = build()
            metric.adapt(y)
            wrong = y.copy()
            wrong[1, 0] = ends
            with pytest.raises(ValueError, match="right-censored"):
                metric.update_state(wrong, q)
            with pytest.raises(ValueError, match="right-censored"):
                metric.adapt(wrong)
            assert np.isnan(value_of(metric, (tensor(wrong), q)))


def test_adapting() -> None:
    """Needed, of as many columns, and part of what is saved: in JSON, by pickle, in `PerLabel`."""
    t, e, _, o = so.draw()
    y, q = so.as_labels(t, e, o), weibulls().astype("float32")
    metric = M.BrierScoreAt("weibull", 4.0)
    with pytest.raises(ValueError, match=r"`adapt\(labels\)` first"):
        metric.update_state(y, q)
    for hostile in (y[..., 0], np.full((4, 2, 2), np.nan, "float32")):
        with pytest.raises(ValueError, match="labels"):
            metric.adapt(hostile)
    metric.adapt(y[:, :2])
    with pytest.raises(ValueError, match=r"2 columns of labels. Received: 3"):
        metric.update_state(y, q)
    each = M.PerLabel(metric, ["a", "b", "c"])
    metric.adapt(y)
    value = value_of(metric, (y, q))
    for again in (
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric)),
        pickle.loads(pickle.dumps(metric)),
    ):
        again.reset_state()
        np.testing.assert_array_equal(value_of(again, (y, q)), value)
    config = keras.saving.serialize_keras_object(each)
    restored: Any = keras.saving.deserialize_keras_object(config)
    restored.update_state(y, q)
    assert np.isfinite(to_numpy(restored.result()["brier_score_at/macro"]))
    # What nobody lost: all weights are 1.
    metric.adapt(so.as_labels(t, np.ones_like(e)))
    assert metric.censoring == (((), ()),) * 3


@pytest.mark.slow
def test_fit_save_and_load(tmp_path: Path) -> None:
    """A model that learns an order, one label in three missing; the metric is saved adapted."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(128, 4)).astype("float32")
    hazard = np.exp(x[:, :2] + 0.5 * x[:, 2:])
    t, lost = rng.exponential(1 / hazard) + 0.01, rng.exponential(2, (128, 2)) + 0.01
    y = so.as_labels(np.minimum(t, lost), t <= lost, rng.random((128, 2)) < 0.7)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    concordance = M.ConcordanceIndex("uno", capacity=128, name="c")
    concordance.adapt(y)
    model.compile(
        keras.optimizers.Adam(0.05), km.losses.CoxPartialLikelihood(), metrics=[concordance]
    )
    model.fit(x, y, epochs=20, batch_size=48, verbose=0)  # a last batch of 32
    value = model.evaluate(x, y, verbose=0, return_dict=True)
    assert value["c"] > 0.7
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.evaluate(x, y, verbose=0, return_dict=True)["c"] == pytest.approx(value["c"])
