"""Counts of what lies above which threshold: the state of AUC, precision, recall and the like."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.formulas import PROBABILITY
from keras_masked.metrics.base import known, quotient
from keras_masked.metrics.columns import ColumnMetric, in_columns, occurs
from keras_masked.metrics.contingency import binary_table
from keras_masked.metrics.rows import Rows
from keras_masked.observation import Missing, Observation

Tensor = Any
Thresholds = float | Sequence[float]

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
        return quotient(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Tensor:
        """tp / (tp + fn), 0 where no label is positive."""
        return quotient(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Tensor:
        """tn / (tn + fp), 0 where no label is negative."""
        return quotient(self.tn, self.tn + self.fp)


class ThresholdMetric(ColumnMetric):
    """Base class: a function of how many positives and negatives lie above each threshold.

    Labels are binary: any but 0 is positive. A subclass passes the thresholds to this constructor
    as `edges`, in any order, says whether they are spaced `evenly`, and implements `score`.
    """

    label = PROBABILITY

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

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The counts of a batch."""
        seen = self.select(seen)
        # No threshold compares with NaN: what has diverged makes all counts NaN, where seen at all.
        unknown = ops.logical_or(_backend.isnan(seen.y_pred), _backend.isnan(seen.y_true))
        if len(self._edges) == 1:
            above = seen.y_pred > self._edges[0]  # as a number: `ops.greater` makes it float32
            positive = seen.y_true != 0.0  # not with a tensor of 0, which is slow on PyTorch
            return binary_table(positive, above, unknown, seen, per_column)
        counts = self._count_bins(seen, per_column)
        return known(counts, ops.logical_not(occurs(unknown, seen, per_column)))

    def _count_bins(self, seen: Observation, per_column: bool) -> Tensor:
        """Each label in the bin of its class and the number of thresholds exceeded."""
        size, columns = len(self._edges) + 1, 1
        positive = ops.cast(ops.not_equal(seen.y_true, 0), "int32")
        weight = self.weights(seen)
        bins = positive * size + self._exceeded(ops.nan_to_num(seen.y_pred))
        if per_column:
            bins, weight = in_columns(bins), in_columns(weight)
            columns = bins.shape[-1]
            bins = bins * columns + ops.arange(columns, dtype="int32")
        counts = _backend.segment_sum(
            ops.reshape(weight, (-1,)), ops.reshape(bins, (-1,)), num_segments=2 * size * columns
        )
        return ops.reshape(counts, (2, size, columns) if per_column else (2, size))

    def collect_rows(self, seen: Observation, state: Any, rows: Rows) -> Tensor:
        """The counts of a batch, for each of several ways to count its rows."""
        seen = self.select(seen)
        size, columns = len(self._edges) + 1, seen.y_pred.shape[-1]
        positive = ops.cast(ops.not_equal(seen.y_true, 0), "int32")
        bins = positive * size + self._exceeded(ops.nan_to_num(seen.y_pred))
        weight = seen.weight
        labels = int(np.prod(seen.y_pred.shape[1:-1]))
        unknown = ops.logical_or(_backend.isnan(seen.y_pred), _backend.isnan(seen.y_true))
        if seen.hidden is not None:
            unknown = ops.logical_and(unknown, ops.logical_not(seen.hidden()))
            if seen.weight is None:  # nothing to multiply: a bin that is thrown away will do
                bins = ops.where(seen.hidden(), ops.full_like(bins, 2 * size), bins)
        found = []
        for c in range(columns):
            of_column = ops.reshape(bins[..., c], (-1, labels))
            own = None if weight is None else ops.reshape(weight[..., c], (-1, labels))
            found.append(rows.add_up_bins(of_column, own, 2 * size + 1)[:-1])
        counts = ops.reshape(ops.stack(found, axis=1), (2, size, columns * rows.ways))
        unknown = ops.sum(ops.reshape(ops.cast(unknown, counts.dtype), (-1, labels, columns)), 1)
        diverged = ops.reshape(rows.add_up(unknown), (-1,))
        return counts + known(ops.zeros_like(diverged), ops.equal(diverged, 0))

    def select(self, seen: Observation) -> Observation:
        """The labels and predictions that are counted."""
        return seen

    def weights(self, seen: Observation) -> Tensor:
        """One weight per label."""
        return seen.weights

    def _exceeded(self, y_pred: Tensor) -> Tensor:
        """How many thresholds each prediction exceeds."""
        edges = self._edges
        if self._evenly:
            steps = _backend.clip(y_pred, 0.0, 1.0) * (len(edges) - 1)
            exceeded = _backend.ceil(steps)
            if edges[0] < 0:  # which a prediction of 0 exceeds
                exceeded = _backend.maximum(exceeded, ops.ones_like(steps))
            return ops.cast(exceeded, "int32")
        if len(edges) <= FEW:
            above = [ops.cast(y_pred > edge, "int32") for edge in edges]
            return sum(above[1:], above[0])
        tensor = ops.convert_to_tensor(self._edge_array, dtype=y_pred.dtype)
        flat = ops.searchsorted(tensor, ops.reshape(y_pred, (-1,)), side="left")
        return ops.cast(ops.reshape(flat, ops.shape(y_pred)), "int32")

    def confusion(self, state: Any) -> Confusion:
        """Counts per threshold, in the order in which thresholds were given."""
        counts = state.value
        above = ops.flip(_backend.cumsum(ops.flip(counts, axis=1), axis=1), axis=1)[:, 1:]
        below = _backend.cumsum(counts, axis=1)[:, :-1]
        if self._order is not None:
            above, below = (ops.take(x, self._order, axis=1) for x in (above, below))
        return Confusion(tp=above[1], fp=above[0], tn=below[0], fn=below[1])

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        return ops.sum(state.value, axis=(0, 1))

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed."""
        return ops.not_equal(self.support_of(state), 0)

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


class OneOrMore(ThresholdMetric):
    """Base class: one value per threshold given, or a scalar for one threshold."""

    def __init__(
        self,
        name: str | None,
        dtype: Any,
        thresholds: Thresholds | None,
        *,
        missing: Missing,
        default: float = 0.5,
        **options: Any,
    ) -> None:
        edges = [default] if thresholds is None else check_thresholds(thresholds)
        if isinstance(thresholds, Sequence):
            thresholds = tuple(edges)
        super().__init__(
            name, dtype, missing=missing, edges=edges, thresholds=thresholds, **options
        )
        self.init_thresholds = thresholds
        self.thresholds = edges  # as in Keras

    def check_per_label(self) -> None:
        """Raises `ValueError` on several thresholds: a label's value is one number."""
        if len(self.thresholds) > 1:
            raise ValueError(
                "`thresholds` must be one number where each label has a value of its own. "
                f"Received: thresholds={self.init_thresholds}"
            )

    def score(self, state: Any) -> Tensor:
        """A value per threshold, or the only one."""
        values = self.values(state)
        return values[0] if len(self.thresholds) == 1 else values

    def values(self, state: Any) -> Tensor:
        """A value per threshold."""
        raise NotImplementedError


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
