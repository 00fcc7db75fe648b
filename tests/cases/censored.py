"""Rows of losses and metrics of labels that may be bounds: `(..., labels, 2)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.stats import norm, truncnorm

import keras_masked as km
from tests import oracles, plain
from tests.case_data import reals
from tests.cases.case import STACKED, Case, with_options
from tests.cases.scores import OF_VECTORS

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


NO_INTEGERS = dict.fromkeys(
    ("test_integer_labels_have_no_nan", "test_integer_labels_need_no_mask",
     "test_dtype_is_that_of_the_predictions"), "no integer is infinite")  # fmt: skip
OF_ENDS = NO_INTEGERS | {
    "test_last_axis_of_one": "the last axis holds two ends: tests/test_censored.py"
}
OF_DIFFERENCES = {
    "test_infinite_predictions_are_as_in_keras": "the oracle takes differences of infinities"
}
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
        without = NO_INTEGERS if kw else OF_ENDS
        return Case(name, make, data, oracle, plain.of_labels(theirs), label, without=without, **kw)

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
        row("NegativeLogLikelihood", bounds_of_gaussians, nll, plain_nll, {}, **STACKED),
    ]  # fmt: skip


def bounds_of_gaussians(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Of standard deviations above 1.2, so that float32 has the difference of two erf."""
    y, p = bounds(rng, shape)
    return y, np.stack([p, 0.4 + np.abs(rng.normal(size=shape))], axis=-1)


def ends_of(y: Array, p: Array) -> tuple[Array, Array]:
    """Both ends in standard deviations from the mean."""
    z = (y - p[..., :1]) * np.exp(-p[..., 1:] / 2)
    return z[..., 0], z[..., 1]


def nll(y: Array, p: Array) -> Array:
    """Without the constant where the value is known."""
    a, b = ends_of(y, p)
    up = a > 0
    low, high = norm.logcdf(np.where(up, -b, a)), norm.logcdf(np.where(up, -a, b))
    with np.errstate(divide="ignore"):
        between = high + np.log1p(-np.exp(low - high))
    return -np.where(a == b, -(a**2 + p[..., 1]) / 2, between)


def plain_nll(y: Any, p: Any) -> Any:
    y = [ops.clip(y[..., i], -1e4, 1e4) for i in (0, 1)]
    a, b = ((end - p[..., 0]) * ops.exp(-p[..., 1] / 2) for end in y)
    exact = ops.equal(y[0], y[1])
    mass = 0.5 * (ops.erf(b / 2**0.5) - ops.erf(a / 2**0.5))
    return ops.where(exact, a * a / 2 + p[..., 1] / 2, -ops.log(ops.where(exact, 1.0, mass)))


def share_below(level: float, y: Array, p: Array) -> Array:
    """How much of the range of probabilities between the ends is below a level."""
    less, up_to = (norm.cdf(z) for z in ends_of(y, p))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip((level - less) / (up_to - less), 0, 1)
    return np.where(less == up_to, less < level, share)


def covers(y: Array, p: Array) -> Array:
    return np.asarray(share_below(0.95, y, p) - share_below(0.05, y, p))


def calibration_error(y: Array, p: Array, w: Array) -> float:
    if not np.any(w):
        return np.nan
    levels = np.arange(1, 10) / 10
    below = [np.average(share_below(level, y, p), weights=w) for level in levels]
    return float(np.abs(below - levels).mean())


def pit_histogram(y: Array, p: Array, w: Array) -> Any:
    if not np.any(w):
        return np.full(5, np.nan)
    below = [np.average(share_below(level, y, p), weights=w) for level in np.arange(1, 5) / 5]
    return np.diff([0.0, *below, 1.0])


def scatter(y: Array, p: Array, w: Array) -> float:
    if np.count_nonzero(w) < 2:
        return np.nan
    a, b = ends_of(y, p)
    exact = a == b
    mean, variance = truncnorm.stats(a, np.where(exact, a + 1, b), moments="mv")
    z, variance = np.where(exact, a, mean), np.where(exact, 0, variance)
    about = (z - np.average(z, weights=w)) ** 2 + variance
    return float(np.sqrt(np.average(about, weights=w)))


class Root(keras.metrics.MeanMetricWrapper):
    """The root of a mean, as Keras's metric of that name."""

    def result(self) -> Any:
        return ops.sqrt(super().result())


def metrics() -> list[Case]:
    def mean(name: str, data: Any, oracle: Any, theirs: Any, **kw: Any) -> Case:
        make = with_options(getattr(M, name), censored=True)
        value = oracles.mean_of(oracle)
        without = NO_INTEGERS | OF_DIFFERENCES if kw else OF_ENDS
        return Case(name, make, data, value, theirs, "censored", without=without, **kw)

    def of_gaussians(name: str, oracle: Any, **kw: Any) -> Case:
        make = with_options(getattr(M, name), censored=True, **kw.pop("options", {}))
        theirs = with_options(plain.OfBatches, value=oracle, parameters=2, vectors=True)
        without = NO_INTEGERS | OF_DIFFERENCES | kw.pop("without", {})
        return Case(name, make, bounds_of_gaussians, oracle, theirs, "censored", without=without,
                    **STACKED, **kw)  # fmt: skip

    squares = plain_distance(ops.square)
    return [
        mean("MeanSquaredError", bounds, of_distance(np.square), plain.mean_of_labels(squares)),
        mean("MeanAbsoluteError", bounds, of_distance(np.abs),
             plain.mean_of_labels(plain_distance(ops.abs))),
        Case("RootMeanSquaredError", with_options(M.RootMeanSquaredError, censored=True), bounds,
             lambda y, p, w: oracles.mean_of(of_distance(np.square))(y, p, w) ** 0.5,
             lambda **kwargs: Root(lambda y, p: ops.mean(squares(
                 ops.cast(y, "float32"), ops.convert_to_tensor(p)), axis=-1), **kwargs),
             "censored", without=OF_ENDS),
        mean("NegativeLogLikelihood", bounds_of_gaussians, nll, plain.mean_of_labels(plain_nll),
             **STACKED),
        of_gaussians("IntervalCoverage", oracles.mean_of(covers), no_best=True),
        of_gaussians("CalibrationError", calibration_error),
        of_gaussians("PITHistogram", pit_histogram, options={"bins": 5}, no_best=True,
                     without=OF_VECTORS),
        of_gaussians("StandardizedResidualScatter", scatter, no_best=True),
    ]  # fmt: skip
