"""Accuracies of all labels, or averaged over their columns or classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.metrics.classes import (
    average_of,
    check_columns_apart,
    ids_of_targets,
    of_targets,
    one_hot,
)
from keras_masked.metrics.columns import columns_of
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import Missing, Observation
from keras_masked.validation import CLASS_ID, ClassAverage, one_of, optional, several

Tensor = Any

AVERAGES = ("micro", "macro", "weighted", None)


class Averaged:
    """Mixin: of all labels alike, or averaged over their columns, as the option `average` says."""

    admits = {"average": one_of(*AVERAGES)}
    average: str | None

    def check_per_label(self) -> None:
        """Raises `ValueError` on options that look at more than one column."""
        check_columns_apart(False, getattr(self, "target_class_ids", None), self.average)

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError` only where columns are kept apart: all chosen ones are counted."""
        if per_label:
            self.check_per_label()


class ColumnAccuracy(Averaged, MeanMetric):
    """Base class: of columns of labels, of which each is a class."""

    admits = {"target_class_ids": optional(several(CLASS_ID))}

    def __init__(
        self,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        average: ClassAverage = "micro",
        target_class_ids: Sequence[int] | None = None,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        self.per_column = average != "micro"
        options = {"average": average, "target_class_ids": target_class_ids, **options}
        super().__init__(name, dtype, missing=missing, **options)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed of the columns that count."""
        return of_targets(super().observe(y_true, y_pred, sample_weight), self.target_class_ids)

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The average that was asked for, weighted by the numbers of labels."""
        return average_of(self.average, scores, defined, self._state.value[1])


class ClassAccuracy(ColumnAccuracy):
    """Base class: of one-hot rows or class ids, each label in the column of its own class."""

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels."""
        return super(ColumnAccuracy, self).observe(y_true, y_pred, sample_weight)

    def columns(self, seen: Observation) -> int:
        """The number of classes that count."""
        return len(self.target_class_ids or ()) or columns_of(seen, 0)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        if self.average == "micro" and self.target_class_ids is None:
            return super().collect(seen, state, per_column)
        ids = seen.y_true
        if not self.label.class_ids:
            ids = ops.cast(_backend.argmax(ids, axis=-1), "int32")
        of_class = one_hot(ids, seen.y_pred)
        match = ops.cast(self.label_values(seen), of_class.dtype)
        if seen.hidden is not None:
            hidden = seen.hidden()
            match = _backend.zero_where(hidden, match)
            spread = ops.broadcast_to(ops.expand_dims(hidden, -1), ops.shape(of_class))
            of_class = _backend.zero_where(spread, of_class)
        if seen.weight is not None:
            of_class = of_class * ops.expand_dims(seen.weight, -1)
        classes = of_class.shape[-1]
        right = ops.reshape(of_class * ops.expand_dims(match, -1), (-1, classes))
        sums = ops.stack([ops.sum(right, 0), ops.sum(ops.reshape(of_class, (-1, classes)), 0)])
        if self.target_class_ids is not None:
            sums = ops.take(sums, ids_of_targets(self.target_class_ids, classes), axis=-1)
        return ops.sum(sums, axis=-1) if self.average == "micro" else sums
