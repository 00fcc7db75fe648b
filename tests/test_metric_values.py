"""Laws of metrics: deletion, sentinel, weights, identity, emptiness, visibility, support."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.backend import set_mask, tensor, to_numpy
from tests.cases import METRICS, Case, Draw, draw
from tests.laws import grid

Array = np.ndarray


def expected(
    case: Case, data: Draw, weight: Array | None = None, observed: Array | None = None
) -> float:
    """The oracle on deleted data; of a metric per column, the mean over the defined ones."""
    y, p = data.y.astype("float64"), data.p.astype("float64")
    o = data.observed if observed is None else observed
    w = np.ones(o.shape) if weight is None else np.broadcast_to(weight, o.shape)
    o = o & (w != 0)
    if case.per_row:
        rows = [(y[i][o[i]], p[i][o[i]], w[i][o[i]]) for i in rows_of(o)]
        found = [(case.oracle(*row), row) for row in rows]
        defined = [(v, case.row_weight(row[0], row[2])) for v, row in found if not np.isnan(v)]
        return float(np.average([v for v, _ in defined], weights=[w for _, w in defined]))
    if not case.per_column:
        return case.oracle(y[o], p[o], w[o])
    columns = []
    for c in range(o.shape[-1]):
        k = o[..., c]
        of_column = (np.take(x, c, axis=o.ndim - 1)[k] for x in (y, p, w))
        columns.append(case.oracle(*of_column))
    return float(np.nanmean(columns))


def rows_of(observed: Array) -> list[tuple[int, ...]]:
    return list(np.ndindex(observed.shape[:-1]))


def value_of(metric: Any, *batches: tuple[Any, ...]) -> Array:
    for batch in batches:
        metric.update_state(*batch)
    return to_numpy(metric.result())


def of_its_shape(case: Case, shape: tuple[int, ...]) -> bool:
    """Columns are the last of two axes; a row of one label has no correlation."""
    if case.per_column and len(shape) != 2 or case.per_row and shape[-1] == 1:
        return False
    return len(shape) >= case.min_rank


def test_deletion(metric_case: Case) -> None:
    for seed in range(3):
        data = draw(metric_case, seed=seed)
        value = value_of(metric_case.make(), (data.with_missing(), data.p))
        np.testing.assert_allclose(value, expected(metric_case, data), rtol=2e-5)


@grid(
    "metric_case",
    METRICS,
    of_its_shape,
    lambda _, shape: len(shape) == 4,
    shape=[(5,), (5, 1), (2, 3, 2, 4)],
)
def test_deletion_at_any_rank(metric_case: Case, shape: tuple[int, ...]) -> None:
    data = draw(metric_case, shape, seed=1)
    value = value_of(metric_case.make(), (data.with_missing(), data.p))
    np.testing.assert_allclose(value, expected(metric_case, data), rtol=2e-5)


def test_deletion_of_keras_mask(metric_case: Case) -> None:
    data = draw(metric_case, missing=0.2)
    mask = np.array([True, True, True, False, True])
    value = value_of(metric_case.make(), (data.with_missing(), set_mask(data.p, mask)))
    observed = data.observed & mask[:, None]
    np.testing.assert_allclose(value, expected(metric_case, data, observed=observed), rtol=2e-5)


@grid("metric_case", METRICS, marker=[-9999.0, 1e30, np.inf, (-9999.0, -8.0)])
def test_sentinel(metric_case: Case, marker: float | tuple[float, ...]) -> None:
    data = draw(metric_case)
    labels = data.with_missing(marker[0] if isinstance(marker, tuple) else marker)
    if isinstance(marker, tuple):
        labels[0] = marker[1]
    value = value_of(metric_case.make(missing=marker), (labels, data.p))
    marked = value_of(metric_case.make(missing="nan"), (data.with_missing(), data.p))
    np.testing.assert_array_equal(value, marked)


@grid("metric_case", METRICS, shape=[(), (5,), (5, 1), (5, 5)])
def test_weights(metric_case: Case, shape: tuple[int, ...]) -> None:
    data = draw(metric_case, missing=0.2)
    weight = np.random.default_rng(5).integers(0, 4, shape).astype("float64")
    if not shape:
        weight += 1.5
    full = weight.reshape(shape + (1,) * (2 - len(shape)))
    value = value_of(metric_case.make(), (data.with_missing(), data.p, weight))
    np.testing.assert_allclose(value, expected(metric_case, data, full), rtol=2e-5)


def test_integer_weights_equal_repeated_rows(metric_case: Case) -> None:
    data = draw(metric_case)
    repeats = np.array([2, 1, 0, 0, 2])  # five again: of one shape, JAX compiles but once
    y = data.with_missing()
    weighted = value_of(metric_case.make(), (y, data.p, repeats))
    repeated = (np.repeat(y, repeats, axis=0), np.repeat(data.p, repeats, axis=0))
    np.testing.assert_allclose(weighted, value_of(metric_case.make(), repeated), rtol=2e-5)


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's IoU on JAX
@grid(
    "metric_case", METRICS, of_its_shape, lambda _, shape: shape == (5, 5), shape=[(5, 1), (5, 5)]
)
def test_identity(metric_case: Case, shape: tuple[int, ...]) -> None:
    """With nothing missing, Keras's metric of the same name."""
    data = draw(metric_case, shape, missing=0)
    assert metric_case.keras is not None
    batches: list[tuple[Any, ...]] = [(data.y, data.p)]
    if metric_case.keras_weighs_rows and not metric_case.rows_are_labels:
        batches.append((data.y, data.p, np.arange(1.0, shape[0] + 1)))
    for batch in batches:
        ours, theirs = metric_case.make(), metric_case.keras()
        np.testing.assert_allclose(value_of(ours, batch), value_of(theirs, batch), rtol=2e-5)
        assert str(ours.result().dtype) == str(theirs.result().dtype)
        direction = getattr(ours, "_direction", None)
        assert (direction is None) == metric_case.no_best
        assert getattr(theirs, "_direction", direction) == direction


def test_emptiness(metric_case: Case) -> None:
    """Unknown, neither perfect nor worst."""
    data = draw(metric_case)
    value = value_of(metric_case.make(), (np.full_like(data.y, np.nan), data.p))
    np.testing.assert_equal(value, metric_case.empty)
    metric = metric_case.make()
    np.testing.assert_equal(value_of(metric, (data.y, data.p, np.zeros(5))), metric_case.empty)
    # ... and it recovers when labels arrive.
    value = value_of(metric, (data.with_missing(), data.p))
    np.testing.assert_allclose(value, expected(metric_case, data), rtol=2e-5)
    metric.reset_state()
    metric.update_state(np.full_like(data.y, np.nan), data.p)
    np.testing.assert_equal(to_numpy(metric.result()), metric_case.empty)
    assert to_numpy(metric.support()).sum() == 0


@grid("metric_case", METRICS, garbage=[np.nan, np.inf, -np.inf, 1e30, 0.0])
def test_blindness(metric_case: Case, garbage: float) -> None:
    data = draw(metric_case)
    p = data.p.copy()
    clean = value_of(metric_case.make(), (data.with_missing(), p))
    p[~data.observed] = garbage
    np.testing.assert_array_equal(value_of(metric_case.make(), (data.with_missing(), p)), clean)
    weight = data.observed.astype("float64")
    y = data.y.copy()
    clean = value_of(metric_case.make(missing=-5.0), (y, data.p, weight))
    y[~data.observed] = garbage
    np.testing.assert_array_equal(value_of(metric_case.make(missing=-5.0), (y, p, weight)), clean)


def test_visibility(metric_case: Case) -> None:
    """A NaN prediction at an observed label gives NaN, also where Keras compares it away."""
    data = draw(metric_case)
    p = data.p.copy()
    p[1, 2] = np.nan
    assert np.isnan(value_of(metric_case.make(), (data.with_missing(), p)))


def test_support(metric_case: Case) -> None:
    data = draw(metric_case)
    metric = metric_case.make()
    metric.update_state(data.with_missing(), data.p)
    support = to_numpy(metric.support())
    if support.ndim:
        np.testing.assert_array_equal(support, data.observed.sum(axis=0))
    assert support.sum() == data.observed.sum()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(metric_case: Case, dtype: str) -> None:
    """Computed in float32: off by no more than the rounding of inputs and result."""
    data = draw(metric_case)
    metric = metric_case.make(dtype=dtype)
    y, p = tensor(data.with_missing(), dtype), tensor(data.p, dtype)
    metric.update_state(y, p)
    assert dtype in str(metric.result().dtype) or metric_case.wrapped
    rounded = Draw(to_numpy(tensor(data.y, dtype)), to_numpy(p), data.observed)
    eps = 2.0**-10 if dtype == "float16" else 2.0**-7
    atol = metric_case.half_error(rounded, eps)
    np.testing.assert_allclose(
        to_numpy(metric.result()), expected(metric_case, rounded), rtol=eps, atol=atol
    )
