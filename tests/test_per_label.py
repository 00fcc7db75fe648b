"""`PerLabel`: each column as if it were alone, in one pass."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import oracles
from tests.backend import BACKEND, compile_, set_mask, tensor, to_numpy
from tests.cases import METRICS, Case, draw
from tests.laws import grid, intakes

M = km.metrics
LABELS = ["a", "b", "c", "d", "e"]


def per_column_cases() -> list[Case]:
    """All metrics that are there for one column: not those of whole rows, which are another."""
    cases = [case for case in METRICS if not (case.per_row or case.class_wise)]
    return [case for case in cases if case.label != "multi_label"]


CASES = pytest.mark.parametrize("case", per_column_cases(), ids=str)
KEEPING = grid("case", intakes(per_column_cases(), "collect"))


def per_label(case: Case, **options: Any) -> Any:
    return M.PerLabel(case.make(), LABELS, name="m", **options)


def values(metric: Any) -> dict[str, float]:
    return {key: float(to_numpy(value)) for key, value in metric.result().items()}


def alone(case: Case, c: int, *batches: tuple[Any, ...]) -> float:
    """The metric itself, of one column, cut out by hand."""
    metric = case.make()
    for y, p, *weights in batches:
        w = [weight[:, c : c + 1] if np.ndim(weight) > 1 else weight for weight in weights]
        metric.update_state(y[:, c : c + 1], p[:, c : c + 1], *w)
    return float(to_numpy(metric.result()))


@grid("case", per_column_cases(), weight=[None, (10, 5)])
def test_each_label_as_if_alone(case: Case, weight: Any) -> None:
    data = draw(case, (10, 5), seed=3)
    y = data.with_missing()
    y[:, 4] = np.nan  # never observed
    rng = np.random.default_rng(0)
    w = () if weight is None else (rng.integers(0, 4, weight).astype("float64") + 0.5,)
    batches = [(y[b], data.p[b], *(x[b] for x in w)) for b in (slice(0, 5), slice(5, 10))]
    metric = per_label(case)
    for batch in batches:
        metric.update_state(*batch)
    found = values(metric)
    expected = [alone(case, c, *batches) for c in range(5)]
    np.testing.assert_allclose([found[f"m/{k}"] for k in LABELS], expected, rtol=2e-5)
    macro = np.nanmean(expected) if not np.isnan(expected).all() else np.nan
    np.testing.assert_allclose(found["m/macro"], macro, rtol=2e-5)
    assert list(found) == [*(f"m/{label}" for label in LABELS), "m/macro"]
    support = to_numpy(metric.support())
    weights = np.broadcast_to(w[0].reshape(10, -1), (10, 5)) if w else np.ones((10, 5))
    seen = data.observed.copy()
    seen[:, 4] = False
    np.testing.assert_allclose(support, (weights * seen).sum(axis=0), rtol=1e-6)


@pytest.mark.parametrize("cls", ["PearsonCorrelation", "ConcordanceCorrelation"])
def test_correlation_over_the_data_by_default(cls: str) -> None:
    """Of rows of one label there is none."""
    case = next(c for c in METRICS if c.covers == cls and c.per_row)
    data = draw(case, (9, 5))
    metric = per_label(case)
    metric.update_state(data.with_missing(), data.p)
    found = values(metric)
    for c, label in enumerate(LABELS):
        o = data.observed[:, c]
        y, p = data.y[o, c].astype("float64"), data.p[o, c].astype("float64")
        np.testing.assert_allclose(
            found[f"m/{label}"], case.oracle(y, p, np.ones(len(y))), rtol=1e-5
        )


@CASES
def test_divergence_stays_visible(case: Case) -> None:
    # With both classes in each column.
    data = draw(dataclasses.replace(case, per_column=case.label_axes == 0), missing=0.2)
    p = data.p.copy()
    p[1, 2] = np.nan
    metric = per_label(case)
    metric.update_state(data.with_missing(), p)
    found = values(metric)
    assert np.isnan(found["m/c"])
    assert np.isnan(found["m/macro"])
    assert not np.isnan(found["m/b"])


@KEEPING
def test_nothing_observed(case: Case) -> None:
    data = draw(case)
    metric = per_label(case)
    metric.update_state(np.full_like(data.y, np.nan), data.p)
    np.testing.assert_equal(list(values(metric).values()), [case.empty] * 6)


@KEEPING
def test_saving(case: Case) -> None:
    metric = per_label(case, average="weighted", show_support=True)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded.get_config() == metric.get_config()
    data = draw(case)
    for each in (metric, loaded):
        each.update_state(data.with_missing(), data.p)
    np.testing.assert_equal(values(loaded), values(metric))  # NaN equals NaN here


@KEEPING
def test_merging_and_reset(case: Case) -> None:
    data = draw(case, (10, 5), seed=2)
    y = data.with_missing()
    whole, first, second = (per_label(case) for _ in range(3))
    whole.update_state(y, data.p)
    first.update_state(y[:5], data.p[:5])
    second.update_state(y[5:], data.p[5:])
    first.merge_state([second])
    np.testing.assert_allclose(
        list(values(first).values()), list(values(whole).values()), rtol=2e-5
    )
    first.reset_state()
    first.update_state(y, data.p)
    np.testing.assert_allclose(
        list(values(first).values()), list(values(whole).values()), rtol=2e-5
    )


def test_weights_of_rows_with_an_axis_of_one() -> None:
    y = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 1.0]])
    p, weight = y + np.array([[1.0, 3.0]]), np.array([1.0, 2.0, 5.0])
    for inner in (M.MeanAbsoluteError(), M.Masked(keras.metrics.MeanAbsoluteError())):
        found = []
        for w in (weight, weight[:, None]):
            metric = M.PerLabel(inner, ["t", "g"], "weighted", name="m")
            metric.update_state(y, np.nan_to_num(p), w)
            found.append(values(metric))
        assert (
            found[0] == found[1] == pytest.approx({"m/t": 1.0, "m/g": 3.0, "m/weighted": 29 / 15})
        )


def test_keras_mask_and_sentinel() -> None:
    metric = M.PerLabel(M.MeanSquaredError(missing=-9.0), ["t", "g"])
    other = M.PerLabel(M.Masked(keras.metrics.MeanSquaredError(), missing=-9.0), ["t", "g"])
    y = np.array([[1.0, -9.0], [3.0, 4.0], [5.0, 6.0]])
    p = np.array([[2.0, 0.0], [3.0, 6.0], [np.nan, np.nan]])
    for each in (metric, other):
        each.update_state(y, set_mask(p, np.array([True, True, False])))
        assert list(values(each).values()) == [0.5, 4.0, 2.25]


def test_vector_labels() -> None:
    """The columns stand before the classes."""
    y = np.array([[0, 1], [-1, 2], [2, 2]])
    p = np.random.default_rng(0).random((3, 2, 3))
    for metric in (
        M.SparseCategoricalAccuracy(),
        M.Masked(keras.metrics.SparseCategoricalAccuracy(), label_axes=1, missing=-1),
    ):
        columns = M.PerLabel(metric, ["u", "v"], name="m")
        columns.update_state(y, p)
        right = p.argmax(-1) == y
        expected = [right[[0, 2], 0].mean(), right[:, 1].mean()]
        found = values(columns)
        np.testing.assert_allclose([found["m/u"], found["m/v"]], expected)


def test_offset() -> None:
    """Squares of 1e6 + noise leave nothing of the noise in float32; differences do."""
    rng = np.random.default_rng(1)
    y = (1e6 + rng.normal(size=(500, 2))).astype("float32")
    p = (y + 0.5 * rng.normal(size=y.shape)).astype("float32")
    y[rng.random(y.shape) < 0.3] = np.nan
    for inner, oracle in (
        (M.R2Score(), oracles.r2),
        (M.PearsonCorrelation(), oracles.pearson),
        (M.ConcordanceCorrelation(), oracles.concordance),
    ):
        metric = M.PerLabel(inner, ["t", "g"], name="m")
        halves = [M.PerLabel(inner, ["t", "g"], name="m") for _ in range(2)]
        for start in range(0, 500, 50):
            metric.update_state(y[start : start + 50], p[start : start + 50])
            halves[start // 250].update_state(y[start : start + 50], p[start : start + 50])
        halves[0].merge_state(halves[1:])
        for c, label in enumerate("tg"):
            o = ~np.isnan(y[:, c])
            oracle_value = oracle(
                y[o, c].astype("float64"), p[o, c].astype("float64"), np.ones(o.sum())
            )
            np.testing.assert_allclose(values(metric)[f"m/{label}"], oracle_value, rtol=1e-4)
            np.testing.assert_allclose(values(halves[0])[f"m/{label}"], oracle_value, rtol=1e-4)


def test_compiled() -> None:
    y, p = tensor(np.array([[1.0, np.nan], [3.0, 4.0]])), tensor(np.array([[2.0, 0.0], [3.0, 6.0]]))
    metric = M.PerLabel(M.R2Score(), ["t", "g"], name="m")
    if BACKEND == "jax":
        step = compile_(metric.stateless_update_state)
        variables = step([v.value for v in metric.variables], y, p)
        found = compile_(metric.stateless_result)(variables)
    else:
        compile_(lambda y, p: metric.update_state(y, p))(y, p)
        found = metric.result()
    np.testing.assert_allclose(to_numpy(found["m/t"]), 0.5)
    assert np.isnan(to_numpy(found["m/g"]))


def test_state_is_one_vector() -> None:
    """Not one object per label."""
    metric = M.PerLabel(M.AUC(), [f"l{i}" for i in range(100)])
    assert len(metric.variables) == 2
    few, many = (M.PerLabel(M.AUC(), [f"l{i}" for i in range(n)]) for n in (10, 1000))
    few_numbers, many_numbers = (sum(np.prod(v.shape) for v in m.variables) for m in (few, many))
    assert many_numbers == 100 * few_numbers


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: M.PerLabel(keras.metrics.AUC(), ["a"]), "Masked"),
        (lambda: M.PerLabel(M.PerLabel(M.AUC(), ["a"]), ["a"]), "metric"),
        (lambda: M.PerLabel("auc", ["a"]), "metric"),
        (lambda: M.PerLabel(M.AUC(), []), "labels"),
        (lambda: M.PerLabel(M.AUC(), "teff"), "labels"),
        (lambda: M.PerLabel(M.AUC(), ["a", "a"]), "labels"),
        (lambda: M.PerLabel(M.AUC(), ["a", "macro"]), "macro"),
        (lambda: M.PerLabel(M.AUC(), ["a"], average="micro"), "average"),
        (lambda: M.PerLabel(M.Precision(thresholds=[0.2, 0.5]), ["a"]), "thresholds"),
        (lambda: M.PerLabel(M.Recall(top_k=2), ["a"]), "top_k"),
        (lambda: M.PerLabel(M.Recall(class_id=2), ["a"]), "class_id"),
        (lambda: M.PerLabel(M.PrecisionAtRecall(0.5, class_id=2), ["a"]), "class_id"),
        (lambda: M.PerLabel(M.F1Score(), ["a"]), "threshold"),
        (lambda: M.PerLabel(M.AUC(label_weights=[1.0]), ["a"]), "label_weights"),
    ],
)
def test_bad_arguments(build: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        build()


@pytest.mark.parametrize("metric", [M.AUC, lambda: M.Masked(keras.metrics.AUC())])
def test_wrong_number_of_columns(metric: Any) -> None:
    for shape in ((4, 3), (4,)):
        with pytest.raises(ValueError, match=r"labels.*2 labels for . columns"):
            M.PerLabel(metric(), ["a", "b"]).update_state(np.ones(shape), np.ones(shape))


def test_merging_others() -> None:
    metric = M.PerLabel(M.AUC(), ["a", "b"])
    for other in (M.AUC(), M.PerLabel(M.AUC(), ["a", "c"]), M.PerLabel(M.AUC(50), ["a", "b"])):
        with pytest.raises(ValueError, match="metrics"):
            metric.merge_state([other])
