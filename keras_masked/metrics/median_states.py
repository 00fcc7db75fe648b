"""What medians are of: values counted in bins, or kept one by one."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.metrics.base import MaskedMetric, known
from keras_masked.metrics.median_values import BINS, bins_of, values_of_bins, weighted_median

Tensor = Any


def check_replicas(capacity: int | None) -> None:
    """Raises `ValueError` where values would be kept of a replica's part of a batch."""
    if capacity is not None and _backend.replicated():
        raise ValueError(
            "With `capacity`, values are kept one by one, which do not add over replicas. Use "
            "`capacity=None` there, or `merge_state` on metrics that saw one part each. "
            f"Received: capacity={capacity}"
        )


class Bins(Accumulator):
    """The weight of the values in each bin, of each column."""

    def __init__(self, metric: MaskedMetric, signed: bool, columns: int | None) -> None:
        self.signed = signed
        self.size = 2 * BINS if signed else BINS
        super().__init__(metric, (self.size,) if columns is None else (self.size, columns))

    def collect(self, values: Tensor, weights: Tensor) -> Tensor:
        """The weights of a batch."""
        columns = 1 if len(self.shape) == 1 else self.shape[1]
        bins = bins_of(values, self.signed)
        if columns > 1:
            bins = bins * columns + ops.arange(columns, dtype="int32")
        bins, weights = ops.reshape(bins, (-1,)), ops.reshape(weights, (-1,))
        sums = _backend.segment_sum(weights, bins, num_segments=self.size * columns)
        return ops.reshape(sums, self.shape)

    @property
    def values(self) -> Tensor:
        """The value of each bin, of each column."""
        values = ops.cast(values_of_bins(self.signed), self.variables[0].dtype)
        values = ops.reshape(values, (-1,) + (1,) * (len(self.shape) - 1))
        return ops.broadcast_to(values, self.shape)

    @property
    def median(self) -> Tensor:
        """The median, or one per column."""
        return weighted_median(self.values, self.value)

    @property
    def weight(self) -> Tensor:
        """The sum of weights."""
        return ops.sum(self.value, axis=0)


class Slots:
    """Values of labels and their weights, of as many as there are slots, of each column.

    Args:
        metric: The metric that owns the variables.
        capacity: Number of slots.
        columns: Number of columns, or `None` for all labels in one.
        kept: How many values each label has.
    """

    def __init__(
        self, metric: MaskedMetric, capacity: int, columns: int | None, kept: int = 1
    ) -> None:
        self.capacity = capacity
        self._columns = () if columns is None else (columns,)
        self._weight = Accumulator(metric, self._columns)
        dtype = self._weight.variables[0].dtype
        shape = (kept + 1, capacity, *self._columns)
        self._slots = metric.add_variable(shape, "zeros", dtype=dtype, name="slots")
        # Of labels, also of those that do not fit. In floats: TensorFlow keeps int32 off the GPU.
        self._count = metric.add_variable(self._columns, "zeros", dtype=dtype, name="count")

    def collect(self, *values_and_weights: Tensor) -> Tensor:
        """The values and weights of a batch."""
        return ops.stack(values_and_weights)

    def add(self, batch: Tensor) -> None:
        """Adds values and weights."""
        batch = ops.cast(batch, self._slots.dtype)
        labels = ops.sum(ops.cast(ops.not_equal(batch[-1], 0), "int32"), axis=0)
        self._append(batch, labels)
        self._weight.add(ops.sum(batch[-1], axis=0))

    def merge(self, other: Slots) -> None:
        """Adds the values of another part of the data."""
        self._append(ops.convert_to_tensor(other._slots), ops.convert_to_tensor(other._count))
        self._weight.merge(other._weight)

    def _append(self, batch: Tensor, labels: Tensor) -> None:
        """Puts what has a weight into the next slots, while there are any."""
        columns = self._columns[0] if self._columns else 1
        count = ops.convert_to_tensor(self._count)
        given = ops.not_equal(batch[-1], 0)
        slot = ops.cast(count, "int32") + _backend.cumsum(ops.cast(given, "int32"), axis=0) - 1
        fits = ops.logical_and(given, slot < self.capacity)
        slot = ops.where(fits, slot, ops.full_like(slot, self.capacity))  # one more, thrown away
        if columns > 1:
            slot = slot * columns + ops.arange(columns, dtype="int32")
        slot, size = ops.reshape(slot, (-1,)), (self.capacity + 1) * columns

        def place(x: Tensor) -> Tensor:
            placed = _backend.segment_sum(ops.reshape(x, (-1,)), slot, num_segments=size)
            return ops.reshape(placed, (self.capacity + 1, *self._columns))[: self.capacity]

        # Each slot is written once and 0 before, so that a sum is what is written.
        placed = ops.stack([place(batch[i]) for i in range(batch.shape[0])])
        self._slots.assign(self._slots + placed)
        self._count.assign(count + ops.cast(labels, count.dtype))

    @property
    def contents(self) -> Tensor:
        """Values and, last, weights: 0 in slots that are free."""
        return ops.convert_to_tensor(self._slots)

    @property
    def all_fit(self) -> Tensor:
        """Whether all labels have found a slot."""
        return ops.convert_to_tensor(self._count) <= self.capacity

    @property
    def ordered(self) -> tuple[Tensor, Tensor]:
        """The values in their order, and their weights."""
        slots = self.contents
        order = ops.argsort(slots[0], axis=0)
        values, weights = (ops.take_along_axis(slots[i], order, axis=0) for i in range(2))
        return values, weights

    def if_all_fit(self, result: Tensor) -> Tensor:
        """What has been made of the values, NaN where not all of them have fitted."""
        return known(result, self.all_fit)

    @property
    def median(self) -> Tensor:
        """The median, or one per column; NaN where not all values have fitted."""
        return self.if_all_fit(weighted_median(*self.ordered))

    @property
    def weight(self) -> Tensor:
        """The sum of weights."""
        return self._weight.value
