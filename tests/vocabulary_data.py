"""Tokens, hidden states and a kernel; gradients by all of them, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.backend import BACKEND, compile_, tensor, to_numpy
from tests.vocabulary_oracle import dense

ROWS, STEPS, WIDTH, WORDS = 6, 4, 5, 11


class Data:
    """Ids, a third of them missing, hidden states, kernel, bias and weights."""

    def __init__(self, seed: int = 0, share: float = 0.35, flat: bool = False) -> None:
        random = np.random.default_rng(seed)
        shape = (ROWS * STEPS,) if flat else (ROWS, STEPS)
        self.ids = random.integers(0, WORDS, shape).astype("int32")
        self.observed = random.random(shape) >= share
        self.ids[~self.observed] = -1
        self.hidden = random.normal(size=(*shape, WIDTH)).astype("float32")
        self.kernel = random.normal(size=(WIDTH, WORDS)).astype("float32")
        self.bias = random.normal(size=WORDS).astype("float32")
        self.weight = random.uniform(0.5, 2.0, shape).astype("float32")

    def poisoned(self, garbage: float = np.nan) -> np.ndarray:
        """Hidden states with garbage where nothing is observed."""
        return np.where(self.observed[..., None], self.hidden, np.float32(garbage))

    def expected(self, weight: Any, divisor: float, **options: Any) -> list[np.ndarray]:
        """The loss and its gradients by hidden states, kernel and bias."""
        o = self.observed
        w = np.broadcast_to(weight, o.shape)[o]
        arrays = self.ids[o], self.hidden[o], self.kernel, self.bias
        losses, (of_hidden, of_kernel, of_bias) = dense(*arrays, w, **options)
        spread = np.zeros(self.hidden.shape)
        spread[o] = of_hidden
        gradients = [each / divisor for each in (spread, of_kernel, of_bias)]
        return [(w * losses).sum() / divisor, *gradients]


def gradients(function: Any, *tensors: Any, outside: bool = False) -> list[np.ndarray]:
    """Value and gradients of a function of tensors, compiled where that is the rule.

    Args:
        function: The function.
        tensors: By all of which there is a gradient.
        outside: Whether the gradient is of the compiled function, rather than compiled, too.
    """
    tensors = tuple(tensor(x) for x in tensors)
    if BACKEND == "jax":
        import jax

        by = tuple(range(len(tensors)))
        if outside:
            value, found = jax.value_and_grad(jax.jit(function), by)(*tensors)
        else:
            value, found = jax.jit(jax.value_and_grad(function, by))(*tensors)
    elif BACKEND == "tensorflow":
        import tensorflow as tf

        inner = tf.function(function, jit_compile=True) if outside else function

        def both(*tensors: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = inner(*tensors)
            return value, tape.gradient(value, tensors)

        run = both if outside else tf.function(both, jit_compile=True)
        value, found = run(*tensors)
    else:
        inner = compile_(function) if outside else function
        tensors = tuple(x.detach().clone().requires_grad_() for x in tensors)
        value = inner(*tensors)
        value.backward()
        found = [x.grad for x in tensors]
    return [to_numpy(x) for x in (value, *found)]


def assert_close(found: list[np.ndarray], expected: list[np.ndarray], rtol: float = 1e-5) -> None:
    for actual, true in zip(found, expected, strict=True):
        scale = np.abs(true).max()
        np.testing.assert_allclose(actual, true, rtol=0, atol=rtol * scale)
