"""What sets values and gradients to exactly 0 where a label is hidden, as each engine likes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked._backend.engine import eager_torch, torch_func

Tensor = Any


def zero_where(hidden: Tensor, x: Tensor) -> Tensor:
    """Sets `x` to exactly 0 where `hidden`, whatever it is there."""
    return set_where(hidden, x, 0.0)


def set_where(mask: Tensor, x: Tensor, number: float) -> Tensor:
    """Sets `x` to a number where `mask`, of the same shape, whatever it is there."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    bits = {"float32": "int32", "float64": "int64"}.get(dtype)
    if bits and eager_torch() and x.device.type == "cpu" and not (torch_func() or _records(x)):
        # PyTorch's `where` branches at every entry, and nothing predicts a random mask: four times
        # slower than the same by bits, which have no gradient. New memory takes as long as these.
        old, filled = ops.view(x, bits), ops.cast(mask, bits).neg_()  # all bits where masked
        if number == 0 and filled.shape == x.shape:
            return ops.view(filled.bitwise_not_().bitwise_and_(old), x.dtype)
        new = int(np.array(number, dtype).view(bits))
        return ops.view(ops.bitwise_xor(old, ops.bitwise_and(filled, old ^ new)), x.dtype)
    return ops.where(mask, ops.full((), number, dtype=x.dtype), x)


def stop_gradient_where(hidden: Callable[[], Tensor], x: Tensor) -> Tensor:
    """Passes `x` on; its gradient is exactly 0 where `hidden`."""
    if _plain():  # XLA sees that both are the same
        return ops.where(hidden(), ops.stop_gradient(x), x)

    def identity(x: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        return x, lambda *_, upstream: zero_where(hidden(), upstream)

    return ops.custom_gradient(identity)(x)


def shut_where(hidden: Callable[[], Tensor], x: Tensor) -> Tensor:
    """Sets `x` to exactly 0 where `hidden`; its gradient may pass on there, or be 0."""
    if _plain():
        return zero_where(hidden(), x)

    def shut(x: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        def gradient(*_: Tensor, upstream: Tensor) -> Tensor:
            # Not zeroed here: NaN slopes of the formula would turn a 0 into NaN all the same, and
            # the gate on the other side zeroes whatever arrives there. This gate is for the
            # gradient of the gradient, which residuals need.
            return stop_gradient_where(hidden, upstream)

        return zero_where(hidden(), x), gradient

    return ops.custom_gradient(shut)(x)


def _plain() -> bool:
    """Whether `where` is the gate, which has every derivative; else a custom gradient.

    PyTorch would keep the boolean tensor for the backward pass, which is slow.
    """
    return keras.config.backend() != "torch" or torch_func()


def _records(x: Tensor) -> bool:
    """Whether PyTorch records what is done with `x`: in gradients, only for a second gradient."""
    import torch

    return bool(torch.is_grad_enabled() and x.requires_grad)
