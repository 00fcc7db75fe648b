"""Laws of metrics: split, no saturation, compile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, compile_, tensor, to_numpy
from tests.cases import LOSSES, METRICS, Case, draw
from tests.laws import graphs, grid, intakes
from tests.test_metric_values import expected, value_of


def test_any_split(metric_case: Case) -> None:
    """Batches of one row, too; on JAX, which compiles for them, those of representatives alone."""
    single = bool(metric_case.represents) or BACKEND != "jax"
    sizes = [1, 5, 1, 5] if single else [5, 5]
    data = draw(metric_case, (sum(sizes), 5))
    order = np.random.default_rng(len(sizes)).permutation(sum(sizes))
    weight = np.random.default_rng(1).random(sum(sizes)) + 0.5
    y, p = data.with_missing()[order], data.p[order]
    ends = np.cumsum(sizes)
    batches = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    value = value_of(metric_case.make(), *((y[b], p[b]) for b in batches))
    np.testing.assert_allclose(value, expected(metric_case, data), rtol=2e-5)
    weighted = value_of(metric_case.make(), *((y[b], p[b], weight[order][b]) for b in batches))
    oracle = expected(metric_case, data, weight[:, None])
    np.testing.assert_allclose(weighted, oracle, rtol=2e-5)


@grid("metric_case", intakes(METRICS, "collect"))
def test_counters_do_not_saturate(metric_case: Case) -> None:
    """In plain float32, 3e7 plus a few hundred single counts stays 3e7."""
    data = draw(metric_case, missing=0)
    metric = metric_case.make()
    metric.update_state(data.y, data.p, np.array(3e7))
    before = to_numpy(metric.support()).sum()
    for _ in range(12):
        metric.update_state(data.y, data.p)
    gained = np.asarray(metric.support(), "float64").sum() - before
    # The sums are exact; reading them rounds to float32, that is to 64 at 7.5e8.
    np.testing.assert_allclose(gained, 300, atol=128)


@grid("metric_case", graphs(METRICS, LOSSES))
def test_compile(metric_case: Case) -> None:
    """`update_state` is one graph, with the result of eager execution."""
    data = draw(metric_case)
    batches = [
        (tensor(data.with_missing()), tensor(data.p)),
        (tensor(data.with_missing()[::-1].copy()), tensor(data.p)),
    ]
    eager = value_of(metric_case.make(), *batches)
    metric = metric_case.make()
    metric.update_state(*batches[0])  # creates variables, as Keras's symbolic build does
    metric.reset_state()
    whole = bool(metric_case.represents) or BACKEND == "jax"
    np.testing.assert_allclose(run_compiled(metric, batches, whole), eager, rtol=1e-6)


def test_graph_of_the_greatest_class() -> None:
    """PyTorch's compiler stops at Keras's own `max` along an axis."""
    rng = np.random.default_rng(0)
    y, p = np.eye(4)[rng.integers(0, 4, 6)], rng.random((6, 4))
    y[2] = np.nan
    batches = [(tensor(y, "float32"), tensor(p, "float32"))]
    for metric in (km.metrics.F1Score("macro"), km.metrics.FBetaScore("macro", beta=0.5)):
        eager = value_of(metric, *batches)
        metric.reset_state()
        np.testing.assert_allclose(run_compiled(metric, batches), eager, rtol=1e-6)


def run_compiled(metric: Any, batches: list[tuple[Any, Any]], whole: bool = True) -> np.ndarray:
    """The result after compiled updates; if `whole`, it is compiled, too, as no trainer does."""
    if BACKEND == "jax":
        traces = []

        def update(variables: Any, y: Any, p: Any) -> Any:
            traces.append(1)
            return metric.stateless_update_state(variables, y, p)

        step = compile_(update)
        variables = [v.value for v in metric.variables]
        for batch in batches:
            variables = step(variables, *batch)
        assert len(traces) == 1
        return to_numpy(compile_(metric.stateless_result)(variables))
    step = compile_(lambda y, p: metric.update_state(y, p))
    for batch in batches:
        step(*batch)
    return to_numpy(compile_(metric.result)() if whole else metric.result())


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_r2_survives_an_offset(offset: float) -> None:
    """Squares of 1e6 + noise leave nothing of the noise in float32; differences do."""
    from tests.oracles import r2

    rng = np.random.default_rng(0)
    y = (offset + rng.normal(size=(1000, 1))).astype("float32")
    p = (y + 0.5 * rng.normal(size=y.shape)).astype("float32")
    y[rng.random(y.shape) < 0.3] = np.nan
    value = value_of(km.metrics.R2Score(), (y[:10], p[:10]), (y[10:], p[10:]))
    o = ~np.isnan(y)
    oracle = r2(y[o].astype("float64"), p[o].astype("float64"), np.ones(o.sum()))
    np.testing.assert_allclose(value, oracle, rtol=1e-4)


@pytest.mark.parametrize(
    "build",
    [
        km.metrics.R2Score,
        lambda: km.metrics.OfMean(km.metrics.R2Score()),
        km.metrics.F1Score,
    ],
    ids=["R2Score", "OfMean", "F1Score"],
)
def test_other_columns_after_a_reset(build: Any) -> None:
    """Outside of graphs; within them, variables are as they were."""
    rng = np.random.default_rng(0)
    y = (rng.random((5, 5)) < 0.5).astype("float32")
    y[0], y[1] = 0, 1
    y[2, 1] = np.nan
    p = rng.random((5, 5)).astype("float32")

    def batch(columns: int) -> tuple[Any, Any]:
        given = p[:, :columns]
        if isinstance(metric, km.metrics.OfMean):
            given = np.stack([given, np.zeros_like(given)], axis=-1)
        return y[:, :columns], given

    metric = build()
    with pytest.raises(ValueError, match=r"columns.*`reset_state\(\)`"):
        for columns in (5, 2):
            metric.update_state(*batch(columns))
    metric.reset_state()
    metric.update_state(*batch(2))
    fresh = build()
    fresh.update_state(*batch(2))
    np.testing.assert_allclose(to_numpy(metric.result()), to_numpy(fresh.result()))
    assert [v.shape for v in metric.variables] == [v.shape for v in fresh.variables]
    fixed = km.metrics.AUC(multi_label=True, num_labels=3)
    with pytest.raises(ValueError, match="5 columns after 3"):
        fixed.update_state(y, p)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no graph of steps here")
def test_other_columns_in_a_graph_raise() -> None:
    metric = km.metrics.R2Score()
    step = compile_(lambda y, p: metric.update_state(y, p))
    if BACKEND == "jax":
        update = compile_(metric.stateless_update_state)

        def step(y: Any, p: Any) -> None:
            update([v.value for v in metric.variables], y, p)

    metric.update_state(np.ones((2, 3)), np.ones((2, 3)))
    metric.reset_state()
    with pytest.raises(ValueError, match="compile the model again"):
        step(tensor(np.ones((2, 2))), tensor(np.ones((2, 2))))
