"""Batches without rows and labels without columns: a loss of 0, with a gradient of 0."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, tensor, to_numpy, value_and_grad
from tests.cases import Case, draw

L = km.losses
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]
SETS = ["Dice", "Tversky", "Jaccard", "CriticalSuccessIndex", "RootMeanSquaredError",
        "FractionsSkillScore", "SobelMSE"]  # fmt: skip


def check_nothing(loss: Any, y: Any, p: Any, *weight: Any) -> None:
    def total(p: Any) -> Any:
        return keras.ops.sum(loss(y, p, *weight))

    value, gradient = value_and_grad(total, compiled=BACKEND == "jax")(tensor(p))
    assert to_numpy(value) == 0
    assert gradient.shape == p.shape
    np.testing.assert_array_equal(to_numpy(gradient), 0)


def test_no_rows(loss_case: Case) -> None:
    """Of integers no label can be missing: there is no count that would be 0.

    On JAX, whose shapes are known where it traces, one graph of each formula shows that there is
    one; that its value is 0 does not depend on the formula.
    """
    data = draw(loss_case, (2, 3), missing=0)
    check_nothing(loss_case.make(), data.y[:0].astype("int32"), data.p[:0])
    if BACKEND == "jax" and not loss_case.represents:
        return
    check_nothing(loss_case.make(), data.y[:0], data.p[:0])
    check_nothing(loss_case.make(), data.y[:, :0].astype("int32"), data.p[:, :0])


GRID: list[dict[str, Any]] = [
    *({"reduction": reduction} for reduction in REDUCTIONS),
    *({"average": "samples", "reduction": reduction} for reduction in REDUCTIONS[:2]),
    {"average": "macro"},
    {"average": "macro", "observed_rate": [0.5, 0.5, 0.25]},
    {"observed_rate": 0.5},
]


@pytest.mark.parametrize("options", GRID, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_no_rows_reduced(options: Any, dtype: str) -> None:
    y, p, ids = np.zeros((0, 3), dtype), np.zeros((0, 3), "float32"), np.zeros((0,), dtype)
    for weight in ([], [np.zeros(0)]):
        check_nothing(L.MeanSquaredError(**options), y, p, *weight)
        if options.get("average") != "macro":
            check_nothing(L.SparseCategoricalCrossentropy(**options), ids, p, *weight)
    if "macro" not in options.values():
        check_nothing(L.MeanSquaredError(**options), y.T, p.T)


@pytest.mark.parametrize("name", SETS)
def test_no_sets(name: str) -> None:
    options = [{}] if name == "SobelMSE" else [{}, {"axis": (1, 2)}]
    for shape in ((0, 4, 4), (3, 4, 4, 0)):
        for each in options:
            for dtype in ("float32", "int32"):
                loss = getattr(L, name)(**each)
                check_nothing(loss, np.zeros(shape, dtype), np.zeros(shape, "float32"))


def test_no_sequences_and_pairs() -> None:
    logits = np.zeros((2, 4, 5), "float32")
    check_nothing(L.CTC(), np.zeros((0, 3), "int32"), logits[:0])
    check_nothing(L.CTC(), np.zeros((2, 0), "int32"), logits)
    check_nothing(L.Circle(), np.zeros(0, "int32"), logits[0, :0])


def test_functions_of_no_columns() -> None:
    rows = L.mean_squared_error(np.zeros((3, 0), "int32"), np.zeros((3, 0), "float32"))
    np.testing.assert_array_equal(to_numpy(rows), [0, 0, 0])
    assert L.mean_squared_error(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)


def test_metrics_of_no_rows_and_no_columns(metric_case: Case) -> None:
    if BACKEND == "jax" and not metric_case.represents:
        pytest.skip("JAX would compile every operation for two more shapes, and never raises")
    data = draw(metric_case)
    for cut in ((slice(0, 0),), (slice(None), slice(0, 0))):
        metric = metric_case.make()
        metric.update_state(data.with_missing()[cut], data.p[cut])
        for value in keras.tree.flatten(metric.result()):
            np.testing.assert_array_equal(to_numpy(value), metric_case.empty)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only its graphs have batches of any size")
@pytest.mark.parametrize("name", ["MeanSquaredError", "Dice"])
def test_no_rows_in_a_graph_of_any_size(name: str) -> None:
    import tensorflow as tf

    loss = getattr(L, name)()
    any_size = tf.TensorSpec((None, 3), tf.float32)
    graph = tf.function(
        lambda y, p: loss(y, p), input_signature=[tf.TensorSpec((None, 3), tf.int32), any_size]
    )
    assert to_numpy(graph(np.zeros((0, 3), "int32"), np.zeros((0, 3), "float32"))) == 0
    ones = np.ones((2, 3))
    np.testing.assert_allclose(
        float(graph(ones.astype("int32"), ones.astype("float32"))), 0, atol=1e-6
    )
