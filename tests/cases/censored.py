"""Rows of losses and metrics of labels that may be bounds: `(..., labels, 2)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

import keras_masked as km
from tests import oracles, plain
from tests.case_data import reals
from tests.cases.case import Case, with_options

Array = np.ndarray
L, M = km.losses, km.metrics


def bounded(rng: Any, y: Array) -> Array:
    """What is known of labels: themselves, a bound on either side, or an interval around them."""
    kind, width = rng.integers(0, 4, y.shape), rng.random((*y.shape, 2)) + 0.1
    kind.flat[:4] = np.arange(4)[: kind.size]
    lower = np.select([kind == 1, kind > 1], [-np.inf, y - width[..., 0]], y)
    upper = np.select([kind == 2, kind % 2 == 1], [np.inf, y + width[..., 1]], y)
    return np.stack([lower, upper], axis=-1)


def bounds(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = reals(rng, shape)
    return bounded(rng, y), p


def bounds_of_levels(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = bounds(rng, shape)
    return y, p[..., None] + np.array([-1.0, 0.0, 1.0])


def distance(y: Array, p: Array) -> Array:
    """How far predictions are below the lower end, or, negative, above the upper one."""
    if p.ndim == y.ndim:
        y = y[..., None, :]
    return np.maximum(y[..., 0] - p, 0) + np.minimum(y[..., 1] - p, 0)


def of_distance(formula: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda y, p: formula(distance(y, p))


def plain_distance(formula: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """By the end that is passed; infinite ones are none."""

    def of(y: Any, p: Any) -> Any:
        y = y[..., None, :] if len(p.shape) == len(y.shape) else y
        far = 1e4 * ops.ones_like(p)
        lower = ops.where(y[..., 0] < -far, -far, y[..., 0])
        upper = ops.where(y[..., 1] > far, far, y[..., 1])
        return formula(ops.relu(lower - p) - ops.relu(p - upper))

    return of


def log_cosh(e: Array) -> Array:
    return np.logaddexp(e, -e) - np.log(2)


def pinball(e: Array, q: Any) -> Array:
    return np.asarray(np.maximum(q * e, (q - 1) * e))


OF_ENDS = {
    "test_last_axis_of_one": "the last axis holds two ends: tests/test_censored.py",
    **dict.fromkeys(
        ("test_integer_labels_have_no_nan", "test_integer_labels_need_no_mask",
         "test_dtype_is_that_of_the_predictions"),
        "no integer is infinite: tests/test_censored.py has some that need not be"),
}  # fmt: skip
LEVELS = (0.1, 0.5, 0.9)
RESIDUALS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("MeanSquaredError", np.square, ops.square, {}),
    ("MeanAbsoluteError", np.abs, ops.abs, {}),
    ("Huber", lambda e: oracles.huber(e, 0.0),
     lambda e: ops.where(ops.abs(e) < 1, e * e / 2, ops.abs(e) - 0.5), {}),
    ("LogCosh", log_cosh, lambda e: ops.logaddexp(e, -e) - float(np.log(2)), {}),
    ("PinballLoss", lambda e: pinball(e, 0.9), lambda e: ops.maximum(0.9 * e, -0.1 * e),
     {"quantiles": 0.9}),
]  # fmt: skip


def losses() -> list[Case]:
    def row(name: str, data: Any, oracle: Any, theirs: Any, options: Any, **kw: Any) -> Case:
        make = with_options(getattr(L, name), censored=True, **options)
        label = kw.pop("label", "censored")
        return Case(name, make, data, oracle, plain.of_labels(theirs), label, without=OF_ENDS, **kw)

    rows = [
        row(name, bounds, of_distance(formula), plain_distance(theirs), options)
        for name, formula, theirs, options in RESIDUALS
    ]
    levels = np.array(LEVELS, "float32")
    of_levels = of_distance(lambda e: pinball(e, np.array(LEVELS)).mean(-1))

    def mean_of_levels(e: Any) -> Any:
        q = ops.convert_to_tensor(levels)
        return ops.mean(ops.maximum(q * e, (q - 1) * e), axis=-1)

    several = {"label_axes": 1, "stacked": True, "label": "censored levels"}
    return [
        *rows,
        row("PinballLoss", bounds_of_levels, of_levels, plain_distance(mean_of_levels),
            {"quantiles": LEVELS}, **several),
    ]  # fmt: skip
