"""Property tests: values against the oracles, for shapes, dtypes, weights and holes at random.

Shapes come from a short list, since JAX compiles every operation again for each of them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.backend import set_mask, to_numpy
from tests.cases import LOSSES, Case
from tests.laws import representatives
from tests.oracles import reduce_by_deletion

pytestmark = [pytest.mark.property, pytest.mark.slow]

Array = np.ndarray
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", None, "none"]
SHAPES = [(6,), (4, 1), (3, 3), (2, 1, 3), (2, 3, 2, 2)]
MARKERS: list[Any] = [
    "nan", -9999.0, 1e30, np.inf, -np.inf, 0.1, -7, (-9999.0, "nan"), (np.inf, -np.inf, -7.5),
]  # fmt: skip
OF_INTEGERS: list[Any] = [-7, 99, (-7, -8.0), ("nan", -7), (99, -1e30)]
GARBAGE = [np.nan, np.inf, -np.inf, 1e30, 0.0]


def few(case: Case) -> settings:
    """Two examples of each row, and more of those that stand for a kind: see `tests/laws.py`."""
    return settings(
        max_examples=6 if case.represents else 2,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


@dataclasses.dataclass
class Scene:
    """What an object gets, and what is left of it once the missing labels are deleted.

    Attributes:
        y_true: Labels, with markers where missing.
        y_pred: Predictions, with garbage where missing.
        weight: Weights as passed, or `None`.
        missing: The policy that the markers follow.
        mask: Of the predictions, or `None`.
        y, p: Complete labels and predictions, in float64.
        observed: Neither missing nor masked.
        full: Weights of the shape of the labels.
    """

    y_true: Array
    y_pred: Array
    weight: Array | None
    missing: Any
    mask: Array | None
    y: Array
    p: Array
    observed: Array
    full: Array

    @property
    def batch(self) -> tuple[Any, ...]:
        p = self.y_pred if self.mask is None else set_mask(self.y_pred, self.mask)
        return (self.y_true, p) if self.weight is None else (self.y_true, p, self.weight)


def numbers(missing: Any) -> list[float]:
    """The markers of a policy as numbers."""
    markers = missing if isinstance(missing, tuple) else (missing,)
    return [float(marker) for marker in markers]


def holds(dtype: str, marker: float) -> bool:
    """Whether labels of this dtype can be marked so."""
    return dtype.startswith("float") or (np.isfinite(marker) and -128 <= marker <= 127)


def marked(case: Case, y: Array, absent: Array, missing: Any, dtype: str, rng: Any) -> Array:
    """Labels of which the absent ones are marked."""
    usable = [marker for marker in numbers(missing) if holds(dtype, marker)]
    where = absent
    if case.covers in ("CosineSimilarity", "EnergyScore"):  # delete single entries
        where = np.repeat(absent[..., None], y.shape[-1], axis=-1)
    elif y.ndim > absent.ndim:  # NaN in some entries of a vector, or another marker in all
        marker = rng.choice(usable, size=absent.shape)[..., None]
        some = rng.random(y.shape) < 0.5
        some[..., 0] |= ~some.any(-1)
        where = absent[..., None] & (some | ~np.isnan(marker))
        return np.where(where, marker, y).astype(dtype)
    y = y.copy()
    y[where] = rng.choice(usable, size=where.sum())
    return y.astype(dtype)


@st.composite
def scenes(draw: Any, case: Case, shapes: list[tuple[int, ...]]) -> Scene:
    shape = draw(st.sampled_from(shapes))
    absent = np.array(draw(pattern(shape)), bool).reshape(shape)
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    y, p = (x.astype("float32").astype("float64") for x in case.data(rng, shape))

    integers = ["int32", "int64", "int8"] if np.array_equal(y, np.round(y)) else []
    dtype = draw(st.sampled_from(["float32", "float64", *integers]))
    missing = draw(st.sampled_from(OF_INTEGERS if dtype in integers else MARKERS))
    y_true, y_pred = marked(case, y, absent, missing, dtype, rng), p.copy()
    if draw(st.booleans()):
        y_pred[absent] = draw(st.sampled_from(GARBAGE))
    mask = draw(st.none() | st.just(rng.random(shape[:1]) < 0.7))
    observed = ~absent if mask is None else ~absent & expand(mask, shape)
    weight = draw(weights(shape, rng))
    full = np.ones(shape) if weight is None else expand(weight, shape)
    y_pred = y_pred.astype(draw(st.sampled_from(["float32", "float64"])))
    return Scene(y_true, y_pred, weight, missing, mask, y, p, observed, full)


def pattern(shape: tuple[int, ...]) -> Any:
    """Where labels are missing: anything, and more often than by chance nothing or all."""
    size = int(np.prod(shape))
    some = st.lists(st.booleans(), min_size=size, max_size=size)
    return st.one_of(some, some, some, st.just([False] * size), st.just([True] * size))


@st.composite
def weights(draw: Any, shape: tuple[int, ...], rng: Any) -> Array | None:
    """None, a number, or any shape that aligns from the left, with ones in it or not."""
    depth = draw(st.none() | st.integers(0, len(shape)))
    if depth is None:
        return None
    left = tuple(draw(st.sampled_from([n, n, 1])) for n in shape[:depth])
    left += (1,) * draw(st.integers(0, len(shape) - depth))
    values = rng.random(left) * draw(st.sampled_from([1.0, 3.0]))
    if draw(st.booleans()):
        values = np.floor(values * 3)  # with zeros among them
    return np.asarray(values, draw(st.sampled_from(["float32", "float64"])))


def expand(x: Array, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(x.reshape(x.shape + (1,) * (len(shape) - x.ndim)), shape)


def test_loss(loss_case: Case) -> None:
    @few(loss_case)
    @given(scene=scenes(loss_case, SHAPES), reduction=st.sampled_from(REDUCTIONS))
    def check(scene: Scene, reduction: str | None) -> None:
        loss = loss_case.make(reduction=reduction, missing=scene.missing)
        oracle = reduce_by_deletion(
            loss_case.oracle, scene.y, scene.p, scene.observed, scene.full,
            None if reduction == "none" else reduction, loss_case.rows_are_labels,
        )  # fmt: skip
        value = to_numpy(loss(*scene.batch))
        assert value.shape == np.shape(oracle)
        np.testing.assert_allclose(value, oracle, rtol=5e-5, atol=2e-6)

    check()


@pytest.mark.parametrize("loss_case", representatives(LOSSES), ids=str)
def test_weights_spelled_out(loss_case: Case) -> None:
    """Weights spelled out for every label change nothing but the shape they arrive in."""

    @few(loss_case)
    @given(scene=scenes(loss_case, [(3, 3)]))
    def check(scene: Scene) -> None:
        assume(scene.weight is not None)
        loss = loss_case.make(missing=scene.missing)
        value = to_numpy(loss(*scene.batch))
        spelled = to_numpy(loss(*scene.batch[:2], np.array(scene.full)))
        np.testing.assert_allclose(value, spelled, rtol=1e-5, atol=1e-6)

    check()


def oracle_of(case: Case, scene: Scene, *at: Any) -> tuple[float, float]:
    """The oracle on what is left there, NaN where it has no answer, and the weight."""
    at = at or (np.s_[:],)
    kept = scene.observed[at] & (scene.full[at] != 0)
    y, p, w = scene.y[at][kept], scene.p[at][kept], scene.full[at][kept]
    return (float(case.oracle(y, p, w)), case.row_weight(y, w)) if len(y) else (case.empty, 0.0)


def metric_oracle(case: Case, scene: Scene) -> float:
    if case.per_row:
        parts = [oracle_of(case, scene, *i) for i in np.ndindex(scene.observed.shape[:-1])]
        weights = [weight for _, weight in parts]
    elif case.per_column:
        parts = [oracle_of(case, scene, np.s_[:], c) for c in range(scene.observed.shape[1])]
        weights = [1.0] * len(parts)
    else:
        return oracle_of(case, scene)[0]
    values = np.array([value for value, _ in parts])
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan")
    return float(np.average(values[defined], weights=np.array(weights)[defined]))


def shapes_of(case: Case) -> list[tuple[int, ...]]:
    if case.per_column:
        return [(4, 1), (1, 3), (5, 3)]
    return [s for s in SHAPES if len(s) >= case.min_rank and not (case.per_row and s[-1] == 1)]


def test_metric(metric_case: Case) -> None:
    @few(metric_case)
    @given(scene=scenes(metric_case, shapes_of(metric_case)), cut=st.booleans())
    def check(scene: Scene, cut: bool) -> None:
        metric = metric_case.make(missing=scene.missing)
        metric.update_state(*scene.batch)
        oracle = metric_oracle(metric_case, scene)
        if cut:  # a second batch of nothing but holes changes nothing
            absent = np.ones(scene.observed.shape, bool)
            rng, dtype = np.random.default_rng(0), str(scene.y_true.dtype)
            empty = marked(metric_case, scene.y, absent, scene.missing, dtype, rng)
            metric.update_state(empty, np.full_like(scene.y_pred, np.nan))
        np.testing.assert_allclose(to_numpy(metric.result()), oracle, rtol=2e-4, atol=1e-5)
        counted = scene.full[scene.observed].sum()
        np.testing.assert_allclose(to_numpy(metric.support()).sum(), counted, rtol=1e-5, atol=1e-6)

    check()
