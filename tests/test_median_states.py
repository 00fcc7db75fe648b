"""Medians under `PerLabel`, in `fit`, on replicas and compiled: both states."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked import _backend
from tests.backend import BACKEND, compile_, tensor, to_numpy
from tests.median_oracles import ORACLES
from tests.test_medians import CAPACITY, NAMES, NAN, zeros_and
from tests.test_metric_streams import run_compiled

pytestmark = pytest.mark.slow

M = km.metrics


# Replicas


def test_counts_of_replicas_add(monkeypatch: Any) -> None:
    """Variables that are plain sums, added by whoever adds them."""
    rng = np.random.default_rng(5)
    errors = rng.normal(size=(2, 40)).astype("float32")
    whole, *parts = (M.MedianError() for _ in range(3))
    monkeypatch.setattr(_backend, "replicated", lambda: True)
    for part, its in zip(parts, errors, strict=True):
        part.update_state(*zeros_and(its))
    whole.update_state(*zeros_and(errors))
    for mine, *theirs in zip(whole.variables, *(p.variables for p in parts), strict=True):
        np.testing.assert_array_equal(to_numpy(mine), sum(to_numpy(each) for each in theirs))
    parts[0].merge_state(parts[1:])
    assert to_numpy(parts[0].result()) == to_numpy(whole.result())


def test_kept_values_of_replicas_do_not(monkeypatch: Any) -> None:
    monkeypatch.setattr(_backend, "replicated", lambda: True)
    for metric in (M.MedianError(capacity=9), M.PerLabel(M.MedianError(capacity=9), ["a"])):
        with pytest.raises(ValueError, match=r"`capacity`.*replicas.*capacity=9"):
            metric.update_state(np.ones((3, 1)), np.ones((3, 1)))


# PerLabel, fit, compilation


@NAMES
@CAPACITY
def test_per_label(name: str, capacity: int | None) -> None:
    rng = np.random.default_rng(6)
    y = rng.integers(-40, 41, (30, 3)) / 8
    p = y + rng.integers(-60, 61, y.shape) / 8
    w = rng.random(y.shape) + 0.1
    o = rng.random(y.shape) < 0.7
    o[:, 2] = False
    labels = np.where(o, y, NAN)
    metric, parts = (
        M.PerLabel(getattr(M, name)(capacity=capacity), ["a", "b", "c"], name="m"),
        [M.PerLabel(getattr(M, name)(capacity=capacity), ["a", "b", "c"], name="m") for _ in "12"],
    )
    for rows in (slice(0, 11), slice(11, 30)):
        metric.update_state(labels[rows], p[rows], w[rows])
        parts[rows.start // 11].update_state(labels[rows], p[rows], w[rows])
    parts[1].merge_state(parts[:1])
    expected = [ORACLES[name](y[k, c], p[k, c], w[k, c]) for c, k in enumerate(o.T)]
    expected.append(np.nanmean(expected))
    for each in (metric, parts[1]):
        found = [to_numpy(value) for value in each.result().values()]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_allclose(to_numpy(each.support()), (w * o).sum(axis=0), rtol=1e-5)


def test_per_label_capacity_is_that_of_a_column() -> None:
    metric = M.PerLabel(M.MedianError(capacity=2), ["a", "b"], name="m")
    metric.update_state(np.array([[0.0, 0.0], [0.0, NAN], [0.0, 0.0]]), np.ones((3, 2)))
    found = metric.result()
    assert np.isnan(to_numpy(found["m/a"]))
    assert to_numpy(found["m/b"]) == 1
    assert np.isnan(to_numpy(found["m/macro"]))


@CAPACITY
def test_in_fit_and_saved(capacity: int | None, tmp_path: Any) -> None:
    y = np.random.default_rng(7).integers(-8, 9, (12, 3)) / 8
    labels = np.where(np.random.default_rng(8).random(y.shape) < 0.7, 0.0, NAN)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    metrics = [getattr(M, name)(capacity=capacity) for name in ORACLES]
    model.compile(loss="mse", metrics=metrics, jit_compile=BACKEND != "torch")
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        found = each.evaluate(y, labels, batch_size=5, verbose=0, return_dict=True)
        errors = y[labels == 0]
        for name, key in zip(ORACLES, ("median_error", "median_absolute_deviation", "mad_std"),
                             strict=True):  # fmt: skip
            expected = ORACLES[name](np.zeros(len(errors)), errors, np.ones(len(errors)))
            np.testing.assert_allclose(found[key], expected, rtol=1e-6)


@CAPACITY
def test_compiled_with_weights_and_columns(capacity: int | None) -> None:
    y, p = np.zeros((4, 2)), np.array([[1.0, NAN], [3.0, 4.0], [5.0, -2.0], [9.0, -2.5]])
    y[0, 1] = NAN
    batch = tensor(y), tensor(p)
    metric = M.PerLabel(M.MedianError(capacity=capacity), ["a", "b"], name="m")
    metric.update_state(*batch)
    metric.reset_state()
    if BACKEND == "jax":
        step = compile_(metric.stateless_update_state)
        variables = step([v.value for v in metric.variables], *batch)
        found = compile_(metric.stateless_result)(variables)
    else:
        compile_(lambda y, p: metric.update_state(y, p))(*batch)
        found = compile_(metric.result)()
    assert [to_numpy(value) for value in found.values()] == [4, -2, 1]
    overflown = M.MedianError(capacity=2)
    overflown.update_state(*batch)
    overflown.reset_state()
    assert np.isnan(run_compiled(overflown, [batch]))
