"""Gradients of losses of rows, sets, windows and stencils, and what they compile to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backend import tensor
from tests.field_cases import CASES, EACH, Field, marked
from tests.laws import grid
from tests.test_loss_gradients import GARBAGE, value_and_gradient

pytestmark = pytest.mark.slow

Array = np.ndarray


def numerical(case: Field, y: Array, p: Array, o: Array, step: float = 1e-6) -> Array:
    """Central differences of the oracle, in float64."""
    found = np.zeros(p.shape)
    p = p.astype("float64")
    for i in zip(*np.nonzero(o), strict=True):
        up, down = p.copy(), p.copy()
        up[i], down[i] = p[i] + step, p[i] - step
        found[i] = (case.expected(y, up, o) - case.expected(y, down, o)) / (2 * step)
    return found


@EACH
def test_gradient_is_that_of_what_is_observed(case: Field) -> None:
    y, p, o = case.draw()
    _, gradient = value_and_gradient(case.make(), marked(y, o), p)
    expected = numerical(case, y, p, o)
    assert np.any(expected != 0)
    np.testing.assert_allclose(gradient, expected, rtol=2e-3, atol=2e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(gradient[~o], 0)


@grid("case", CASES, garbage=GARBAGE)
def test_blindness(case: Field, garbage: float) -> None:
    y, p, o = case.draw()
    clean = value_and_gradient(case.make(missing=(-5.0, "nan")), marked(y, o), p)
    p[~o] = garbage
    value, gradient = value_and_gradient(case.make(missing=(-5.0, "nan")), marked(y, o, -5), p)
    np.testing.assert_array_equal(value, clean[0])
    np.testing.assert_array_equal(gradient, clean[1])
    np.testing.assert_array_equal(gradient[~o], 0)


@EACH
def test_gradient_where_all_is_right(case: Field) -> None:
    """Finite: the slope of a root is infinite at 0."""
    y, p, o = case.draw()
    right = 40 * y - 20 if case.data == "logits" else y
    _, gradient = value_and_gradient(case.make(), marked(y, o), right)
    assert np.all(np.isfinite(gradient))
    _, gradient = value_and_gradient(case.make(), np.zeros_like(y), np.zeros_like(y))
    assert np.all(np.isfinite(gradient))


@grid("case", CASES, weighted=[False, True])
def test_compile(case: Field, weighted: bool) -> None:
    y, p, o = case.draw()
    weight = tensor(np.arange(1.0, len(y) + 1, dtype="float32")) if weighted else None
    given = case.make(reduction="sum"), marked(y, o), p, weight
    eager, compiled = (value_and_gradient(*given, compiled=each) for each in (False, True))
    np.testing.assert_allclose(compiled[0], eager[0], rtol=1e-5)
    np.testing.assert_allclose(compiled[1], eager[1], rtol=1e-4, atol=1e-6)
