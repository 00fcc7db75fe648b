"""The best of one rate where another is at least so large: points of a curve."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.metrics.base import register
from keras_masked.metrics.precision_recall import of_class
from keras_masked.metrics.thresholds import Confusion, ThresholdMetric, even_thresholds
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import CLASS_ID, POSITIVE_INTEGER, PROBABILITY, optional

Tensor = Any


class OperatingPoint(ThresholdMetric):
    """Base class: the largest value of one rate over the thresholds at which another suffices.

    A subclass sets `best`, `constrained` and its own name for the value.
    """

    best: str
    constrained: str
    argument: str
    _direction = "up"

    admits = {"num_thresholds": POSITIVE_INTEGER, "class_id": optional(CLASS_ID)}

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
        missing: Missing,
    ) -> None:
        edges = [0.5] if num_thresholds == 1 else even_thresholds(num_thresholds)
        super().__init__(
            name,
            dtype,
            missing=missing,
            edges=edges,
            evenly=num_thresholds > 1,
            **{self.argument: value},
            num_thresholds=num_thresholds,
            class_id=class_id,
        )
        self.value = value
        self.thresholds = edges

    def select(self, seen: Observation) -> Observation:
        """The labels of the class, or all."""
        return seen if self.class_id is None else of_class(seen, self.class_id)

    def check_per_label(self) -> None:
        """Raises `ValueError` on `class_id`."""
        if self.class_id is not None:
            raise ValueError(
                "`class_id` chooses one of the columns, each of which has a value of its own "
                f"here. Received: class_id={self.class_id}"
            )

    def score(self, state: Any) -> Tensor:
        """The best, 0 where no threshold suffices, NaN unless both classes are observed."""
        counts: Confusion = self.confusion(state)
        best, constrained = getattr(counts, self.best), getattr(counts, self.constrained)
        suffices = constrained >= self.value
        best = ops.amax(ops.where(suffices, best, ops.zeros_like(best)), axis=0)
        # A comparison would swallow the NaN of a diverged prediction.
        return best + ops.zeros_like(best) * self.support_of(state)

    def defined(self, state: Any) -> Tensor:
        """Whether both classes have been observed."""
        return ops.logical_and(self.has_positives(state), self.has_negatives(state))


@register
class SensitivityAtSpecificity(OperatingPoint):
    r"""The best sensitivity at which the specificity is at least `specificity`.

    $$M = \max_t \{ R(t) : S(t) \ge a \}$$

    with $R$ the sensitivity (recall) and $S$ the specificity (share of negatives not above $t$)
    of the observed labels, over evenly spaced thresholds $t$. 0 where no threshold suffices; NaN
    unless a positive and a negative label are observed.

    Args:
        specificity: The least specificity, in [0, 1].
        num_thresholds: Number of evenly spaced thresholds to choose from.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `specificity` is outside of [0, 1], or `num_thresholds` is not positive. Also
            if labels outside [0, 1] that `missing` does not name are at hand. In tensors, such a
            label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.SensitivityAtSpecificity(0.5)
    >>> y_true = np.array([0.0, 0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.0, 0.3, 0.8, 0.3, 0.8, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.5

    Source: `keras.metrics.SensitivityAtSpecificity`.
    """

    best = "recall"
    constrained = "specificity"
    argument = "specificity"

    admits = {"specificity": PROBABILITY}

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype, missing)


@register
class SpecificityAtSensitivity(OperatingPoint):
    r"""The best specificity at which the sensitivity is at least `sensitivity`.

    $$M = \max_t \{ S(t) : R(t) \ge a \}$$

    with $S$ the specificity (share of negatives not above $t$) and $R$ the sensitivity (recall)
    of the observed labels, over evenly spaced thresholds $t$. 0 where no threshold suffices; NaN
    unless a positive and a negative label are observed.

    Args:
        sensitivity: The least sensitivity, in [0, 1].
        num_thresholds: Number of evenly spaced thresholds to choose from.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `sensitivity` is outside of [0, 1], or `num_thresholds` is not positive. Also
            if labels outside [0, 1] that `missing` does not name are at hand. In tensors, such a
            label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.SpecificityAtSensitivity(0.5)
    >>> y_true = np.array([0.0, 0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.0, 0.3, 0.8, 0.3, 0.8, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.6667

    Source: `keras.metrics.SpecificityAtSensitivity`.
    """

    best = "specificity"
    constrained = "recall"
    argument = "sensitivity"

    admits = {"sensitivity": PROBABILITY}

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype, missing)


@register
class PrecisionAtRecall(OperatingPoint):
    r"""The best precision at which the recall is at least `recall`.

    $$M = \max_t \{ P(t) : R(t) \ge a \}$$

    with $P$ the precision and $R$ the recall
    of the observed labels, over evenly spaced thresholds $t$. 0 where no threshold suffices; NaN
    unless a positive and a negative label are observed.

    Args:
        recall: The least recall, in [0, 1].
        num_thresholds: Number of evenly spaced thresholds to choose from.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `recall` is outside of [0, 1], or `num_thresholds` is not positive. Also if
            labels outside [0, 1] that `missing` does not name are at hand. In tensors, such a label
            gives NaN.

    Example:

    >>> metric = keras_masked.metrics.PrecisionAtRecall(0.5)
    >>> y_true = np.array([0.0, 0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.0, 0.3, 0.8, 0.3, 0.8, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.5

    Source: `keras.metrics.PrecisionAtRecall`.
    """

    best = "precision"
    constrained = "recall"
    argument = "recall"

    admits = {"recall": PROBABILITY}

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype, missing)


@register
class RecallAtPrecision(OperatingPoint):
    r"""The best recall at which the precision is at least `precision`.

    $$M = \max_t \{ R(t) : P(t) \ge a \}$$

    with $R$ the recall and $P$ the precision
    of the observed labels, over evenly spaced thresholds $t$. 0 where no threshold suffices; NaN
    unless a positive and a negative label are observed.

    Args:
        precision: The least precision, in [0, 1].
        num_thresholds: Number of evenly spaced thresholds to choose from.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `precision` is outside of [0, 1], or `num_thresholds` is not positive. Also
            if labels outside [0, 1] that `missing` does not name are at hand. In tensors, such a
            label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.RecallAtPrecision(0.5)
    >>> y_true = np.array([0.0, 0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.0, 0.3, 0.8, 0.3, 0.8, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    1.0

    Source: `keras.metrics.RecallAtPrecision`.
    """

    best = "recall"
    constrained = "precision"
    argument = "precision"

    admits = {"precision": PROBABILITY}

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype, missing)
