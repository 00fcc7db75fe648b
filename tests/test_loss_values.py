"""Laws of losses: deletion, sentinel, weights, identity, emptiness, visibility, half."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, set_mask, tensor, to_numpy
from tests.cases import LOSSES, Case, Draw, draw
from tests.laws import grid
from tests.oracles import reduce_by_deletion

REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]
HALVES = ["float16", "bfloat16"]  # the latter, coarser and wider, of representatives
SPELLINGS = [*REDUCTIONS, "mean", "none"]


def expected(
    case: Case,
    data: Draw,
    reduction: str | None = "sum_over_batch_size",
    weight: np.ndarray | None = None,
    observed: np.ndarray | None = None,
) -> np.ndarray:
    y, p = data.y.astype("float64"), data.p.astype("float64")
    observed = data.observed if observed is None else observed
    return reduce_by_deletion(case.oracle, y, p, observed, weight, reduction, case.rows_are_labels)


@grid("loss_case", LOSSES, reduction=SPELLINGS)
def test_deletion(loss_case: Case, reduction: str | None) -> None:
    data = draw(loss_case)
    loss = loss_case.make(reduction=reduction)
    value = to_numpy(loss(data.with_missing(), data.p))
    oracle = None if reduction == "none" else reduction
    np.testing.assert_allclose(value, expected(loss_case, data, oracle), rtol=2e-5, atol=1e-6)


@grid(
    "loss_case",
    LOSSES,
    others=lambda _, shape, reduction: len(shape) == 4,
    shape=[(5,), (5, 1), (2, 3, 2, 4)],
    reduction=REDUCTIONS,
)
def test_deletion_at_any_rank(
    loss_case: Case, shape: tuple[int, ...], reduction: str | None
) -> None:
    data = draw(loss_case, shape, seed=1)
    value = to_numpy(loss_case.make(reduction=reduction)(data.with_missing(), data.p))
    assert value.shape == expected(loss_case, data, reduction).shape
    np.testing.assert_allclose(value, expected(loss_case, data, reduction), rtol=2e-5, atol=1e-6)


def test_deletion_of_keras_mask(loss_case: Case) -> None:
    data = draw(loss_case)
    mask = np.array([True, True, False, True, False])
    value = to_numpy(loss_case.make()(data.with_missing(), set_mask(data.p, mask)))
    observed = data.observed & mask[:, None]
    oracle = expected(loss_case, data, observed=observed)
    np.testing.assert_allclose(value, oracle, rtol=2e-5)
    full = np.random.default_rng(3).random(data.observed.shape) < 0.5
    value = to_numpy(loss_case.make()(data.with_missing(), set_mask(data.p, full)))
    oracle = expected(loss_case, data, observed=data.observed & full)
    np.testing.assert_allclose(value, oracle, rtol=2e-5)


@grid("loss_case", LOSSES, marker=[-9999.0, -7.0, 1e30, np.inf, (-9999.0, -7.0)])
def test_sentinel(loss_case: Case, marker: float | tuple[float, ...]) -> None:
    data = draw(loss_case)
    first = marker[0] if isinstance(marker, tuple) else marker
    labels = data.with_missing(first)
    if isinstance(marker, tuple):
        labels[0] = marker[1]
    value = to_numpy(loss_case.make(missing=marker)(labels, data.p))
    marked = to_numpy(loss_case.make(missing="nan")(data.with_missing(), data.p))
    np.testing.assert_array_equal(value, marked)


@grid("loss_case", LOSSES, shape=[(), (5,), (5, 1), (5, 5)], reduction=REDUCTIONS)
def test_weights(loss_case: Case, shape: tuple[int, ...], reduction: str | None) -> None:
    data = draw(loss_case)
    weight = np.random.default_rng(5).integers(0, 4, shape).astype("float64")
    if not shape:
        weight += 1.5
    from_left = weight.reshape(shape + (1,) * (2 - len(shape)))
    full = np.broadcast_to(from_left, data.observed.shape)
    value = to_numpy(loss_case.make(reduction=reduction)(data.with_missing(), data.p, weight))
    oracle = expected(loss_case, data, reduction, full)
    np.testing.assert_allclose(value, oracle, rtol=2e-5, atol=1e-6)


def test_weights_of_hidden_labels_are_not_seen(loss_case: Case) -> None:
    """Though NaN times 0 is NaN."""
    data = draw(loss_case)
    weight = np.random.default_rng(5).random(data.observed.shape) + 0.5
    clean = to_numpy(loss_case.make()(data.with_missing(), data.p, weight))
    weight[~data.observed] = np.nan
    value = to_numpy(loss_case.make()(data.with_missing(), data.p, weight))
    np.testing.assert_array_equal(value, clean)


def test_integer_weights_equal_repeated_rows(loss_case: Case) -> None:
    data = draw(loss_case)
    repeats = np.array([2, 1, 0, 0, 2])  # five again: of one shape, JAX compiles but once
    loss = loss_case.make(reduction="mean_with_sample_weight")
    y = data.with_missing()
    weighted = to_numpy(loss(y, data.p, repeats))
    repeated = to_numpy(loss(np.repeat(y, repeats, axis=0), np.repeat(data.p, repeats, axis=0)))
    np.testing.assert_allclose(weighted, repeated, rtol=2e-5)


@grid(
    "loss_case",
    LOSSES,
    others=lambda _, case: case[0] == (5, 5),
    # One value per row is what all other reductions begin with.
    case=[*(((5, 5), r) for r in SPELLINGS), *((s, None) for s in [(5,), (5, 1), (2, 3, 2, 4)])],
)
def test_identity(loss_case: Case, case: tuple[tuple[int, ...], str | None]) -> None:
    """With nothing missing, Keras's loss of the same name."""
    shape, reduction = case
    data = draw(loss_case, shape, missing=0)
    assert loss_case.keras is not None
    theirs, ours = loss_case.keras(reduction=reduction), loss_case.make(reduction=reduction)
    weight = np.arange(1.0, shape[0] + 1)
    cases: list[tuple[Any, ...]] = [(data.y, data.p)]
    if reduction != "mean_with_sample_weight":  # a listed deviation: Keras divides by 2 alone
        cases.append((data.y, data.p, 2.0))
    if len(shape) == 2:  # else a listed deviation, or an error in Keras
        weight = weight[:, None] if loss_case.rows_are_labels else weight
        if not loss_case.rows_are_labels or shape[-1] == 1:
            cases.append((data.y, data.p, weight))
    for arguments in cases:
        a, b = to_numpy(ours(*arguments)), to_numpy(theirs(*arguments))
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    assert str(ours(data.y, data.p).dtype) == str(theirs(data.y, data.p).dtype)


def test_emptiness(loss_case: Case) -> None:
    data = draw(loss_case)
    nothing = np.full_like(data.y, np.nan)
    weight = np.random.default_rng(0).random(5)
    for reduction in REDUCTIONS:
        loss = loss_case.make(reduction=reduction)
        for value in (loss(nothing, data.p), loss(nothing, data.p, weight)):
            np.testing.assert_array_equal(to_numpy(value), np.zeros(value.shape))


def test_visibility(loss_case: Case) -> None:
    """A NaN prediction at an observed label gives NaN, or the backend's own error."""
    data = draw(loss_case)
    p = data.p.copy()
    p[1, 2] = np.nan
    for reduction in REDUCTIONS[:3]:
        assert np.isnan(to_numpy(loss_case.make(reduction=reduction)(data.with_missing(), p)))


@pytest.mark.parametrize("name", ["Hinge", "SquaredHinge"])
def test_hinge_of_labels_of_0_and_1(name: str) -> None:
    """They stand for -1 and 1, which a hole among them does not change."""
    y, p = np.array([[0.0, np.nan, 1.0]]), np.array([[0.3, 9.0, 0.2]])
    expected = np.array([1.3, 0.8]) ** (2 if name == "SquaredHinge" else 1)
    value = to_numpy(getattr(km.losses, name)()(y, p))
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-6)


@pytest.mark.skipif(BACKEND != "torch", reason="about a formula of PyTorch")
def test_a_formula_of_keras_that_raises_still_does() -> None:
    loss = km.losses.Masked(keras.losses.BinaryCrossentropy())
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        loss(np.array([[1.0, np.nan, 0.0]]), np.array([[0.5, 0.5, np.nan]]))


@grid("loss_case", LOSSES, others=lambda _, dtype: dtype == "float16", dtype=HALVES)
def test_half(loss_case: Case, dtype: str) -> None:
    """Computed in float32: off by no more than the rounding of inputs and result."""
    data = draw(loss_case)
    y, p = tensor(data.with_missing(), dtype), tensor(data.p, dtype)
    loss = loss_case.make(dtype=dtype)
    value = loss(y, p)
    assert dtype in str(value.dtype)
    rounded = Draw(to_numpy(tensor(data.y, dtype)), to_numpy(p), data.observed)
    eps = 2.0**-10 if dtype == "float16" else 2.0**-7
    np.testing.assert_allclose(to_numpy(value), expected(loss_case, rounded), rtol=eps)
    marked = tensor(data.with_missing(-9999.0), dtype)
    value = to_numpy(loss_case.make(dtype=dtype, missing=-9999.0)(marked, p))
    np.testing.assert_allclose(value, expected(loss_case, rounded), rtol=eps)
