"""What a pinball loss is compared with: that of the best constant, of labels seen in batches."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.quantiles import pinball
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.metrics.base import MaskedMetric
from keras_masked.metrics.columns import in_columns
from keras_masked.metrics.median_states import Bins, Slots, check_replicas
from keras_masked.metrics.median_values import bins_of, values_of_bins, weighted_quantile
from keras_masked.observation import Observation

Tensor = Any


class PinballSums:
    """The pinball losses of predictions, and the labels whose quantile has the least, of columns.

    Args:
        metric: The metric that owns the variables.
        quantile: The quantile.
        capacity: How many labels of each column to keep; `None` to count them in bins.
        columns: Number of columns, or `None` for all labels in one.
    """

    def __init__(
        self, metric: MaskedMetric, quantile: float, capacity: int | None, columns: int | None
    ) -> None:
        self._quantile = quantile
        self._capacity = capacity
        self._columns = columns
        self._loss = Accumulator(metric, () if columns is None else (columns,))
        if capacity is None:
            self._labels: Any = OffsetBins(metric, columns)
        else:
            self._labels = KeptLabels(metric, capacity, columns)

    def collect(self, seen: Observation) -> tuple[Tensor, Any]:
        """The losses and the labels of a batch."""
        check_replicas(self._capacity)

        def arrange(x: Tensor) -> Tensor:
            return ops.reshape(x, (-1,)) if self._columns is None else in_columns(x)

        y_true, y_pred, weights = map(arrange, (seen.y_true, seen.y_pred, seen.weights))
        hidden = ops.equal(weights, 0)
        losses = pinball(y_true, y_pred, quantiles=self._quantile)
        losses = ops.sum(_backend.zero_where(hidden, losses) * weights, axis=0)
        y_true = _backend.zero_where(hidden, y_true)
        return losses, self._labels.collect(y_true, weights)

    def add(self, batch: tuple[Tensor, Any]) -> None:
        """Adds a batch."""
        self._loss.add(batch[0])
        self._labels.add(batch[1])

    def merge(self, other: PinballSums) -> None:
        """Adds the sums of another part of the data."""
        self._loss.merge(other._loss)
        self._labels.merge(other._labels)

    @property
    def loss(self) -> Tensor:
        """The weighted sum of the losses of the predictions."""
        return self._loss.value

    @property
    def least(self) -> Tensor:
        """The least that the weighted sum is for any constant."""
        return self._labels.least(self._quantile)

    @property
    def weight(self) -> Tensor:
        """The sum of weights."""
        return self._labels.weight


class KeptLabels(Slots):
    """Labels with their weights."""

    def least(self, quantile: float) -> Tensor:
        """The least pinball loss of any constant; NaN where not all labels have fitted."""
        values, weights = self.ordered
        best, _ = weighted_quantile(values, weights, quantile)
        best = ops.where(ops.equal(self.weight, 0), ops.zeros_like(best), best)
        return self.if_all_fit(ops.sum(weights * pinball(values, best, quantiles=quantile), axis=0))


class OffsetBins:
    """The weight of the labels in each bin, and the weighted sum of their offsets from its value.

    With the offsets, what labels of other bins lose by a constant is exact.
    """

    def __init__(self, metric: MaskedMetric, columns: int | None) -> None:
        self._weights = Bins(metric, True, columns)
        self._offsets = Bins(metric, True, columns)

    def collect(self, values: Tensor, weights: Tensor) -> Tensor:
        """The sums of a batch."""
        centers = ops.take(ops.cast(values_of_bins(True), values.dtype), bins_of(values, True))
        offsets = values - centers
        offsets = ops.where(ops.isfinite(offsets), offsets, ops.zeros_like(offsets))
        return ops.stack([
            self._weights.collect(values, weights),
            self._offsets.collect(values, weights * offsets),
        ])  # fmt: skip

    def add(self, batch: Tensor) -> None:
        """Adds a batch."""
        self._weights.add(batch[0])
        self._offsets.add(batch[1])

    def merge(self, other: OffsetBins) -> None:
        """Adds the labels of another part of the data."""
        self._weights.merge(other._weights)
        self._offsets.merge(other._offsets)

    def least(self, quantile: float) -> Tensor:
        """The least pinball loss of any constant, as if the labels of its bin were equal."""
        weights, offsets = self._weights.value, self._offsets.value
        counted = ops.not_equal(weights, 0)
        values = self._weights.values
        zeros = ops.zeros_like(weights)
        best, _ = weighted_quantile(values, weights, quantile)
        here = ops.logical_and(counted, ops.equal(values, best))
        offset = ops.sum(ops.where(here, offsets, zeros), axis=0)
        weight = ops.sum(ops.where(here, weights, zeros), axis=0)
        best = ops.where(ops.equal(weight, 0), ops.zeros_like(best), best)
        away = values - best - offset / ops.where(ops.equal(weight, 0), 1.0, weight)
        above = ops.where(here, zeros, weights * away + offsets)
        above = ops.where(counted, above, zeros)  # bins beyond infinity stand for NaN
        return ops.sum(pinball(above, zeros, quantiles=quantile), axis=0)

    @property
    def weight(self) -> Tensor:
        """The sum of weights."""
        return self._weights.weight
