"""Which engine is at work, and in which mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def eager_torch() -> bool:
    """Whether on PyTorch, outside of its compiler."""
    if keras.config.backend() != "torch":
        return False
    import torch

    return not torch.compiler.is_compiling()


def torch_func() -> bool:
    """Whether a transformation of `torch.func` is at work, which has no rule for Keras's gradients.

    PyTorch's compiler is not asked; and there is no public way to ask.
    """
    if not eager_torch():
        return False
    import torch

    return torch._C._functorch.maybe_current_level() is not None


def is_stale(variable: Any) -> bool:
    """Whether a variable cannot be read here, inside a step of Keras's trainer on JAX.

    There, variables are arguments; of one that is none, the value is that of before the step, for
    ever. There is no public way to ask.
    """
    if variable is None:
        return True
    if keras.config.backend() != "jax":
        return False
    from keras.src.backend.common.stateless_scope import get_stateless_scope

    scope = get_stateless_scope()
    return scope is not None and scope.get_current_value(variable) is None


def repeat(
    step: Callable[..., tuple[Any, ...]], times: int, state: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Applies a step to tensors, again and again, without a gradient.

    A graph has the step once, in a loop, which compiles in a fraction of the time. Without a graph,
    a loop would be compiled at every call.
    """
    if in_graph(state[0]):
        state = ops.fori_loop(0, times, lambda _, tensors: step(*tensors), state)
    else:
        for _ in range(times):
            state = step(*state)
    # Stopped behind the loop, too: else TensorFlow differentiates it, to stop only then.
    return tuple(ops.stop_gradient(tensor) for tensor in state)


def in_graph(tensor: Any) -> bool:
    """Whether a tensor is of a graph of JAX or TensorFlow, where its values are not at hand."""
    if keras.config.backend() == "jax":
        import jax

        return isinstance(tensor, jax.core.Tracer)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    return False
