"""Metrics that are means over labels."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas import Formula, Labels
from keras_masked.metrics.base import ratio
from keras_masked.metrics.columns import ColumnMetric, counted_of, totals
from keras_masked.observation import OF_OBSERVATION, Observation, prepare

Tensor = Any

NOT_OF_FORMULA = (*OF_OBSERVATION, "average", "from_sorted_ids", "target_class_ids")
"""Options that the formula does not take."""


class MeanMetric(ColumnMetric):
    r"""Base class: the mean of a formula over all observed labels.

    $$M = \frac{\sum_i o_i w_i \, f(y_i, p_i)}{\sum_i o_i w_i}$$

    NaN where nothing is observed. A subclass sets `formula`.
    """

    formula: Formula

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is for the formula, and for the distribution that is predicted of it."""
        return self.formula.label.under(self._options)

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """The weighted sum of values, and that of weights."""
        return (2,)

    def label_values(self, seen: Observation) -> Tensor:
        """The formula's value of each label, whatever it is where hidden."""
        y_true, y_pred, known = prepare(self.formula, seen)
        options = {k: v for k, v in self._options.items() if k not in NOT_OF_FORMULA}
        return self.formula(y_true, y_pred, **options, **known)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        values = ops.cast(self.label_values(seen), seen.y_pred.dtype)  # accuracies are float32
        if seen.hidden is not None:  # no gates: a metric has no gradient
            values = _backend.zero_where(seen.hidden(), values)
        if seen.weight is not None:
            values = values * seen.weight
        parts = [values, counted_of(values, seen)]
        found = totals(parts, per_column, self._light)
        return ops.stack([ops.cast(x, values.dtype) for x in found])

    @property
    def _light(self) -> bool:
        """Whether values take a difference and little more, see `_backend.totals`."""
        formula: Formula | None = getattr(self, "formula", None)
        return formula is not None and formula.residual

    @property
    def total(self) -> Tensor:
        """The weighted sum of values so far."""
        return self._state.value[0]

    @property
    def count(self) -> Tensor:
        """The sum of weights so far."""
        return self._state.value[1]

    def score(self, state: Any) -> Tensor:
        """The mean so far."""
        sums = state.value
        return ratio(sums[0], sums[1])

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed, or a diverged prediction, even if weights cancel."""
        sums = state.value
        return ops.logical_or(ops.not_equal(sums[1], 0), ops.isnan(sums[0]))

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.value[1]
