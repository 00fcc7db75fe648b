"""What the tests need of a backend: gradients and compilation, behind one face."""

from __future__ import annotations

import contextlib
from typing import Any

import keras
import numpy as np

BACKEND = keras.config.backend()


def to_numpy(x: Any) -> np.ndarray:
    """A float64 NumPy array, also of bfloat16."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")), "float64")


def tensor(x: Any, dtype: str | None = None) -> Any:
    return keras.ops.convert_to_tensor(x, dtype=dtype)


def value_and_grad(function: Any, compiled: bool = False) -> Any:
    """Returns a function of tensors that returns (value, gradient by the first argument)."""
    if BACKEND == "jax":
        import jax

        both = jax.value_and_grad(function)
        return jax.jit(both) if compiled else both
    if BACKEND == "tensorflow":
        import tensorflow as tf

        def tf_both(x: Any, *rest: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = function(x, *rest)
            return value, tape.gradient(value, x)

        return tf.function(tf_both, jit_compile=True) if compiled else tf_both

    forward = compile_(function) if compiled else function

    def torch_both(x: Any, *rest: Any) -> Any:
        x = x.detach().clone().requires_grad_(True)
        value = forward(x, *rest)
        value.backward()
        return value.detach(), x.grad

    return torch_both


def compile_(function: Any) -> Any:
    """Compiles a function of tensors into one graph."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    import torch

    # One graph, forwards and backwards, is what matters here: "aot_eager" checks that without
    # spending seconds per case in a C++ compiler. Marked cases run "inductor" too.
    torch._dynamo.reset()  # every case compiles the same code object: there is a limit per object
    return torch.compile(function, fullgraph=True, backend="aot_eager")


def set_mask(x: Any, mask: np.ndarray) -> Any:
    """A tensor with the Keras mask that a layer would have put there."""
    from keras_masked._backend import set_keras_mask

    x = tensor(x)
    set_keras_mask(x, tensor(mask))
    return x


def float64() -> Any:
    """A context in which the backend has float64."""
    if BACKEND == "jax":
        import jax

        return jax.enable_x64(True)
    return contextlib.nullcontext()
