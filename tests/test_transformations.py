"""What engines do to functions, done to losses: DESIGN's law of transformations, a kind each.

The reference is the same loss's plain value and gradient, which other laws hold against oracles.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_masked as km
from tests import case_data
from tests.backend import BACKEND, compile_, tensor, to_numpy

L = km.losses


@dataclasses.dataclass(frozen=True)
class Kind:
    """A loss for each way in which labels are hidden.

    Attributes:
        make: Builds the loss.
        data: Draws labels and predictions.
        shape: Of the labels.
        zero_weight: Whether a label of weight 0 is hidden: else weights are of rows.
        class_ids: Whether labels are class ids, which have no gradient.
        hole: Whether one entry is missing of a label that is not.
    """

    make: Callable[[], Any]
    data: Callable[..., Any]
    shape: tuple[int, ...] = (4, 3)
    zero_weight: bool = True
    class_ids: bool = False
    hole: bool = False


def embeddings(rng: Any, shape: tuple[int, ...]) -> Any:
    p = rng.normal(size=(*shape, 3))
    return np.arange(shape[0]) % 3.0, p / np.linalg.norm(p, axis=-1, keepdims=True)


def draws(**options: Any) -> Kind:
    return Kind(
        lambda: L.BayesianCategoricalCrossentropy(draws=3, **options),
        case_data.one_hot_and_variance,
    )


KINDS = {
    "residual": Kind(L.MeanSquaredError, case_data.reals),
    "residual with a corner": Kind(lambda: L.MeanAbsoluteError(average="macro"), case_data.reals),
    "residual by parts": Kind(lambda: L.Huber(average="samples"), case_data.reals),
    "element-wise": Kind(lambda: L.BinaryCrossentropy(from_logits=True), case_data.binary_logits),
    "element-wise, probabilities": Kind(L.BinaryCrossentropy, case_data.binary),
    "filled": Kind(L.SquaredHinge, case_data.signs),
    "vector": Kind(L.CategoricalCrossentropy, case_data.one_hot),
    "ids": Kind(L.SparseCategoricalCrossentropy, case_data.class_ids, class_ids=True),
    "pairwise": Kind(L.CosineSimilarity, case_data.vectors, hole=True),
    "stacked": Kind(L.NegativeLogLikelihood, case_data.gaussians),
    "stacked vector": draws(),
    "one draw by one": draws(loop_over_draws=True),
    "sets": Kind(lambda: L.Dice(axis=1), case_data.binary, zero_weight=False),
    "pairs": Kind(L.Circle, embeddings, (6,), zero_weight=False, class_ids=True),
    "wrapped": Kind(lambda: L.Masked(keras.losses.Huber()), case_data.reals),
    "wrapped vector": Kind(
        lambda: L.Masked(keras.losses.CategoricalCrossentropy(), label_axes=1), case_data.one_hot
    ),
}


@dataclasses.dataclass
class Data:
    """What a loss gets, and of which labels nothing may be seen."""

    y: Any
    p: Any
    w: Any
    hidden: Any

    def check_zeros(self, *gradients: Any) -> None:
        """By predictions, labels or weights: exactly 0 at hidden labels, finite elsewhere."""
        for gradient in map(to_numpy, gradients):
            assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)
            if gradient.shape[: self.hidden.ndim] == self.hidden.shape:
                np.testing.assert_array_equal(gradient[self.hidden], 0)


def draw(kind: Kind) -> Data:
    rng = np.random.default_rng(0)
    y, p = (x.astype("float32") for x in kind.data(rng, kind.shape))
    hidden = np.zeros(kind.shape, bool)
    hidden.flat[[1, -1]] = True
    if kind.hole:
        y[2, 0, 0] = np.nan
    y[hidden], p[hidden] = np.nan, np.inf
    w = rng.uniform(0.5, 1.5, kind.shape if kind.zero_weight else kind.shape[:1]).astype("float32")
    if kind.zero_weight:
        w.flat[5], hidden.flat[5] = 0, True
    return Data(y, p, w, hidden)


def weights_of(p: Any, w: Any) -> Any:
    """Weights that are computed from the predictions, and so carry gradients to them."""
    confidence = ops.sigmoid(p)
    return w * ops.mean(confidence, axis=tuple(range(len(w.shape), len(p.shape))))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def close(x: Any, expected: Any) -> None:
    np.testing.assert_allclose(to_numpy(x), to_numpy(expected), rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(BACKEND != "jax", reason="JAX's transformations")
def test_jax(kind: Kind) -> None:
    import jax
    from jax import numpy as jnp

    data, loss = draw(kind), kind.make()
    by = (0, 2) if kind.class_ids else (0, 1, 2)

    def f(p: Any, y: Any = data.y, w: Any = data.w) -> Any:
        return loss(y, p, w)

    def twice(p: Any, y: Any, w: Any) -> Any:
        """In a loop over micro-batches and behind a branch."""
        add = lambda total, batch: (total + f(*batch), None)  # noqa: E731
        batches = jax.tree.map(lambda x: jnp.stack([x, x]), (p, y, w))
        total, _ = jax.lax.scan(add, 0.0, batches)
        return total + jax.lax.cond(w[0].sum() > 0, f, lambda p, y, w: 0.0, p, y, w)

    def self_weighted(p: Any, w: Any) -> Any:
        return f(p, data.y, weights_of(p, w))

    def chain_rule(p: Any, w: Any) -> Any:
        weights, pull_back = jax.vjp(lambda p: weights_of(p, w), p)
        of_p, of_weights = jax.grad(f, (0, 2))(p, data.y, weights)
        return of_p + pull_back(of_weights)[0]

    @functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def everything(p: Any, y: Any, w: Any, t: Any) -> Any:
        gradient = jax.grad(f)
        return {
            "grad": jax.value_and_grad(f, by)(p, y, w),
            "grad of jit": jax.grad(jax.jit(f), by)(p, y, w),
            "checkpoint": jax.grad(jax.checkpoint(f))(p, y, w),
            "scan, cond": jax.grad(twice, (0, 2))(p, y, w),
            "vmap": jax.vmap(jax.value_and_grad(f))(jnp.stack([p, p])),
            "self-weighted": jax.grad(self_weighted)(p, w),
            "by the chain rule": chain_rule(p, w),
            "jvp": jax.jvp(lambda p, w: f(p, y, w), (p, w), (t, w)),
            "hessian": jax.hessian(f)(p),
            "reverse twice": jax.grad(lambda p: (gradient(p, y, w) * t).sum())(p),
        }

    t = np.random.default_rng(1).normal(size=data.p.shape).astype("float32")
    found = everything(data.p, data.y, data.w, t)
    value, (first, *_) = found["grad"]
    data.check_zeros(*found["grad"][1])
    for x, expected in zip(found["grad of jit"], found["grad"][1], strict=True):
        close(x, expected)
        data.check_zeros(x)
    data.check_zeros(found["checkpoint"], *found["scan, cond"], found["self-weighted"])
    close(found["checkpoint"], first)
    by_weights = found["grad"][1][-1]
    close(found["scan, cond"][0], 3 * first)
    close(found["scan, cond"][1], 3 * by_weights)
    close(found["vmap"][0], [value, value])
    close(found["vmap"][1], ops.stack([first, first]))
    close(found["self-weighted"], found["by the chain rule"])
    close((by_weights * data.w).sum(), found["grad"][0])  # linear in the weights
    value, tangent = found["jvp"]
    close(tangent, (first * t).sum() + value)
    size = data.p.size
    hessian = to_numpy(found["hessian"]).reshape(size, size)
    rows = hessian.reshape(*data.p.shape, size)
    np.testing.assert_array_equal(rows[data.hidden], 0)
    close(hessian, hessian.T)
    close((hessian @ t.ravel()).reshape(t.shape), found["reverse twice"])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's transformations")
def test_tensorflow(kind: Kind) -> None:
    import tensorflow as tf

    data, loss = draw(kind), kind.make()
    p, y, w = (tf.constant(x) for x in (data.p, data.y, data.w))

    def gradients(function: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch((p, y, w))
            value = function(p, y, w)
        return value, tape.gradient(value, (p, w) if kind.class_ids else (p, w, y))

    def f(p: Any, y: Any, w: Any) -> Any:
        return loss(y, p, w)

    def loop(p: Any, y: Any, w: Any) -> Any:
        step = lambda i, total: (i + 1, total + f(p, y, w))  # noqa: E731
        return tf.while_loop(lambda i, _: i < 2, step, (0, 0.0))[1]

    def self_weighted(p: Any, y: Any, w: Any) -> Any:
        return f(p, y, weights_of(p, w))

    def chain_rule() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(p)
            weights = weights_of(p, w)
        with tf.GradientTape() as inner:
            inner.watch((p, weights))
            value = f(p, y, weights)
        of_p, of_weights = inner.gradient(value, (p, weights))
        return of_p + tape.gradient(weights, p, output_gradients=of_weights)

    def forward() -> Any:
        with tf.autodiff.ForwardAccumulator((p, w), (tf.ones_like(p), w)) as accumulator:
            value = f(p, y, w)
        return accumulator.jvp(value)

    @tf.function
    def everything() -> Any:
        return {
            "gradient": gradients(f),
            "nested": gradients(tf.function(tf.function(f, jit_compile=True))),
            "recompute_grad": gradients(tf.recompute_grad(f)),
            "while_loop": gradients(loop),
            "cond": gradients(
                lambda p, y, w: tf.cond(tf.reduce_sum(w) > 0, lambda: f(p, y, w), lambda: 0.0)
            ),
            "self-weighted": gradients(self_weighted)[1][0],
            "by the chain rule": chain_rule(),
            "forward": forward(),
        }

    found = everything()
    value, expected = found["gradient"]
    eager, (first, *_) = gradients(f)
    close(value, eager)
    close(expected[0], first)
    for name in ("gradient", "nested", "recompute_grad", "while_loop", "cond"):
        times = 2 if name == "while_loop" else 1
        close(found[name][0], times * value)
        for x, of in zip(found[name][1], expected, strict=True):
            close(x, times * of)
            data.check_zeros(x)
    data.check_zeros(found["self-weighted"])
    close(found["self-weighted"], found["by the chain rule"])
    close(found["forward"], tf.reduce_sum(first) + value)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # PyTorch's own jvp
@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's transformations")
def test_torch(kind: Kind) -> None:
    import torch
    from torch.utils.checkpoint import checkpoint

    data, loss = draw(kind), kind.make()
    given = [tensor(x) for x in (data.p, data.y, data.w)]

    def f(p: Any, y: Any, w: Any) -> Any:
        return loss(y, p, w)

    def self_weighted(p: Any, y: Any, w: Any) -> Any:
        return f(p, y, weights_of(p, w))

    def gradients(function: Any) -> Any:
        p, y, w = (
            x.clone().requires_grad_(not (i == 1 and kind.class_ids)) for i, x in enumerate(given)
        )
        value = function(p, y, w)
        value.backward()
        return value.detach(), [x.grad for x in ((p, w) if kind.class_ids else (p, w, y))]

    def check(found: Any, plain: Any) -> None:
        close(found[0], plain[0])
        for x, of in zip(found[1], plain[1], strict=True):
            close(x, of)
            data.check_zeros(x)

    plain = gradients(f)
    check(gradients(lambda *x: checkpoint(f, *x, use_reentrant=False)), plain)
    check(gradients(compile_(self_weighted)), gradients(self_weighted))
    p, y, w = given
    by = (0, 2) if kind.class_ids else (0, 2, 1)
    of, value = torch.func.grad_and_value(f, by)(*given)
    check((value, of), plain)
    of, value = torch.func.vmap(torch.func.grad_and_value(f), (0, None, None))(
        torch.stack([p, p]), y, w
    )
    close(of, torch.stack(2 * [plain[1][0]]))
    close(value, 2 * [plain[0]])
    _, tangent = torch.func.jvp(lambda p: f(p, y, w), (p,), (torch.ones_like(p),))
    close(tangent, plain[1][0].sum())
