"""Metrics of lists of items, on the last axis: the mean of a value of each list."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.base import ratio
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.observation import Observation

Tensor = Any

LOWEST = -3.0e38
"""No observed item is scored lower, so that what is hidden comes last."""


@dataclasses.dataclass(frozen=True)
class Lists:
    """Items along the last axis, those that are hidden behind all others.

    Attributes:
        labels: What is known of each item; 0 where hidden.
        scores: What it is ordered by, from the greatest on.
        weights: Its weight, 0 where hidden.
        shown: 1 where it is not hidden, else 0.
        diverged: Of each list, whether an item that is not hidden has a NaN.
    """

    labels: Tensor
    scores: Tensor
    weights: Tensor
    shown: Tensor
    diverged: Tensor

    @property
    def mean_weight(self) -> Tensor:
        """The mean weight of each list's items, 0 without any."""
        count = ops.sum(self.shown, axis=-1)
        return ops.sum(self.weights, axis=-1) / ops.where(
            ops.equal(count, 0), ops.ones_like(count), count
        )

    @property
    def any_shown(self) -> Tensor:
        """Of each list, whether it has any item."""
        return ops.not_equal(ops.sum(self.shown, axis=-1), 0)


def ordered_lists(seen: Observation) -> Lists:
    """Each list in the order of its scores; items of one score as they stand in the list."""
    labels, scores, weights = seen.y_true, seen.y_pred, seen.weights
    unknown = ops.logical_or(_backend.isnan(scores), _backend.isnan(labels))
    shown = ops.ones_like(scores)
    if seen.hidden is not None:
        hidden = seen.hidden()
        shown = ops.cast(ops.logical_not(hidden), scores.dtype)
        unknown = ops.logical_and(unknown, ops.logical_not(hidden))
        labels = _backend.zero_where(hidden, labels)
        scores = _backend.zero_where(hidden, scores)
    scores = ops.where(unknown, ops.zeros_like(scores), scores)
    scores = _backend.maximum(scores, LOWEST)
    keys = ops.where(ops.equal(shown, 0), ops.full_like(scores, float("inf")), -scores)
    order = ops.argsort(keys, axis=-1)
    labels, scores, weights, shown = (
        ops.take_along_axis(x, order, axis=-1) for x in (labels, scores, weights, shown)
    )
    return Lists(labels, scores, weights, shown, ops.any(unknown, axis=-1))


def best(x: Tensor) -> Tensor:
    """The greatest of each list, of what is nowhere below 0; 0 of no items."""
    return _backend.amax(x, axis=-1) if x.shape[-1] else ops.sum(x, axis=-1)


class ListMetric(ColumnMetric):
    """Base class: the weighted mean of the values of lists. A subclass implements `of_lists`."""

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """The weighted sum of values, the sum of lists' weights, and that of items."""
        return (3,)

    def of_lists(self, lists: Lists) -> tuple[Tensor, Tensor, Tensor]:
        """Of each list its value, its weight, and whether its labels define the value."""
        raise NotImplementedError

    def check_per_label(self) -> None:
        """Raises `ValueError`: items of lists are no columns."""
        raise ValueError(
            f"{type(self).__name__} is a mean over lists, whose items are on the last axis. "
            "It has no value for each of them."
        )

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError`: a list is more than its items."""
        raise ValueError(
            f"{type(self).__name__} has values of lists, of which a row can hold several. "
            "It has neither intervals nor groups."
        )

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over the lists of a batch."""
        lists = ordered_lists(seen)
        values, weights, defined = self.of_lists(lists)
        zeros = ops.zeros_like(values)
        # What has diverged is seen, whatever the labels.
        values = ops.where(lists.diverged, ops.full_like(values, float("nan")), values)
        counted = ops.logical_or(defined, lists.diverged)
        values = ops.where(counted, values * weights, zeros)
        weights = ops.where(defined, weights, zeros)
        return ops.stack([ops.sum(values), ops.sum(weights), ops.sum(lists.weights)])

    def score(self, state: Any) -> Tensor:
        """The mean so far."""
        sums = state.value
        return ratio(sums[0], sums[1])

    def defined(self, state: Any) -> Tensor:
        """Whether any list has a value, or has diverged."""
        sums = state.value
        return ops.logical_or(ops.not_equal(sums[1], 0), ops.isnan(sums[0]))

    def support_of(self, state: Any) -> Tensor:
        """The sum of the items' weights, or how many items have been observed."""
        return state.value[2]
