"""Counts of what lies above which threshold: the state of AUC, precision, recall and the like."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked.metrics.base import weights
from keras_masked.metrics.columns import ColumnMetric, in_columns, total
from keras_masked.missing import Missing
from keras_masked.observation import Observation

Tensor = Any

FEW = 8
"""So many thresholds are compared with one by one; more are searched."""


@dataclasses.dataclass(frozen=True)
class Confusion:
    """True and false positives and negatives, at each threshold."""

    tp: Tensor
    fp: Tensor
    tn: Tensor
    fn: Tensor

    @property
    def precision(self) -> Tensor:
        """tp / (tp + fp), 0 where nothing is predicted to be positive."""
        return ops.divide_no_nan(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Tensor:
        """tp / (tp + fn), 0 where no label is positive."""
        return ops.divide_no_nan(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Tensor:
        """tn / (tn + fp), 0 where no label is negative."""
        return ops.divide_no_nan(self.tn, self.tn + self.fp)


class ThresholdMetric(ColumnMetric):
    """Base class: a function of how many positives and negatives lie above each threshold.

    Labels are binary: any but 0 is positive. A subclass passes `thresholds` to this constructor,
    in any order, and implements `score`.
    """

    def __init__(
        self,
        name: str | None,
        dtype: Any,
        *,
        missing: Missing,
        edges: Sequence[float],
        evenly: bool = False,
        **options: Any,
    ) -> None:
        order = np.argsort(edges, kind="stable")
        self._edges = [float(edges[i]) for i in order]
        # An array: PyTorch takes a hundred times longer to convert a list of 2,000 numbers.
        self._edge_array = np.array(self._edges)
        ranks = np.argsort(order)
        self._order = None if (ranks == np.arange(len(ranks))).all() else ranks
        self._evenly = evenly
        super().__init__(name, dtype, missing=missing, **options)

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """How many negatives and positives lie above exactly k thresholds, k = 0 ... n."""
        return (2, len(self._edges) + 1)

    def collect(self, seen: Observation, state: Any, apart: bool) -> Tensor:
        """The counts of a batch."""
        seen = self.select(seen)
        weight = self.weights(seen)
        # No threshold compares with NaN: count it as NaN, where it is seen at all.
        unknown = ops.logical_or(ops.isnan(seen.y_pred), ops.isnan(seen.y_true))
        unknown = ops.logical_and(unknown, ops.not_equal(weight, 0))
        weight = ops.where(unknown, ops.full_like(weight, float("nan")), weight)
        positive = ops.cast(ops.not_equal(seen.y_true, 0), "int32")
        size = len(self._edges) + 1
        bins = positive * size + self._exceeded(seen.y_pred)
        if size == 2:  # a scatter would be slower
            zeros = ops.zeros_like(weight)
            sums = [total(ops.where(ops.equal(bins, k), weight, zeros), apart) for k in range(4)]
            return ops.reshape(ops.stack(sums), (2, 2, *sums[0].shape))
        columns = 1
        if apart:
            bins, weight = in_columns(bins), in_columns(weight)
            columns = bins.shape[-1]
            bins = bins * columns + ops.arange(columns, dtype="int32")
        counts = ops.segment_sum(
            ops.reshape(weight, (-1,)), ops.reshape(bins, (-1,)), num_segments=2 * size * columns
        )
        return ops.reshape(counts, (2, size, columns) if apart else (2, size))

    def select(self, seen: Observation) -> Observation:
        """The labels and predictions that are counted."""
        return seen

    def weights(self, seen: Observation) -> Tensor:
        """One weight per label."""
        return weights(seen)

    def _exceeded(self, y_pred: Tensor) -> Tensor:
        """How many thresholds each prediction exceeds."""
        edges = self._edges
        if self._evenly:
            steps = ops.clip(y_pred, 0.0, 1.0) * (len(edges) - 1)
            # The first edge lies below 0, where that is what it takes to count a prediction of 0.
            least = ops.ones_like(steps) if edges[0] < 0 else ops.zeros_like(steps)
            exceeded = ops.maximum(ops.ceil(steps), least)
            # NaN becomes some integer here; its weight is NaN.
            return ops.cast(ops.where(ops.isnan(steps), least, exceeded), "int32")
        if len(edges) <= FEW:
            above = [ops.cast(ops.greater(y_pred, edge), "int32") for edge in edges]
            return sum(above[1:], above[0])
        tensor = ops.convert_to_tensor(self._edge_array, dtype=y_pred.dtype)
        finite = ops.where(ops.isnan(y_pred), ops.zeros_like(y_pred), y_pred)
        flat = ops.searchsorted(tensor, ops.reshape(finite, (-1,)), side="left")
        return ops.cast(ops.reshape(flat, ops.shape(y_pred)), "int32")

    def confusion(self, state: Any) -> Confusion:
        """Counts per threshold, in the order in which thresholds were given."""
        counts = state.value
        above = ops.flip(ops.cumsum(ops.flip(counts, axis=1), axis=1), axis=1)[:, 1:]
        below = ops.cumsum(counts, axis=1)[:, :-1]
        if self._order is not None:
            above, below = (ops.take(x, self._order, axis=1) for x in (above, below))
        # What has diverged is counted once, as NaN, but could belong anywhere.
        unknown = ops.zeros_like(above) * ops.sum(counts, axis=(0, 1))
        above, below = above + unknown, below + unknown
        return Confusion(tp=above[1], fp=above[0], tn=below[0], fn=below[1])

    def weigh(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        return ops.sum(state.value, axis=(0, 1))

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed."""
        return ops.not_equal(self.weigh(state), 0)

    def has_positives(self, state: Any) -> Tensor:
        """Whether positive labels are observed."""
        return ops.not_equal(ops.sum(state.value[1], axis=0), 0)

    def has_negatives(self, state: Any) -> Tensor:
        """Whether negative labels are observed."""
        return ops.not_equal(ops.sum(state.value[0], axis=0), 0)

    def _count(self, name: str) -> Tensor:
        return getattr(self.confusion(self._state), name)

    @property
    def true_positives(self) -> Tensor:
        """True positives at each threshold."""
        return self._count("tp")

    @property
    def false_positives(self) -> Tensor:
        """False positives at each threshold."""
        return self._count("fp")

    @property
    def true_negatives(self) -> Tensor:
        """True negatives at each threshold."""
        return self._count("tn")

    @property
    def false_negatives(self) -> Tensor:
        """False negatives at each threshold."""
        return self._count("fn")


def check_thresholds(thresholds: Any) -> list[float]:
    """Thresholds as a list of numbers in [0, 1]."""
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    invalid = [t for t in found if t is None or not 0 <= t <= 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return [float(t) for t in found]


def even_thresholds(num_thresholds: int) -> list[float]:
    """Keras's thresholds from 0 to 1."""
    inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
    return [0.0, *inner, 1.0]
