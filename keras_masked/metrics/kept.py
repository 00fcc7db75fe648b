"""Metrics that are no functions of sums: labels and predictions are kept, up to a capacity."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.metrics.base import MaskedMetric, defined_mean, known
from keras_masked.metrics.columns import ColumnMetric, in_columns
from keras_masked.metrics.median_states import Slots, check_replicas
from keras_masked.metrics.moments import flat
from keras_masked.observation import Observation
from keras_masked.validation import whole

Tensor = Any

CAPACITY = 10_000
MOST = 2**24 - 1
"""Labels are counted in float32, in which 2^24 + 1 is 2^24."""


class KeepsLabels(ColumnMetric):
    """Base class: a function of all labels, as far as they fit.

    A subclass has an option `capacity`, and implements `values_of`, `columns_score` and
    `columns_defined`.
    """

    kept: int
    """How many values are kept of each label, beside its weight."""
    instead: str
    """What to take where rows are counted in several ways."""

    admits = {"capacity": whole(f"an integer from 1 to {MOST}", 1, MOST)}

    def values_of(self, seen: Observation) -> tuple[Tensor, ...]:
        """What is kept of each label."""
        raise NotImplementedError

    def columns_score(self, *contents: Tensor) -> Tensor:
        """The value of each column, of what has been kept and the weights: 0 where a slot is free.

        Anything where it is undefined.
        """
        raise NotImplementedError

    def columns_defined(self, *contents: Tensor) -> Tensor:
        """Whether the labels define the value of each column."""
        raise NotImplementedError

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Any:
        """Creates slots in the state of `owner`."""
        return owner.keep(Slots(owner, self._options["capacity"], columns, kept=self.kept))

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError`: values are kept, not sums."""
        raise ValueError(
            f"{type(self).__name__} keeps all values for each way to count rows, which is too "
            f"much. {self.instead}"
        )

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """Values and weights of a batch."""
        check_replicas(self._options["capacity"])
        arrange = in_columns if per_column else flat
        return state.collect(*map(arrange, (*self.values_of(seen), seen.weights)))

    def score(self, state: Any) -> Tensor:
        """The value so far, NaN if not all labels have fitted, or one has diverged."""
        values = self._of_columns(self.columns_score, state)
        return state.if_all_fit(known(values, ops.logical_not(self._diverged(state))))

    def defined(self, state: Any) -> Tensor:
        """Whether labels define it, or a prediction has diverged, or some did not fit."""
        unknown = ops.logical_or(self._diverged(state), ops.logical_not(state.all_fit))
        return ops.logical_or(self._of_columns(self.columns_defined, state), unknown)

    def _of_columns(self, function: Any, state: Any) -> Tensor:
        contents = state.contents
        values = function(*(in_columns(contents[i]) for i in range(self.kept + 1)))
        return values if len(contents.shape) > 2 else values[0]

    def _diverged(self, state: Any) -> Tensor:
        """Whether there is a NaN, or where, of columns."""
        return ops.any(ops.any(ops.isnan(state.contents), axis=0), axis=0)

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over the defined columns."""
        return defined_mean(scores, ops.ones_like(scores), defined)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.weight
