"""What engines do to functions, done to losses: DESIGN's law of transformations, a kind each.

The reference is the same loss's plain value and gradient, which other laws hold against oracles.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from keras import ops

from tests.backend import BACKEND, compile_, tensor, to_numpy
from tests.transformation_kinds import KINDS, Kind, draw, weights_of


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
        """Twice, behind a branch."""
        branch = lambda: tf.cond(tf.reduce_sum(w) > 0, lambda: f(p, y, w), lambda: 0.0)  # noqa: E731
        step = lambda i, total: (i + 1, total + branch())  # noqa: E731
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
            "while_loop, cond": gradients(loop),
            "self-weighted": gradients(self_weighted)[1][0],
            "by the chain rule": chain_rule(),
            "forward": forward(),
        }

    found = everything()
    value, expected = found["gradient"]
    eager, (first, *_) = gradients(f)
    close(value, eager)
    close(expected[0], first)
    for name in ("gradient", "nested", "recompute_grad", "while_loop, cond"):
        times = 2 if name == "while_loop, cond" else 1
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
