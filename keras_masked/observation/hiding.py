"""Two gates around a formula, through which nothing of a hidden label passes.

The formula runs on whatever stands there, NaN and infinities included, and both of its ends are
shut: on the way in, the prediction passes unchanged and its gradient is set to exactly 0 where
hidden; on the way out, the loss is set to 0 where hidden. Where XLA compiles, both gates are a
plain `where`, and so have every derivative, forwards and backwards, and may stand in any
transformation. On PyTorch they are custom gradients, which do not keep a boolean tensor for the
backward pass (several times slower), except under `torch.func`, where they are plain, too.
Replacing the inputs (the "double `where`") has the same effect, but costs up to twice as much, and
needs for each formula a value at which it and its slope are finite.

Where the formula is one of the residual y - p alone, with value and slope 0 at 0, the residual is
set to 0 instead, and nothing else. On PyTorch that slope does what the gate on the way in would: it
is 0 times the upstream gradient, so that one which is not finite arrives at hidden predictions as
NaN there.

The price: NaNs may exist inside a computation whose result has none (`jax_debug_nans` and
PyTorch's anomaly mode will point at them). Formulas of others, and those that look at more than one
label at a time, get their inputs replaced instead.

`hidden` is a function that returns the boolean tensor, since it is needed forwards and backwards:
it is derived from what is observed each time, rather than kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


Hidden = Callable[[], Tensor]


def gate_input(x: Tensor, hidden: Hidden | None) -> Tensor:
    """Passes `x` on; its gradient is exactly 0 where `hidden`."""
    if hidden is None:
        return x

    return _backend.stop_gradient_where(lambda: _expand(hidden(), x), x)


def gate_output(losses: Tensor, hidden: Hidden | None) -> Tensor:
    """Sets `losses` to 0 where `hidden`; their gradient there is 0 or passes on as it is."""
    if hidden is None:
        return losses

    return _backend.shut_where(lambda: _expand(hidden(), losses), losses)


def replace(x: Tensor, hidden: Hidden | None, value: Any) -> Tensor:
    """Replaces what is hidden by a number, or by a vector where a label is one."""
    if hidden is None:
        return x
    if isinstance(value, float):
        return _backend.set_where(_expand(hidden(), x), x, value)
    value = ops.convert_to_tensor(value, dtype=x.dtype)
    return ops.where(_expand(hidden(), x), value, x)


def _expand(condition: Tensor, x: Tensor) -> Tensor:
    trailing = len(x.shape) - len(condition.shape)
    if trailing > 0:  # a label is a whole vector of entries
        condition = ops.expand_dims(condition, axis=tuple(range(-trailing, 0)))
    return condition
