"""Two gates around a formula, through which nothing of a hidden label passes.

The formula runs on whatever stands there, NaN and infinities included, and both of its ends are
shut: on the way in, the prediction passes unchanged and its gradient is set to exactly 0 where
hidden; on the way out, the loss is set to 0 where hidden and its gradient passes unchanged.
Replacing the inputs (the "double `where`") has the same effect and needs no custom gradient, but
costs up to twice as much, and needs for each formula a value at which it and its slope are finite.

Where the formula is one of the residual y - p alone, with value and slope 0 at 0, the residual is
set to 0 instead, and nothing else: that slope does what the gate on the way in would. It is 0
times the upstream gradient, so that one which is not finite arrives at hidden predictions as NaN.

The price: NaNs may exist inside a computation whose result has none (`jax_debug_nans` and
PyTorch's anomaly mode will point at them), and no forward-mode derivative (`jax.jvp`). Formulas of
others, and those that look at more than one label at a time, get their inputs replaced instead.

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
    """Sets `losses` to 0 where `hidden`; the gradient passes on as it is."""
    if hidden is None:
        return losses

    def shut(losses: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        def gradient(*args: Tensor, upstream: Tensor | None = None) -> Tensor:
            # Not zeroed here: NaN slopes of the formula would turn a 0 into NaN all the same.
            # `gate_input` stands on the other side and zeroes whatever arrives there, which for
            # residuals only the gradient of this gradient needs.
            return gate_input(args[0] if upstream is None else upstream, hidden)

        return _backend.zero_where(_expand(hidden(), losses), losses), gradient

    return ops.custom_gradient(shut)(losses)


def replace(x: Tensor, hidden: Hidden | None, value: Any) -> Tensor:
    """Replaces what is hidden by a number, or by a vector where a label is one."""
    if hidden is None:
        return x
    value = ops.convert_to_tensor(value, dtype=x.dtype)
    return ops.where(_expand(hidden(), x), value, x)


def _expand(condition: Tensor, x: Tensor) -> Tensor:
    trailing = len(x.shape) - len(condition.shape)
    if trailing > 0:  # a label is a whole vector of entries
        condition = ops.expand_dims(condition, axis=tuple(range(-trailing, 0)))
    return condition
