"""Sums that do not saturate: float32 alone stays at 3e7 however many ones are added."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend

Tensor = Any


def sums_dtype(metric: keras.metrics.Metric) -> str:
    """The dtype in which a metric counts: float32 or better."""
    return "float64" if metric.dtype == "float64" else "float32"


class Accumulator:
    """Running sums in two variables of a metric: the sums, and what their rounding left out.

    `two_sum` gives the rounding error of an addition exactly. Both variables are plain sums, so
    that they also add over replicas.

    Args:
        metric: The metric that owns the variables.
        shape: Shape of the sums.
    """

    def __init__(self, metric: keras.metrics.Metric, shape: tuple[int, ...]) -> None:
        dtype = sums_dtype(metric)
        self.shape = tuple(shape)
        self._sum = metric.add_variable(self.shape, "zeros", dtype=dtype, name="sum")
        self._rest = metric.add_variable(self.shape, "zeros", dtype=dtype, name="rest")

    @property
    def variables(self) -> list[Any]:
        """The variables that hold the sums."""
        return [self._sum, self._rest]

    def add(self, value: Tensor) -> None:
        """Adds a tensor of the accumulator's shape."""
        old = ops.convert_to_tensor(self._sum)
        new, left_out = _backend.two_sum(old, ops.cast(value, old.dtype))
        self._rest.assign(self._rest + left_out)
        self._sum.assign(new)

    def merge(self, other: Accumulator) -> None:
        """Adds the sums of another accumulator of the same shape."""
        self.add(ops.convert_to_tensor(other._sum))
        self.add(other._left_out)

    def reset(self) -> None:
        """Sets the sums to 0."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    @property
    def value(self) -> Tensor:
        """The sums so far."""
        return ops.convert_to_tensor(self._sum) + self._left_out

    @property
    def _left_out(self) -> Tensor:
        """What rounding left out: NaN, infinity minus infinity, of an infinite sum."""
        rest = ops.convert_to_tensor(self._rest)
        return ops.where(ops.isnan(rest), ops.zeros_like(rest), rest)


class Sums(Accumulator):
    """Running sums in one variable, of which rounding may take some: for replicates.

    There are thousands of them, each pass over which takes time, and they need no more digits.
    """

    def __init__(self, metric: keras.metrics.Metric, shape: tuple[int, ...]) -> None:
        self.shape = tuple(shape)
        self._sum = metric.add_variable(self.shape, "zeros", dtype=sums_dtype(metric), name="sum")

    @property
    def variables(self) -> list[Any]:
        """The variable that holds the sums."""
        return [self._sum]

    def add(self, value: Tensor) -> None:
        """Adds a tensor of the accumulator's shape."""
        self._sum.assign(self._sum + ops.cast(value, self._sum.dtype))

    def merge(self, other: Accumulator) -> None:
        """Adds the sums of another accumulator of the same shape."""
        self.add(other.value)

    @property
    def value(self) -> Tensor:
        """The sums so far."""
        return ops.convert_to_tensor(self._sum)
