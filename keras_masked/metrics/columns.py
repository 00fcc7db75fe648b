"""Metrics that are functions of sums over labels, of all labels together or of each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.metrics.base import MaskedMetric, known
from keras_masked.metrics.rows import Rows, rows_as_columns
from keras_masked.observation import Missing, Observation

Tensor = Any


class ColumnMetric(MaskedMetric):
    """Base class: a metric that is a function of sums over labels.

    The sums are those of all labels together, or of each column of labels (the last of their
    axes, see `Observation.in_columns`) apart; one pass then serves all columns. A metric that
    needs them apart itself sets `per_column`; `PerLabel` keeps them apart for any.

    A subclass implements `sums_shape`, `collect`, `score`, `defined` and `weigh`.
    """

    per_column = False
    """Whether the metric itself keeps columns apart."""

    def __init__(
        self,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        super().__init__(name, dtype, missing=missing, **options)
        self._state: Any = None
        self._columns: int | None = None
        if not self.per_column:
            self._create_state(None)

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Shape of the sums over one column."""
        raise NotImplementedError

    def columns(self, seen: Observation) -> int:
        """How many columns the sums over a batch have."""
        return columns_of(seen, self.label.axes)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch: of `sums_shape`, with one more axis if `per_column`."""
        raise NotImplementedError

    def score(self, state: Any) -> Tensor:
        """The value of the metric, or one per column; anything where it is undefined."""
        raise NotImplementedError

    def defined(self, state: Any) -> Tensor:
        """Whether the labels observed define the value, also if predictions have diverged."""
        raise NotImplementedError

    def support_of(self, state: Any) -> Tensor:
        """The support, or one per column."""
        raise NotImplementedError

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """One value from those of the columns that the metric itself keeps apart."""
        return scores

    def scores(self, state: Any) -> tuple[Tensor, Tensor]:
        """The value of the metric, or one per column, NaN where undefined; and where defined."""
        defined = self.defined(state)
        return known(self.score(state), defined), defined

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Any:
        """Creates accumulators in the state of `owner`."""
        shape = self.sums_shape if columns is None else (*self.sums_shape, columns)
        return owner.accumulator(shape)

    def check_per_label(self) -> None:
        """Raises `ValueError` if the options make no sense for one column."""

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError` if a row is more than its labels, and cannot be counted by itself.

        What makes no sense for one column mostly is no sum over the labels of rows either.
        """
        self.check_per_label()

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns that the metric itself keeps apart."""
        return False

    def collect_rows(self, seen: Observation, state: Any, rows: Rows) -> Any:
        """The sums over a batch for each of several ways to count its rows.

        Args:
            seen: Labels with columns on their last axis.
            state: A state of `columns * rows.ways` columns, which adds what is returned.
            rows: How rows count.
        """
        if hasattr(state, "counting"):
            return self.collect(seen, state.counting(rows), True)
        # Sums are linear in what rows count: each row by itself first, as if it were a column.
        columns = columns_of(seen, self.label.axes)
        each = self.collect(rows_as_columns(seen, self.label.axes), state, True)
        sums = tuple(each.shape[:-1])
        each = ops.reshape(each, (*sums, -1, columns))
        each = ops.moveaxis(each, -2, 0)  # (rows, *sums, columns)
        size = int(np.prod(sums)) * columns
        found = rows.add_up(ops.reshape(each, (-1, size)))
        return ops.reshape(found, (*sums, columns * rows.ways))

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self.observe(y_true, y_pred, sample_weight)
        if self.per_column:
            seen = seen.in_columns()
            self._set_columns(self.columns(seen))
        self._state.add(self.collect(seen, self._state, self.per_column))

    def result(self) -> Tensor:
        """Returns the value over everything observed so far, NaN where it is undefined."""
        if self._state is None:
            return ops.convert_to_tensor(float("nan"), dtype=self.dtype)
        return ops.cast(self._value(), self.dtype)

    def _value(self) -> Tensor:
        scores, defined = self.scores(self._state)
        return self.aggregate(scores, defined) if self.per_column else scores

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return ops.zeros((1,)) if self._state is None else self.support_of(self._state)

    def is_defined(self) -> Tensor:
        """Whether the labels observed define the result, or that of any column."""
        none = ops.zeros((), dtype="bool")
        return none if self._state is None else ops.any(self.scores(self._state)[1])

    def _set_columns(self, columns: int) -> None:
        if self._columns not in (None, columns) and self._can_start_anew():
            _backend.forget(self, self.variables)
            self._accumulators.clear()
            self._state = None
        if self._columns not in (None, columns) and self._state is not None:
            raise ValueError(
                "`y_true` must have the same number of columns in every batch. "
                f"Received: {columns} columns after {self._columns}. After `reset_state()`, a "
                "metric takes another number, but not in compiled graphs, whose variables are as "
                "they were: compile the model again, with a new metric."
            )
        self._create_state(columns)

    def _can_start_anew(self) -> bool:
        """Whether nothing has been seen since a reset, so that columns may be others."""
        return _backend.unused(self.variables)

    def _create_state(self, shape: int | None) -> None:
        if self._state is None and (shape is not None or not self.per_column):
            self._columns = shape
            self._state = self.new_state(self, shape)

    def _shape_of_state(self) -> int | None:
        return self._columns

    def _match(self, metric: ColumnMetric) -> None:
        if metric._columns is not None:
            self._set_columns(metric._columns)


def columns_of(seen: Observation, label_axes: int) -> int:
    """How many columns labels `in_columns` have: the size of the last of two or more axes."""
    shape = tuple(seen.y_pred.shape)[: len(seen.y_pred.shape) - label_axes]
    return shape[-1] if len(shape) > 1 else 1


def total(x: Tensor, per_column: bool) -> Tensor:
    """The sum over all labels, or over those of each column."""
    return ops.sum(in_columns(x), axis=0) if per_column else _backend.add_up(x)


def tally(mask: Tensor, seen: Observation, per_column: bool) -> Tensor:
    """The sum of the weights of observed labels where `mask`, as `total`."""
    return tallies([mask], seen, None, per_column)[0]


def tallies(
    masks: Sequence[Tensor | None], seen: Observation, unknown: Tensor | None, per_column: bool
) -> list[Tensor]:
    """The sums of the weights of observed labels where each mask, in one pass.

    Args:
        masks: Boolean tensors; `None` for all labels.
        seen: What is observed.
        unknown: A boolean tensor of which is counted, last, for how many observed labels it is
            true, whatever their weights add up to; or `None`.
        per_column: Whether to count the labels of each column apart.
    """
    dtype = seen.y_pred.dtype
    # Not of the shape of predictions, which have several numbers for a label of several.
    like = next((mask for mask in (*masks, unknown) if mask is not None), seen.y_pred)
    counted = counted_of(like, seen)
    if seen.weight is None:
        parts = [counted if mask is None else ops.logical_and(counted, mask) for mask in masks]
    else:
        kinds = [mask if mask is None else ops.cast(mask, dtype) for mask in masks]
        parts = [counted if kind is None else counted * kind for kind in kinds]
    if unknown is not None:
        hidden = seen.hidden
        parts.append(
            unknown if hidden is None else ops.logical_and(unknown, ops.logical_not(hidden()))
        )
    return [ops.cast(x, dtype) for x in totals(parts, per_column)]


def counted_of(values: Tensor, seen: Observation) -> Tensor:
    """What sums to the weight of the observed labels, each of which has one of the values."""
    if seen.weight is not None:
        return seen.weight
    return ops.ones_like(values, dtype="bool") if seen.observed is None else seen.observed


def totals(parts: Sequence[Tensor], per_column: bool, light: bool = False) -> list[Tensor]:
    """The sums over all labels, or over those of each column; of booleans, counts."""
    if per_column:
        return _backend.totals([in_columns(x) for x in parts], 0, light)
    return _backend.totals(parts, None, light)


def count(mask: Tensor, per_column: bool) -> Tensor:
    """How many labels there are where `mask`, as `total`."""
    return _backend.count_columns(in_columns(mask)) if per_column else _backend.count(mask)


def occurs(mask: Tensor, seen: Observation, per_column: bool) -> Tensor:
    """Whether it is so for any observed label, whatever their weights add up to."""
    if seen.hidden is not None:
        mask = ops.logical_and(mask, ops.logical_not(seen.hidden()))
    return ops.not_equal(count(mask, per_column), 0)


def in_columns(x: Tensor) -> Tensor:
    """Labels as rows and columns."""
    if len(x.shape) == 2:
        return x
    return ops.reshape(x, (-1, x.shape[-1] if len(x.shape) > 1 else 1))
