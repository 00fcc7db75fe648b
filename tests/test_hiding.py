"""How labels are hidden: what the gates and residuals promise beyond the laws of every loss."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_masked as km
from tests.backend import BACKEND, tensor, to_numpy, value_and_grad

NAN = np.nan
RESIDUAL = [km.losses.MeanSquaredError, km.losses.MeanAbsoluteError, km.losses.Huber]
MISSING = ["nan", -9999.0, ("nan", -9999.0)]


def labels(missing: Any, shape: tuple[int, ...] = (64, 128)) -> tuple[np.ndarray, np.ndarray]:
    """Labels in (0, 1), of which some are missing, and which those are."""
    random = np.random.default_rng(0)
    y = random.uniform(0.1, 0.9, size=shape).astype("float32")
    hidden = random.random(shape) < 0.3
    marker = missing[-1] if isinstance(missing, tuple) else missing
    y[hidden] = NAN if marker == "nan" else marker
    return y, hidden


@pytest.mark.parametrize("make", RESIDUAL)
def test_equal_infinities(make: Any) -> None:
    """A hidden prediction may be what makes the residual inf - inf; an observed one shows."""
    y = np.array([[np.inf, 1.0]], "float32")
    value, gradient = value_and_grad(lambda p: make(missing=np.inf)(y, p))(
        tensor(np.array([[np.inf, 3.0]], "float32"))
    )
    assert np.isfinite(to_numpy(value))
    assert to_numpy(gradient)[0, 0] == 0
    assert np.isnan(to_numpy(make()(y, y)))


def test_divergence_elsewhere_leaves_hidden_gradients_at_zero() -> None:
    y = np.array([[1.0, NAN], [2.0, 3.0]], "float32")
    for make in (km.losses.RootMeanSquaredError, km.losses.MeanSquaredError):
        for p, weight in ((NAN, 1.0), (3.0, NAN)):
            predictions = tensor(np.array([[1.0, 5.0], [2.0, p]], "float32"))
            weights = np.array([[1.0, 1.0], [1.0, weight]], "float32")
            value, gradient = value_and_grad(lambda p, m=make, w=weights: m()(y, p, w))(predictions)
            assert np.isnan(to_numpy(value))
            assert to_numpy(gradient)[0, 1] == 0


def test_logits_of_zero_and_of_certainty() -> None:
    loss = km.losses.BinaryCrossentropy(from_logits=True, reduction="sum")
    y = np.array([[0.0], [1.0], [0.25], [0.0], [1.0], [NAN]], "float32")
    x = np.array([[0.0], [0.0], [0.0], [-40.0], [40.0], [0.0]], "float32")
    _, gradient = value_and_grad(lambda x: loss(y, x))(tensor(x))
    np.testing.assert_allclose(
        to_numpy(gradient)[:, 0], [0.5, -0.5, 0.25, 0, 0, 0], rtol=1e-6, atol=1e-7
    )
    losses = to_numpy(loss.call(y, tensor(x)))
    np.testing.assert_allclose(losses, [*[np.log(2)] * 3, np.exp(-40), np.exp(-40), 0], rtol=1e-5)


@pytest.mark.parametrize("upstream", [np.inf, NAN])
def test_upstream_that_is_not_finite(upstream: float) -> None:
    """Gates are exact even then. Residuals are not: see docs/speed.md."""
    y, hidden = labels("nan")
    p = tensor(np.full(y.shape, 0.5, "float32"))
    _, gradient = value_and_grad(lambda p: km.losses.BinaryCrossentropy()(y, p) * upstream)(p)
    np.testing.assert_array_equal(to_numpy(gradient)[hidden], 0)
    assert not np.any(np.isfinite(to_numpy(gradient)[~hidden]))


@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
def test_second_gradient(name: str) -> None:
    """The gradient of a gradient is that of the observed labels, 0 at the hidden ones."""
    y, hidden = labels("nan", (6, 5))
    p = np.random.default_rng(1).uniform(0.2, 0.8, size=y.shape).astype("float32")
    loss = getattr(km.losses, name)()
    second = to_numpy(gradient_of_sum_of_gradient(lambda p: loss(y, p), tensor(p)))
    n = np.sum(~hidden)
    formula = 2.0 / n if name == "MeanSquaredError" else (y / p**2 + (1 - y) / (1 - p) ** 2) / n
    np.testing.assert_allclose(second, np.where(hidden, 0, formula), rtol=1e-4)


@pytest.mark.skipif(BACKEND != "jax", reason="forward over reverse mode is JAX's")
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
def test_hessian(name: str) -> None:
    import jax

    y, hidden = labels("nan", (2, 4))
    loss = getattr(km.losses, name)()
    hessian = to_numpy(jax.hessian(lambda p: loss(y, p))(tensor(np.full(y.shape, 0.5, "float32"))))
    diagonal = np.diag(hessian.reshape(8, 8)).reshape(y.shape)
    formula = {"MeanSquaredError": 2.0, "BinaryCrossentropy": 4.0}[name] / np.sum(~hidden)
    np.testing.assert_allclose(diagonal, np.where(hidden, 0, formula), rtol=1e-5)


def gradient_of_sum_of_gradient(function: Any, x: Any) -> Any:
    if BACKEND == "jax":
        import jax

        return jax.grad(lambda x: jax.grad(function)(x).sum())(x)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = function(x)
            first = inner.gradient(value, x)
        return outer.gradient(first, x)
    import torch

    x = x.detach().requires_grad_()
    (first,) = torch.autograd.grad(function(x), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return second


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("missing", MISSING)
def test_markers_in_compiled_graphs(missing: Any, dtype: str) -> None:
    """A marker is found in the labels' own precision there, too."""
    y, hidden = labels(missing)
    y = ops.cast(tensor(y), dtype)
    loss = km.losses.MeanSquaredError(missing=missing)
    p = tensor(np.full(hidden.shape, 0.5, "float32"))

    def function(p: Any, y: Any) -> Any:
        return loss(y, p)

    value, gradient = value_and_grad(function, compiled=True)(p, y)
    np.testing.assert_allclose(
        to_numpy(value), np.mean((to_numpy(y)[~hidden] - 0.5) ** 2), rtol=1e-5
    )
    np.testing.assert_array_equal(to_numpy(gradient) == 0, hidden | (to_numpy(y) == 0.5))


@pytest.mark.skipif(BACKEND != "torch", reason="about the compiler of PyTorch")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
def test_no_boolean_is_kept_for_the_backward_pass(name: str, missing: Any, weighted: bool) -> None:
    """Compiled code that reads a kept boolean tensor is 4 to 13 times slower."""
    import torch
    from torch._dynamo.backends.common import aot_autograd
    from torch._functorch.aot_autograd import make_boxed_func
    from torch._functorch.partitioners import min_cut_rematerialization_partition
    from torch._inductor.decomposition import select_decomp_table

    kept: list[Any] = []

    def forward(module: Any, _: Any) -> Any:
        [outputs] = (node for node in module.graph.nodes if node.op == "output")
        kept.extend(node.meta["val"].dtype for node in outputs.args[0] if hasattr(node, "meta"))
        return make_boxed_func(module)

    backend = aot_autograd(
        fw_compiler=forward,
        bw_compiler=lambda module, _: make_boxed_func(module),
        partition_fn=min_cut_rematerialization_partition,
        decompositions=select_decomp_table(),
    )
    torch._dynamo.reset()
    loss = getattr(km.losses, name)(missing=missing)
    y, _ = labels(missing)
    p = tensor(np.full(y.shape, 0.4, "float32")).requires_grad_()
    weight = tensor(np.ones(y.shape, "float32")) if weighted else None
    torch.compile(loss, backend=backend, fullgraph=True)(tensor(y), p, weight).backward()
    assert kept and torch.bool not in kept


def test_what_a_wrapped_formula_receives() -> None:
    """Vectors stand in for hidden ones: both ends are shut, so that no value would show others."""
    p = np.random.default_rng(0).random((2, 3, 2)).astype("float32")
    ids = np.array([[0, -1, 1], [1, 1, -1]])
    one_hot = np.where(ids[..., None] == -1, NAN, np.eye(2)[ids]).astype("float32")
    received: list[Any] = []

    def formula(y_true: Any, y_pred: Any) -> Any:
        received.extend((to_numpy(y_true), to_numpy(y_pred)))
        return ops.mean(y_pred, axis=-1)

    for y, hidden_label in ((one_hot, [0.25, 0.75]), (ids, 7)):
        options: dict[str, Any] = {"label_axes": 1, "fill": (hidden_label, [3.0, 5.0])}
        options["missing"] = (-1, "nan")
        km.losses.Masked(formula, **options)(y, p)
        km.metrics.MeanMetricWrapper(formula, **options).update_state(y, p)
        km.metrics.Masked(keras.metrics.MeanMetricWrapper(formula), **options).update_state(y, p)
        hidden = (ids == -1)[..., None]
        expected = [
            np.where(hidden if y is one_hot else hidden[..., 0], hidden_label, y),
            np.where(hidden, [3.0, 5.0], p),
        ] * 3
        assert len(received) == len(expected)
        for found, each in zip(received, expected, strict=True):
            np.testing.assert_array_equal(found.reshape(each.shape), each.astype("float32"))
        received.clear()


def test_no_columns() -> None:
    loss = km.losses.MeanSquaredError(reduction="sum")
    assert to_numpy(loss(np.zeros((3, 0), "float32"), keras.ops.zeros((3, 0)))) == 0


@pytest.mark.parametrize("c", [0, 2])
def test_one_diverged_class_is_seen_in_graphs(c: int) -> None:
    """TensorFlow's compiler leaves NaN out of maxima."""
    y, p = tensor(np.array([1, -1, 0], "int32")), np.zeros((3, 3), "float32")
    p[0, c] = NAN
    loss = km.losses.MulticlassHinge()
    value, _ = value_and_grad(lambda p: loss(y, p), compiled=True)(tensor(p))
    assert np.isnan(to_numpy(value))
