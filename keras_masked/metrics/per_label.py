"""`PerLabel`: any metric, of each label column."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.metrics.accumulator import sums_dtype
from keras_masked.metrics.base import MaskedMetric, defined_mean, register
from keras_masked.metrics.columns import ColumnMetric, columns_of
from keras_masked.validation import BOOLEAN, NAMES, one_of

Tensor = Any

AVERAGES = ("macro", "weighted", None)


@register
class PerLabel(MaskedMetric):
    r"""A metric of each label column, and its mean over them.

    $$M_c = M(\{(y_{ic}, p_{ic}) : o_{ic} = 1\}), \quad
      M_\mathrm{macro} = \frac{1}{|D|} \sum_{c \in D} M_c$$

    with $D$ the columns in which the metric is defined, that is not NaN for want of labels.

    All columns are counted in one pass, with one vector of sums, where the metric is a function of
    sums over labels: a mean, an F-score, R2, a correlation, or counted at thresholds (AUC,
    precision, recall). Of any other metric there is one object per column.

    The result is a dict, from which Keras logs `{name}/{label}` for each label and `{name}/macro`.
    Of hundreds of labels, `log="macro"` logs the mean alone, and `scores()` returns the values.
    Keras puts no output's name before them: the metrics of several outputs need distinct names.
    `EarlyStopping(monitor="val_auc/macro")` needs an explicit `mode`.

    Args:
        metric: One of our metrics; wrap Keras's own in `Masked`. Its options must make sense for
            one column: not several thresholds, say.
        labels: Names of the columns, in their order.
        average: `"macro"` for the mean over the defined columns, `"weighted"` for the mean
            weighted by their support, `None` for none.
        show_support: Whether to add `{name}/support/{label}`: how many labels each value rests on.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the results; by default, that of `metric`.
        log: `"all"` for a result that holds all values, `"macro"` for one that holds the average
            alone.

    Shapes: `y_true` and `y_pred` as for `metric`, with the columns on the last axis of the
    predictions: `(batch, ..., columns)`, of vectors `(batch, ..., columns, classes)`. Labels
    `(batch, steps)` of predictions `(batch, steps, 1)` are one column. The results are scalars.

    Raises:
        ValueError: If `metric` is none of ours or has options that look at several columns, on
            labels that are no distinct strings, on an unknown `average` or `log`, or where `log`
            leaves nothing to log; if the data have another number of columns; in `fit` and
            `evaluate`, if another metric logs under the same keys.

    Example:

    >>> metric = keras_masked.metrics.PerLabel(
    ...     keras_masked.metrics.MeanAbsoluteError(name="mae"), labels=["teff", "logg"])
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> {key: float(value) for key, value in metric.result().items()}
    {'mae/teff': 0.5, 'mae/logg': 2.0, 'mae/macro': 1.25}

    Source: none.
    """

    admits = {
        "labels": NAMES,
        "average": one_of(*AVERAGES),
        "show_support": BOOLEAN,
        "log": one_of("all", "macro"),
    }

    def __init__(
        self,
        metric: MaskedMetric,
        labels: Sequence[str],
        average: Literal["macro", "weighted"] | None = "macro",
        show_support: bool = False,
        name: str | None = None,
        dtype: Any = None,
        *,
        log: Literal["all", "macro"] = "all",
    ) -> None:
        check(metric, labels, average)
        if log == "macro" and (average is None or show_support):
            raise ValueError(
                'Argument `log` must be "all" where `average` is None or `show_support` is True: '
                '"macro" logs the average alone; `scores()` and `support()` have the values of '
                f"each label. Received: log={log!r}, average={average!r}, "
                f"show_support={show_support!r}"
            )
        super().__init__(name or metric.name, dtype or metric.dtype, missing=metric.missing)
        self.labels = list(labels)
        self.average = average
        self.show_support = show_support
        self.log = log
        self._met = False  # the metrics that are compiled together with this one
        self._config = serialization.serialize(metric)
        # Keras would take the inner metric's own sums for part of this one's state.
        self._inner: Callable[[], MaskedMetric] = lambda: metric
        self._state: Any = None
        self._parts: list[MaskedMetric] = []
        if isinstance(metric, ColumnMetric):
            metric.check_per_label()
            self._state = metric.new_state(self, len(labels))
        else:
            self._parts = [self._copy(label) for label in labels]

    @property
    def metric(self) -> MaskedMetric:
        """The metric that is kept of each column."""
        return self._inner()

    def _copy(self, label: str) -> MaskedMetric:
        metric: MaskedMetric = keras.saving.deserialize_keras_object(self._config)
        metric.name = f"{self.name}/{label}"
        return metric

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        if not self._met:
            check_names(_backend.compiled_together())
            self._met = True
        if self._state is None:
            self._update_parts(y_true, y_pred, sample_weight)
            return
        metric = self.metric
        assert isinstance(metric, ColumnMetric)
        seen = metric.observe(y_true, y_pred, sample_weight).in_columns()
        self._check_columns(columns_of(seen, metric.label.axes))
        self._state.add(metric.collect(seen, self._state, True))

    def _check_columns(self, columns: int) -> None:
        if columns != len(self.labels):
            raise ValueError(
                f"Argument `labels` must name each column. Received: {len(self.labels)} labels for "
                f"{columns} columns: labels={list(self.labels)}"
            )

    def _update_parts(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None) -> None:
        mask = _backend.get_keras_mask(y_pred)
        y_true, y_pred = _backend.as_received(y_true), ops.convert_to_tensor(y_pred)
        rank = len(y_pred.shape) - self.metric.label.axes
        self._check_columns(y_pred.shape[rank - 1] if rank > 1 else 1)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)

        def column(x: Tensor, c: int) -> Tensor:
            if x is None or len(x.shape) < rank or rank < 2 or x.shape[rank - 1] == 1:
                return x  # one value per row
            return x[(slice(None),) * (rank - 1) + (slice(c, c + 1),)]

        for c, part in enumerate(self._parts):
            of_column = column(y_pred, c)
            if mask is not None:
                _backend.set_keras_mask(of_column, column(mask, c))
            part.update_state(column(y_true, c), of_column, column(sample_weight, c))

    def result(self) -> dict[str, Tensor]:
        """Returns the value of each label, unless `log` is `"macro"`, and their mean."""
        scores, defined = self._scores()
        results = {}
        if self.log == "all":
            results = dict(
                zip(self._keys(), _backend.entries(ops.cast(scores, self.dtype)), strict=True)
            )
        if self.average is not None:
            weights = self.support() if self.average == "weighted" else ops.ones_like(scores)
            mean = defined_mean(scores, ops.cast(weights, scores.dtype), defined)
            results[f"{self.name}/{self.average}"] = ops.cast(mean, self.dtype)
        if self.show_support:
            results |= dict(
                zip(self._keys("support/"), _backend.entries(self.support()), strict=True)
            )
        return results

    def scores(self) -> Tensor:
        """Returns the values of all labels in one vector, in their order; NaN where undefined."""
        return ops.cast(self._scores()[0], self.dtype)

    def _scores(self) -> tuple[Tensor, Tensor]:
        """The values of the labels, and where they are defined."""
        if self._state is None:
            scores = [ops.cast(part.result(), sums_dtype(self)) for part in self._parts]
            return ops.stack(scores), ops.stack([part.is_defined() for part in self._parts])
        metric = self.metric
        assert isinstance(metric, ColumnMetric)
        return metric.scores(self._state)

    def is_defined(self) -> Tensor:
        """Whether the labels observed define the value of any column."""
        return ops.any(self._scores()[1])

    def logged(self) -> list[str]:
        """The keys of the result, under which Keras logs its values."""
        keys = self._keys() if self.log == "all" else []
        average = [] if self.average is None else [f"{self.name}/{self.average}"]
        return keys + average + (self._keys("support/") if self.show_support else [])

    def _keys(self, kind: str = "") -> list[str]:
        return [f"{self.name}/{kind}{label}" for label in self.labels]

    def support(self) -> Tensor:
        """Returns the sum of weights, or the number of observed labels, of each column."""
        if self._state is None:
            return ops.stack([ops.sum(part.support()) for part in self._parts])
        metric = self.metric
        assert isinstance(metric, ColumnMetric)
        return metric.support_of(self._state)

    def error_bound(self) -> Tensor:
        """Returns how far the value of each label may be off, of a metric that counts in bins.

        Raises:
            ValueError: If the metric has no such bound: its values are exact.
        """
        bounds = getattr(self.metric, "bounds", None)
        if bounds is None:
            raise ValueError(
                f"{type(self.metric).__name__} has no error bound: it counts exactly. "
                "`ROCAUC` and `AveragePrecision` have one."
            )
        return ops.cast(bounds(self._state), self.dtype)

    def merge_state(self, metrics: Iterable[MaskedMetric]) -> None:
        """Adds what other metrics have seen, of other parts of the data.

        Args:
            metrics: Metrics of the same class and options.

        Raises:
            ValueError: If one is of another class, or has other options.
        """
        metrics = list(metrics)
        super().merge_state(metrics)
        for c, part in enumerate(self._parts):
            part.merge_state(other._parts[c] for other in metrics if isinstance(other, PerLabel))

    def reset_state(self) -> None:
        """Forgets what has been seen."""
        super().reset_state()
        self._met = False
        for part in self._parts:
            part.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "metric": serialization.serialize(self.metric),
            "labels": list(self.labels),
            "average": self.average,
            "show_support": self.show_support,
            "log": self.log,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PerLabel:
        """Builds the metric from its config."""
        inner = keras.saving.deserialize_keras_object(config["metric"])
        metric = super().from_config({**config, "metric": inner})
        assert isinstance(metric, cls)
        return metric


def check_names(metrics: Iterable[Any]) -> None:
    """Raises where metrics log under the same keys, of which Keras would keep one alone."""
    dicts = [metric for metric in metrics if isinstance(metric, MaskedMetric) and metric.logged()]
    counted = collections.Counter(key for metric in dicts for key in metric.logged())
    twice = [key for key, times in counted.items() if times > 1]
    if twice:
        names = [metric.name for metric in dicts if not set(twice).isdisjoint(metric.logged())]
        raise ValueError(
            "Argument `name` must differ between metrics whose results are dicts, also of several "
            "outputs and between `metrics` and `weighted_metrics`: Keras logs their values without "
            f"the output's name, and would lose all but one of {twice[0]!r}. Pass, say, "
            f"`PerLabel(..., name={names[-1] + '_2'!r})`. Received: metrics named {names}"
        )


def check(metric: Any, labels: Sequence[str], average: str | None) -> None:
    """Raises on what cannot be kept per label."""
    if not isinstance(metric, MaskedMetric) or isinstance(metric, PerLabel):
        raise ValueError(
            "Argument `metric` must be a metric of keras_masked; wrap others in "
            f"`keras_masked.metrics.Masked`. Received: metric={metric!r}"
        )
    if average in labels:
        raise ValueError(
            f"Argument `labels` must not hold the name of the average, {average!r}. "
            f"Received: labels={list(labels)}"
        )
