"""Laws of losses: blindness, zero gradient, compile."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.backend import BACKEND, set_mask, tensor, to_numpy, value_and_grad
from tests.cases import LOSSES, Case, draw
from tests.laws import graphs, grid, representatives

GARBAGE = [np.nan, np.inf, -np.inf, -1e30, 0.0]
HALVES = ["float16", "bfloat16"]

SOONER = BACKEND == "jax"
"""Whether one graph is sooner compiled than a gradient traced: `test_compile` compares the two."""


def of_loss(loss: Any, compiled: bool = SOONER) -> Any:
    """Value and gradient, as a function of labels, predictions and weights."""

    def function(p: Any, y: Any, weight: Any = None) -> Any:
        return loss(y, p, weight)

    both = value_and_grad(function, compiled)

    def found(y: Any, p: Any, *weight: Any) -> Any:
        value, gradient = both(tensor(p), tensor(y), *(tensor(w) for w in weight if w is not None))
        return to_numpy(value), to_numpy(gradient)

    return found


def value_and_gradient(loss: Any, y: Any, p: Any, *weight: Any, compiled: bool = SOONER) -> Any:
    return of_loss(loss, compiled)(y, p, *weight)


def test_blindness_to_predictions(loss_case: Case) -> None:
    data = draw(loss_case)
    y, p = data.with_missing(), data.p.copy()
    both = of_loss(loss_case.make())
    clean = both(y, p)
    for garbage in GARBAGE:
        p[~data.observed] = garbage
        value, gradient = both(y, p)
        np.testing.assert_array_equal(value, clean[0])
        np.testing.assert_array_equal(gradient, clean[1])
        np.testing.assert_array_equal(gradient[~data.observed], 0)


def test_blindness_of_weight_zero(loss_case: Case) -> None:
    """Labels and predictions of weight 0 are not seen, though Keras counts them."""
    data = draw(loss_case, missing=0)
    y, p = data.y.copy(), data.p.copy()
    zero = np.random.default_rng(1).random(data.observed.shape) < 0.4
    weight = np.where(zero, np.float32(0), np.float32(2))
    # Only -5 is missing, so that a NaN label of weight 0 is no missing label.
    both = of_loss(loss_case.make(missing=-5.0))
    clean = both(y, p, weight)
    for garbage in GARBAGE:
        y[zero], p[zero] = garbage, garbage
        value, gradient = both(y, p, weight)
        np.testing.assert_array_equal(value, clean[0])
        np.testing.assert_array_equal(gradient, clean[1])
        np.testing.assert_array_equal(gradient[zero], 0)
        assert np.all(np.isfinite(gradient)) and np.any(gradient != 0) != loss_case.blind


def test_blindness_of_keras_mask(loss_case: Case) -> None:
    data = draw(loss_case, missing=0)
    y, p = data.y.copy(), data.p.copy()
    mask = np.array([True, False, True, True, False])
    clean = to_numpy(loss_case.make()(y, set_mask(p, mask)))
    for garbage in GARBAGE:
        y[~mask], p[~mask] = garbage, garbage
        np.testing.assert_array_equal(to_numpy(loss_case.make()(y, set_mask(p, mask))), clean)


def test_gradient_is_that_of_the_deleted_data(loss_case: Case) -> None:
    """Keras's own loss, on the observed labels alone, has the same gradient."""
    data = draw(loss_case)
    weight = np.random.default_rng(2).random(data.observed.shape).astype("float32") + 0.5
    value, gradient = value_and_gradient(loss_case.make(), data.with_missing(), data.p, weight)
    o = data.observed
    y, p = data.y[o], data.p[o]
    if not loss_case.rows_are_labels:
        y, p = y[:, None], p[:, None]
    assert loss_case.keras is not None
    oracle, deleted = value_and_gradient(loss_case.keras(), y, p, weight[o])
    np.testing.assert_allclose(value, oracle, rtol=2e-5)
    np.testing.assert_allclose(
        gradient[o], deleted.reshape(gradient[o].shape), rtol=1e-4, atol=1e-7
    )
    np.testing.assert_array_equal(gradient[~o], 0)


def test_gradient_of_images(loss_case: Case) -> None:
    """PyTorch refuses to differentiate some of Keras's losses of images."""
    if not loss_case.rows_are_labels:
        pytest.skip("of single labels, whose axes are no more than a count")
    if loss_case.stacked and BACKEND == "jax":
        pytest.skip("seconds of compilation for what has no such fault there")
    data = draw(loss_case, (12,), seed=1)
    y, p, loss = data.with_missing(), data.p, loss_case.make()
    value, gradient = value_and_gradient(loss, y, p)
    images = [x.reshape(3, 2, 2, *x.shape[1:]) for x in (y, p)]
    found, slopes = value_and_gradient(loss, *images)
    np.testing.assert_allclose(found, value, rtol=1e-6)
    np.testing.assert_allclose(slopes.reshape(gradient.shape), gradient, rtol=1e-5, atol=1e-9)


def test_no_gradient_where_nothing_is_observed(loss_case: Case) -> None:
    data = draw(loss_case)
    nothing = np.full_like(data.y, np.nan)
    value, gradient = value_and_gradient(loss_case.make(), nothing, np.full_like(data.p, np.nan))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_gradient_of_labels(loss_case: Case) -> None:
    """Labels that come from a network have gradients, exactly 0 where missing."""
    data = draw(loss_case)
    p = tensor(data.p)

    def function(y: Any) -> Any:
        return loss_case.make()(y, p)

    value, gradient = value_and_grad(function, SOONER)(tensor(data.with_missing()))
    gradient = to_numpy(gradient)
    np.testing.assert_array_equal(gradient[~data.observed], 0)
    assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)


@grid("loss_case", LOSSES, others=lambda _, dtype: dtype == "float16", dtype=HALVES)
def test_half_gradients_are_finite(loss_case: Case, dtype: str) -> None:
    """Also where predictions saturate: the slope of log p overflows float16 at p = 1e-5.

    bfloat16 has the range of float32, in which both are computed by the same lines.
    """
    data = draw(loss_case)
    p = data.p
    if loss_case.stacked:
        # Log-variances from -10 to 10; of mixtures' from -5 to 5: a loss above 65504 is infinite.
        scales = {2: [50, 5], 6: [5, 20, 2, 5, 20, 2]}.get(p.shape[-1], [20])
        p = p * np.array(scales, "float32")
    elif loss_case.logits:
        p = 50 * p
    elif "Crossentropy" in str(loss_case):  # the others have a slope of infinity there, or no 0
        p = np.eye(4, dtype="float32")[p.argmax(-1)] if loss_case.label_axes else np.round(p)

    def function(p: Any, y: Any) -> Any:
        return keras.ops.cast(loss_case.make(dtype=dtype)(y, p), "float32")

    y = tensor(data.with_missing(), dtype)
    value, gradient = value_and_grad(function, SOONER)(tensor(p, dtype), y)
    assert np.isfinite(to_numpy(value))
    assert np.all(np.isfinite(to_numpy(gradient)))


@grid("loss_case", graphs(LOSSES), weighted=[True, False])
def test_compile(loss_case: Case, weighted: bool) -> None:
    """One graph for loss and gradient, with the values of eager execution."""
    data = draw(loss_case)
    weight = np.random.default_rng(2).random(data.observed.shape).astype("float32")
    given = loss_case.make(), data.with_missing(), data.p, *([weight] if weighted else [])
    eager, compiled = (value_and_gradient(*given, compiled=each) for each in (False, True))
    np.testing.assert_allclose(compiled[0], eager[0], rtol=1e-5)
    np.testing.assert_allclose(compiled[1], eager[1], rtol=1e-4, atol=1e-7)


@grid("loss_case", representatives(LOSSES))
def test_one_trace_per_shape(loss_case: Case) -> None:
    """What is missing changes no shape, so nothing is compiled again.

    A formula whose shapes follow its values cannot be one graph, for which `test_compile` is there.
    """
    if BACKEND == "torch":
        pytest.skip("a Python side effect does not count the traces of torch.compile")
    traces = []
    loss = loss_case.make()

    def function(p: Any, y: Any) -> Any:
        traces.append(1)
        return loss(y, p)

    compiled = value_and_grad(function, compiled=True)
    for missing in (0.1, 0.5, 0.9):
        data = draw(loss_case, missing=missing)
        compiled(tensor(data.p), tensor(data.with_missing()))
    assert len(traces) == 1
