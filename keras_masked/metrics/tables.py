"""Metrics that are functions of a confusion matrix."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.metrics.classes import as_ids, check_classes, check_sparse, label_of, missing_of
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.contingency import binary_table, contingency_table
from keras_masked.observation import Missing, Observation
from keras_masked.validation import BOOLEAN, FRACTION, POSITIVE_INTEGER, optional

Tensor = Any


class TableMetric(ColumnMetric):
    """Base class: a function of how many labels of each class are predicted to be of which.

    A subclass implements `score`, and `defined` where that is more than that anything is observed.
    """

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """By label and prediction."""
        return (2, 2)

    def table(self, state: Any) -> Tensor:
        """The counts; all NaN where one is, of a prediction that could be of any class."""
        counts = state.value
        return counts + 0 * ops.sum(counts, axis=(0, 1), keepdims=True)

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed."""
        return ops.not_equal(self.support_of(state), 0)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        return ops.sum(state.value, axis=(0, 1))


class BinaryTableMetric(TableMetric):
    """Base class: of binary labels, and predictions above a threshold."""

    label = label_of(None, False)

    admits = {"threshold": FRACTION, "from_logits": BOOLEAN}

    def __init__(
        self,
        threshold: float = 0.5,
        from_logits: bool = False,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        options = {"threshold": threshold, "from_logits": from_logits, **options}
        super().__init__(name, dtype, missing=missing, **options)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The counts of a batch."""
        y_pred = ops.sigmoid(seen.y_pred) if self.from_logits else seen.y_pred
        positive = seen.y_true != 0.0  # not with a tensor of 0, which is slow on PyTorch
        unknown = ops.logical_or(_backend.isnan(y_pred), _backend.isnan(seen.y_true))
        return binary_table(positive, y_pred > self.threshold, unknown, seen, per_column)


class ClassTableMetric(BinaryTableMetric):
    """Base class: of binary labels, or with `num_classes` of one-hot rows or class ids."""

    admits = {"num_classes": optional(POSITIVE_INTEGER), "sparse_y_true": BOOLEAN}

    def __init__(
        self,
        num_classes: int | None = None,
        threshold: float = 0.5,
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        options = {"num_classes": num_classes, "sparse_y_true": sparse_y_true, **options}
        missing = missing_of(missing, sparse_y_true)
        super().__init__(threshold, from_logits, name, dtype, missing=missing, **options)
        self.label = label_of(num_classes, sparse_y_true)

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """By label and prediction."""
        return (self.classes, self.classes)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.num_classes or 2

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels."""
        check_sparse(self.num_classes, self.sparse_y_true)
        seen = super().observe(y_true, y_pred, sample_weight)
        check_classes(seen, self.num_classes)
        return seen

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The counts of a batch."""
        if self.num_classes is None:
            return super().collect(seen, state, per_column)
        seen = as_ids(seen, self.sparse_y_true)
        return contingency_table(seen, self.num_classes, self.num_classes, per_column)


@dataclasses.dataclass(frozen=True)
class Margins:
    """Of each class: what is right, and what is wrong in either way. All sums of counts.

    Attributes:
        right: Labels of the class that are predicted to be.
        missed: Labels of the class that are not.
        alarms: Labels of another class that are predicted to be of this one.
        rest: Labels that are neither.
    """

    right: Tensor
    missed: Tensor
    alarms: Tensor
    rest: Tensor

    @property
    def labels(self) -> Tensor:
        """Labels of the class."""
        return self.right + self.missed

    @property
    def predicted(self) -> Tensor:
        """Labels predicted to be of the class."""
        return self.right + self.alarms


def margins(table: Tensor) -> Margins:
    """The counts of each class, without differences of large numbers."""
    columns = (1,) * (len(table.shape) - 2)
    size = table.shape[0]
    same = ops.reshape(ops.eye(size, dtype=table.dtype), (size, size, *columns))
    off = table * (1 - same)
    missed, alarms = ops.sum(off, axis=1), ops.sum(off, axis=0)
    right = ops.sum(table * same, axis=1)
    others = ops.sum(ops.expand_dims(right + missed, 1) * (1 - same), axis=0)
    return Margins(right, missed, alarms, others - alarms)
