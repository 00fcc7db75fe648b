"""F-scores: precision and recall in one number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.formulas import CLASS_ID, PROBABILITY
from keras_masked.metrics.base import defined_mean, known, quotient, register
from keras_masked.metrics.classes import (
    check_columns_apart,
    missing_of,
    of_targets,
    one_versus_rest,
)
from keras_masked.metrics.columns import ColumnMetric, columns_of, occurs, total
from keras_masked.observation import Missing, Observation
from keras_masked.validation import (
    BOOLEAN,
    POSITIVE,
    POSITIVE_PROBABILITY,
    ClassAverage,
    one_of,
    optional,
    several,
)
from keras_masked.validation import (
    CLASS_ID as AN_ID,
)

Tensor = Any

AVERAGES = (None, "micro", "macro", "weighted")


@register
class FBetaScore(ColumnMetric):
    r"""Weighted harmonic mean of precision and recall over the observed labels.

    $$F_\beta = \frac{(1 + \beta^2) \, TP}{(1 + \beta^2) \, TP + \beta^2 FN + FP}$$

    with the weighted counts of the observed labels of one class, or with `average="micro"` of all.
    A class that is predicted, but never observed to be positive, counts as 0. One that is neither
    is undefined, NaN; averages skip it.

    Args:
        average: `None` for one score per class, `"micro"` for that of all labels together,
            `"macro"` for the mean over the defined classes, `"weighted"` for that mean weighted by
            their numbers of positive labels.
        beta: How much more recall counts than precision.
        threshold: Predictions above it say 1. By default, the greatest of a row's observed
            predictions says 1, and the others 0.
        name: Name of the metric.
        dtype: Dtype of the result.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        target_class_ids: The classes that have a score; by default all. A label of another class,
            or a prediction, still counts where it is none of a target class.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`, `y_true` `(batch, ...)` of ids; the
    result is a scalar, or `(classes,)`.

    Raises:
        ValueError: On an unknown `average`, a `beta` that is no positive float, a `threshold` that
            is no float in (0, 1], or labels with less than two axes. Also if labels outside [0, 1]
            that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.FBetaScore(beta=2.0, threshold=0.5)
    >>> y_true = np.array([[1.0, 1.0], [1.0, np.nan], [0.0, 0.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.2, 0.7], [0.6, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> [round(float(score), 4) for score in metric.result()]  # (5 + 0) / (5 + 4 + 1), 5 / 5
    [0.5, 1.0]

    Source: `keras.metrics.FBetaScore`; `sklearn.metrics.fbeta_score`.
    """

    per_column = True
    label = PROBABILITY
    _direction = "up"

    admits = {
        "average": one_of(*AVERAGES),
        "beta": POSITIVE,
        "threshold": optional(POSITIVE_PROBABILITY),
        "sparse_y_true": BOOLEAN,
        "target_class_ids": optional(several(AN_ID)),
    }

    def __init__(
        self,
        average: ClassAverage = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
        *,
        sparse_y_true: bool = False,
        target_class_ids: Sequence[int] | None = None,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing_of(missing, sparse_y_true),
            average=average,
            beta=beta,
            threshold=threshold,
            sparse_y_true=sparse_y_true,
            target_class_ids=target_class_ids,
        )
        self.label = CLASS_ID if sparse_y_true else PROBABILITY

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """True positives, false positives, false negatives, and all labels."""
        return (4,)

    def check_per_label(self) -> None:
        """Raises `ValueError` without a threshold: one prediction alone is always the greatest."""
        if self.threshold is None:
            raise ValueError(
                "`threshold` must be given where each label has a value of its own. "
                "Received: threshold=None"
            )
        check_columns_apart(self.sparse_y_true, self.target_class_ids)

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns."""
        return bool(self.average == "macro")

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels."""
        seen = super().observe(y_true, y_pred, sample_weight)
        if self.sparse_y_true:
            seen = one_versus_rest(seen, True)
        if len(seen.y_pred.shape) < 2:
            raise ValueError(
                f"{type(self).__name__} expects 2D inputs with shape (batch_size, output_dim), "
                "or more axes before the last. Received input shapes: "
                f"y_pred.shape={tuple(seen.y_pred.shape)}"
            )
        return seen

    def columns(self, seen: Observation) -> int:
        """The number of classes that have a score."""
        return len(self.target_class_ids or ()) or columns_of(seen, 0)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The counts of a batch."""
        predicted_positive, unknown = self._predicted(seen)  # the greatest of all classes
        if self.target_class_ids is not None:
            said = known(predicted_positive, ops.logical_not(unknown))
            seen = of_targets(dataclasses.replace(seen, y_pred=said), self.target_class_ids)
            unknown = ops.isnan(seen.y_pred)
            predicted_positive = ops.nan_to_num(seen.y_pred)
        weight = seen.weights
        y_true = seen.y_true
        if seen.hidden is not None:
            y_true = _backend.zero_where(seen.hidden(), y_true)
        predicted_positive = weight * predicted_positive
        right = total(predicted_positive * y_true, per_column)
        predicted = total(predicted_positive, per_column)
        positives, labels = total(weight * y_true, per_column), total(weight, per_column)
        counts = ops.stack([right, predicted - right, positives - right, labels])
        return known(counts, ops.logical_not(occurs(unknown, seen, per_column)))

    def _predicted(self, seen: Observation) -> tuple[Tensor, Tensor]:
        """1 where a prediction says 1, else 0, and where that is unknown."""
        y_pred = seen.y_pred
        unknown = ops.isnan(y_pred)
        if self.threshold is not None:
            predicted_positive = y_pred > self.threshold
        else:
            row = -2 if seen.one_column else -1  # behind which there is an axis of one again
            if seen.hidden is not None:
                y_pred = ops.where(seen.hidden(), ops.full_like(y_pred, float("-inf")), y_pred)
            most = ops.expand_dims(_backend.amax(y_pred, row), row)
            unknown = ops.broadcast_to(ops.isnan(most), ops.shape(y_pred))
            greatest = ops.greater_equal(y_pred, most)
            # As in Keras: a row of zeros says nothing.
            predicted_positive = ops.logical_and(greatest, ops.greater(ops.abs(y_pred), 1e-9))
        return ops.cast(predicted_positive, y_pred.dtype), unknown

    def score(self, state: Any) -> Tensor:
        """The score of each class."""
        return self._score(state.value)

    def _score(self, sums: Tensor) -> Tensor:
        tp, fp, fn = sums[0], sums[1], sums[2]
        square = self.beta**2
        # Not Keras's, which adds epsilon to every denominator.
        return quotient((1 + square) * tp, (1 + square) * tp + square * fn + fp)

    def defined(self, state: Any) -> Tensor:
        """Whether a label of the class is positive, or a prediction for it."""
        return ops.any(ops.not_equal(state.value[:3], 0), axis=0)

    def _positives(self, state: Any) -> Tensor:
        sums = state.value
        return sums[0] + sums[2]

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The average that was asked for."""
        if self.average is None:
            return scores
        if self.average == "micro":
            micro = self._score(ops.sum(self._state.value, axis=-1))
            return known(micro, ops.any(defined))
        macro = defined_mean(scores, ops.ones_like(scores), defined)
        if self.average == "macro":
            return macro
        positives = self._positives(self._state)
        # Without a positive label, as in scikit-learn: each class that is predicted counts as 0.
        some = ops.not_equal(ops.sum(positives), 0)
        return ops.where(some, defined_mean(scores, positives, defined), macro)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels, of each class."""
        return state.value[3]


@register
class F1Score(FBetaScore):
    r"""Harmonic mean of precision and recall over the observed labels.

    $$F_1 = \frac{2 \, TP}{2 \, TP + FN + FP}$$

    with the weighted counts of the observed labels of one class, or with `average="micro"` of all.
    A class that is predicted, but never observed to be positive, counts as 0. One that is neither
    is undefined, NaN; averages skip it.

    Args:
        average: `None` for one score per class, `"micro"` for that of all labels together,
            `"macro"` for the mean over the defined classes, `"weighted"` for that mean weighted by
            their numbers of positive labels.
        threshold: Predictions above it say 1. By default, the greatest of a row's observed
            predictions says 1, and the others 0.
        name: Name of the metric.
        dtype: Dtype of the result.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        target_class_ids: The classes that have a score; by default all. A label of another class,
            or a prediction, still counts where it is none of a target class.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`, `y_true` `(batch, ...)` of ids; the
    result is a scalar, or `(classes,)`.

    Raises:
        ValueError: On an unknown `average`, a `threshold` that is no float in (0, 1], or labels
            with less than two axes. Also if labels outside [0, 1] that `missing` does not name are
            at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.F1Score(threshold=0.5)
    >>> y_true = np.array([[1.0, 1.0], [1.0, np.nan], [0.0, 0.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.2, 0.7], [0.6, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> [round(float(score), 4) for score in metric.result()]  # 2 / (2 + 1 + 1), 2 / 2
    [0.5, 1.0]

    Source: `keras.metrics.F1Score`; `sklearn.metrics.f1_score`.
    """

    def __init__(
        self,
        average: ClassAverage = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
        *,
        sparse_y_true: bool = False,
        target_class_ids: Sequence[int] | None = None,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(
            average,
            1.0,
            threshold,
            name,
            dtype,
            sparse_y_true=sparse_y_true,
            target_class_ids=target_class_ids,
            missing=missing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config
