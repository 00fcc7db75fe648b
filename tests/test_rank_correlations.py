"""Rank correlations: SciPy's values with ties, capacity, columns, merging, undefined ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import keras_masked as km
from tests.backend import to_numpy

Array = np.ndarray
M = km.metrics
SCIPY: dict[str, Any] = {
    "SpearmanCorrelation": lambda y, p: stats.spearmanr(y, p).statistic,
    "KendallTau": lambda y, p: stats.kendalltau(y, p).statistic,
}
CAPACITY = 120
"""As many labels as are observed of those below: JAX compiles for each."""
BOTH = pytest.mark.parametrize("name", SCIPY)


def draw(rows: int = 60, ties: bool = True, seed: int = 0) -> tuple[Array, Array, Array]:
    """Labels and predictions in three columns, and which labels stay."""
    rng = np.random.default_rng(seed)
    y, p = rng.normal(size=(2, rows, 3))
    p = p + 0.5 * y
    if ties:
        y, p = np.round(2 * y), np.round(3 * p)
    order = rng.permutation(3 * rows)
    return y, p, (order < 2 * rows).reshape(rows, 3)


def value_of(metric: Any, *batches: tuple[Any, ...]) -> float:
    for batch in batches:
        metric.update_state(*batch)
    return float(to_numpy(metric.result()))


def in_halves(*data: Array) -> list[tuple[Array, ...]]:
    """Of one shape: JAX compiles for each."""
    return [tuple(x[half] for x in data) for half in (slice(0, 30), slice(30, 60))]


@BOTH
def test_values_of_scipy(name: str) -> None:
    for ties in (False, True):
        y, p, o = draw(ties=ties)
        hidden, scores = np.where(o, y, np.nan), np.where(o, p, np.inf)
        halves = in_halves(hidden, scores)
        np.testing.assert_allclose(
            value_of(getattr(M, name)(capacity=CAPACITY), *halves),
            SCIPY[name](y[o], p[o]),
            rtol=2e-6,
        )
        each = [SCIPY[name](y[o[:, c], c], p[o[:, c], c]) for c in range(3)]
        metric = getattr(M, name)(axis=0, capacity=CAPACITY)
        np.testing.assert_allclose(value_of(metric, *halves), np.mean(each), rtol=2e-6)
        per_label = M.PerLabel(getattr(M, name)(capacity=CAPACITY), ["a", "b", "c"])
        for batch in halves:
            per_label.update_state(*batch)
        found = [float(to_numpy(per_label.result()[f"{per_label.name}/{c}"])) for c in "abc"]
        np.testing.assert_allclose(found, each, rtol=2e-6)


@BOTH
def test_integer_weights_are_repeated_labels(name: str) -> None:
    y, p, o = draw()
    w = np.random.default_rng(1).integers(0, 4, y.shape)
    expected = SCIPY[name](np.repeat(y[o], w[o]), np.repeat(p[o], w[o]))
    labels = np.where(o, y, np.nan)
    found = value_of(getattr(M, name)(capacity=CAPACITY), *in_halves(labels, p, w))
    np.testing.assert_allclose(found, expected, rtol=2e-6)


@BOTH
def test_beyond_its_capacity_it_is_nan(name: str) -> None:
    y, p, o = draw()
    assert o.sum() == CAPACITY
    halves = in_halves(np.where(o, y, np.nan), p)
    assert np.isfinite(value_of(getattr(M, name)(capacity=CAPACITY), *halves))
    one_more = o.copy()
    one_more[tuple(np.argwhere(~o)[0])] = True
    too_many = in_halves(np.where(one_more, y, np.nan), p)
    assert np.isnan(value_of(getattr(M, name)(capacity=CAPACITY), *too_many))
    labels = y.copy()
    labels[30:, :2] = np.nan  # of three times these, one column is too long
    columns = getattr(M, name)(axis=0, capacity=CAPACITY)
    assert np.isfinite(value_of(columns, *in_halves(labels, p)))
    again = 2 * in_halves(labels, p)
    assert np.isnan(value_of(columns, *again)), "no mean of the columns that fit"
    parts = [getattr(M, name)(capacity=CAPACITY) for _ in range(2)]
    for part, half in zip(parts, halves, strict=True):
        part.update_state(*half)
    parts[0].merge_state(parts[1:])
    np.testing.assert_allclose(
        float(to_numpy(parts[0].result())), SCIPY[name](y[o], p[o]), rtol=2e-6
    )


@BOTH
def test_undefined_and_infinite(name: str) -> None:
    new = getattr(M, name)
    y, p = np.array([1.0, 1.0, np.nan, np.nan]), np.array([2.0, 3.0, 4.0, 5.0])
    assert np.isnan(value_of(new(capacity=8), (y, p)))  # equal labels
    assert np.isnan(value_of(new(capacity=8), (y[[0, 2, 2, 2]], p)))  # one label
    constant = value_of(new(capacity=8), (np.arange(4.0), np.ones(4)))
    assert np.isnan(constant), "as SciPy says"
    # ... of a column, its labels leave the mean; its predictions are seen in it.
    labels = np.stack([np.arange(4.0), np.ones(4)], 1)
    scores = np.stack([np.arange(4.0), np.arange(4.0)], 1)
    assert value_of(new(axis=0, capacity=8), (labels, scores)) == pytest.approx(1)
    assert np.isnan(value_of(new(axis=0, capacity=8), (scores, labels)))
    infinite = value_of(new(capacity=8), (np.arange(4.0), np.array([-np.inf, 0, 1, np.inf])))
    assert infinite == pytest.approx(1)


@pytest.mark.slow
@BOTH
def test_thousands_of_labels(name: str) -> None:
    y, p, o = draw(3000)
    found = value_of(getattr(M, name)(), (np.where(o, y, np.nan), p))
    np.testing.assert_allclose(found, SCIPY[name](y[o], p[o]), rtol=1e-5)
