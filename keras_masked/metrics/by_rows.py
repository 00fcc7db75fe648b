"""What metrics have in common that keep another metric's sums for several ways to count rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_masked import serialization
from keras_masked.formulas import Labels
from keras_masked.metrics.base import MaskedMetric, defined_mean
from keras_masked.metrics.columns import ColumnMetric, columns_of
from keras_masked.metrics.per_label import PerLabel
from keras_masked.metrics.rows import Rows, one_column
from keras_masked.observation import Observation

Tensor = Any

MOST = 2**31
"""So many numbers at most are kept."""


class ByRows(MaskedMetric):
    """Base class: another metric, of rows that are counted in several ways.

    The sums of the metric's columns and ways lie side by side, `columns * ways` of them.

    Args:
        metric: A `ColumnMetric`, or a `PerLabel` of one.
        ways: How many ways there are.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the result; by default, that of `metric`.
    """

    def __init__(self, metric: MaskedMetric, ways: int, name: str | None, dtype: Any) -> None:
        per_label = metric if isinstance(metric, PerLabel) else None
        inner: Any = metric if per_label is None else per_label.metric
        if not isinstance(inner, ColumnMetric):
            raise ValueError(
                f"{type(self).__name__}: argument `metric` must be a metric of keras_masked that "
                "is a function of sums over labels, or a `PerLabel` of one: a mean, a score of "
                "thresholds, R2, a correlation. Around `OfMean`, write it inside instead: "
                f"`OfMean({type(self).__name__}(...))`. Received: metric={metric!r}"
            )
        inner.check_rows(per_label is not None)
        if per_label is None and inner.per_column and not inner.is_mean_of_columns:
            raise ValueError(
                f"{type(self).__name__}: argument `metric` must have one number for a result. Use "
                "`PerLabel` for one of each column, or the option for the mean over them. "
                f"Received: metric={metric!r}"
            )
        super().__init__(name or metric.name, dtype or metric.dtype, missing=metric.missing)
        self._config = serialization.serialize(metric)
        # Keras would take the inner metric's own sums for part of this one's state.
        self._held: Callable[[], MaskedMetric] = lambda: metric
        self._ways = ways
        self._columns: int | None = None
        self._apart: Any = None
        if per_label is not None:
            self._create_state(len(per_label.labels))
        elif not inner.per_column:
            self._create_state(1)

    @property
    def metric(self) -> MaskedMetric:
        """The metric whose sums are kept."""
        return self._held()

    @property
    def _per_label(self) -> PerLabel | None:
        metric = self.metric
        return metric if isinstance(metric, PerLabel) else None

    @property
    def _inner(self) -> ColumnMetric:
        metric: Any = self.metric
        inner = metric.metric if isinstance(metric, PerLabel) else metric
        assert isinstance(inner, ColumnMetric)
        return inner

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is for the metric."""
        return self._inner.label

    @property
    def _direction(self) -> str:
        direction: str = self.metric._direction
        return direction

    def _see(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any) -> Observation:
        """What is observed, with columns: one, if the metric takes all labels together."""
        inner = self._inner
        seen = inner.observe(y_true, y_pred, sample_weight).in_columns()
        pooled = self._per_label is None and not inner.per_column
        if pooled or len(seen.y_pred.shape) - inner.label.axes < 2:
            seen = one_column(seen, inner.label.axes)
        columns = columns_of(seen, inner.label.axes)
        self._create_state(columns)
        if columns != self._columns:
            raise ValueError(
                "`y_pred` must have as many columns as there are labels, in every batch. "
                f"Received: {columns} columns for {self._columns}."
            )
        return seen

    def _add(self, seen: Observation, rows: Rows) -> None:
        self._apart.add(self._inner.collect_rows(seen, self._apart, rows))

    def _create_state(self, shape: Any) -> None:
        if shape is None or self._columns is not None:
            return
        self._columns = shape
        self._apart = self._inner.new_state(self, shape * self._ways)

    def _shape_of_state(self) -> Any:
        return self._columns

    def _match(self, metric: Any) -> None:
        self._create_state(metric._columns)

    def _scores_apart(self) -> tuple[Tensor, Tensor]:
        """The values of columns and ways, `(columns, ways)`, and where they are defined."""
        scores, defined = self._inner.scores(self._apart)
        shape = (self._columns, self._ways)
        return ops.reshape(scores, shape), ops.reshape(defined, shape)

    def _averages(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over the columns, of each way."""
        per_label = self._per_label
        weights = ops.ones_like(scores)
        if per_label is not None and per_label.average == "weighted":
            support = self._inner.support_of(self._apart)
            weights = ops.cast(ops.reshape(support, ops.shape(scores)), scores.dtype)
        return defined_mean(scores, weights, defined, axis=0)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        return {"name": self.name, "dtype": self.dtype, "metric": self._config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ByRows:
        """Builds the metric from its config."""
        inner = keras.saving.deserialize_keras_object(config["metric"])
        metric = super().from_config({**config, "metric": inner})
        assert isinstance(metric, cls)
        return metric
