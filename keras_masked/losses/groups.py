"""Losses that are a function of the mean over each group of labels: a root, or a sum.

With m the weighted mean of a group's label losses, n how many of its labels are observed, and v
their mean weight, the group's loss is f(m, n) and its weight v. So weights of single labels shift
the mean, and weights that are the same for a whole group multiply what comes out of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked.formulas import Formula
from keras_masked.losses.base import FormulaLoss
from keras_masked.observation import (
    Observation,
    gate_input,
    label_values,
    observe,
    weigh_columns,
)

Tensor = Any


Combine = Callable[[Tensor, Tensor], Tensor]


def root(mean: Tensor, count: Tensor) -> Tensor:
    """sqrt(m), whose slope is 0 at 0 rather than infinite."""
    zero = ops.equal(mean, 0)
    return ops.where(zero, ops.zeros_like(mean), ops.sqrt(_one_where(zero, mean)))


def total(mean: Tensor, count: Tensor) -> Tensor:
    """n m, the sum."""
    return mean * count


def group_values(
    formula: Formula,
    combine: Combine,
    seen: Observation,
    axis: int | tuple[int, ...] | None = None,
    **options: Any,
) -> tuple[Tensor, Observation]:
    """The loss of each group, and which groups have any observed label.

    Args:
        formula: Of single labels.
        combine: Maps the mean of a group and the count of its labels to its loss.
        seen: What is observed among the labels.
        axis: The axes that a group spans; by default all.
        **options: Options of the formula.
    """
    # The slope of a root of NaN is NaN, which residuals would pass on: see `hiding`.
    seen = dataclasses.replace(seen, y_pred=gate_input(seen.y_pred, seen.hidden))
    losses = label_values(formula, seen, **options)
    counted = ops.ones_like(losses)
    if seen.observed is not None:
        counted = ops.cast(seen.observed, losses.dtype)
    weight = counted if seen.weight is None else seen.weight
    count, weights = ops.sum(counted, axis=axis), ops.sum(weight, axis=axis)
    mean = ops.sum(losses * weight, axis=axis) / _one_where(ops.equal(weights, 0), weights)
    groups = Observation(
        seen.y_true,
        seen.y_pred,
        None if seen.observed is None else ops.any(seen.observed, axis=axis),
        None if seen.weight is None else weights / _one_where(ops.equal(count, 0), count),
        seen.dtype,
    )
    return combine(mean, count), groups


def _one_where(condition: Tensor, x: Tensor) -> Tensor:
    return ops.where(condition, ops.ones_like(x), x)


class GroupLoss(FormulaLoss):
    """Base class: one value per group of labels, each group a row."""

    @staticmethod
    def combine(mean: Tensor, count: Tensor) -> Tensor:
        """The loss of a group, of its mean and the count of its labels."""
        raise NotImplementedError

    @property
    def column_weights(self) -> None:
        """None: labels have been weighed before they were put into groups."""
        return None

    @property
    def rows_are_labels(self) -> bool:
        """Each group is a row of its own."""
        return True

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels, and weighs their columns."""
        labels = self.formula.label
        options = {"missing": self.missing, "dtype": self.dtype}
        seen = observe(y_true, y_pred, sample_weight, labels, **options)
        return weigh_columns(seen, self.label_weights, seen.y_pred)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per group, and which groups have any observed label."""
        seen = self.observe(y_true, y_pred, sample_weight)
        options = {"axis": -1, **self._options}
        return group_values(self.formula, self.combine, seen, **options)
