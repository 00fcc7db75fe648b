"""Sums that do not saturate: float32 alone stays at 3e7 however many ones are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any


class Accumulator:
    """A running sum in two variables of a metric: the sum, and what its rounding left out.

    Knuth's two-sum gives the rounding error of an addition exactly. Both variables are plain
    sums, so that they also add over replicas.

    Args:
        metric: The metric that owns the variables.
        shape: Shape of the sum.
        name: Name of the variable that holds the sum.
    """

    def __init__(self, metric: keras.metrics.Metric, shape: Sequence[int], name: str) -> None:
        dtype = "float64" if metric.dtype == "float64" else "float32"
        shape = tuple(shape)
        self.sum = metric.add_variable(shape, "zeros", dtype=dtype, name=name)
        self.rest = metric.add_variable(shape, "zeros", dtype=dtype, name=f"{name}_rest")

    def add(self, value: Tensor) -> None:
        """Adds a tensor of the accumulator's shape."""
        old = ops.convert_to_tensor(self.sum)
        value = ops.cast(value, old.dtype)
        new = old + value
        grown = new - old
        error = (old - (new - grown)) + (value - grown)
        # Infinity minus infinity: keep the sum infinite, as a plain one would be.
        error = ops.where(ops.isfinite(error), error, ops.zeros_like(error))
        self.sum.assign(new)
        self.rest.assign(self.rest + error)

    def reset(self) -> None:
        """Sets the sum to 0."""
        for variable in (self.sum, self.rest):
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    @property
    def value(self) -> Tensor:
        """The sum so far."""
        return ops.convert_to_tensor(self.sum) + ops.convert_to_tensor(self.rest)
