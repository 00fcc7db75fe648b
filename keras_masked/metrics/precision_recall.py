"""Precision and recall, also of one class or of the k best predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.formulas import CLASS_ID as CLASS_IDS
from keras_masked.formulas import PROBABILITY as PROBABILITIES
from keras_masked.metrics.base import register
from keras_masked.metrics.classes import (
    average_of,
    check_columns_apart,
    missing_of,
    of_targets,
    one_versus_rest,
)
from keras_masked.metrics.columns import columns_of
from keras_masked.metrics.thresholds import OneOrMore, Thresholds
from keras_masked.observation import Missing, Observation
from keras_masked.validation import (
    BOOLEAN,
    CLASS_ID,
    POSITIVE_INTEGER,
    PROBABILITY,
    ClassAverage,
    one_of,
    one_or_several,
    optional,
    several,
)

Tensor = Any

AVERAGES = ("micro", "macro", "weighted", None)
LOWEST = -1e10
"""Keras's score of a class that is not among the top k, and what every other exceeds."""


class OfClass(OneOrMore):
    """Base class: of one class, or of the k best predictions of each row."""

    _direction = "up"

    admits = {
        "thresholds": optional(one_or_several(PROBABILITY)),
        "top_k": optional(POSITIVE_INTEGER),
        "class_id": optional(CLASS_ID),
        "average": one_of(*AVERAGES),
        "sparse_y_true": BOOLEAN,
        "target_class_ids": optional(several(CLASS_ID)),
    }

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        average: ClassAverage = "micro",
        sparse_y_true: bool = False,
        target_class_ids: Sequence[int] | None = None,
        missing: Missing = DEFAULT,
    ) -> None:
        several_thresholds = isinstance(thresholds, Sequence) and len(thresholds) > 1
        if average != "micro" and (several_thresholds or class_id is not None):
            raise ValueError(
                f"`average={average!r}` is of the classes at one threshold. Received: thresholds="
                f"{thresholds}, class_id={class_id}"
            )
        self.per_column = average != "micro"
        super().__init__(
            name,
            dtype,
            thresholds,
            missing=missing_of(missing, sparse_y_true),
            default=0.5 if top_k is None else LOWEST,
            top_k=top_k,
            class_id=class_id,
            average=average,
            sparse_y_true=sparse_y_true,
            target_class_ids=target_class_ids,
        )
        self.label = CLASS_IDS if sparse_y_true else PROBABILITIES

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed; keeps the scores of the top k, and the labels of the classes."""
        seen = super().observe(y_true, y_pred, sample_weight)
        if self.sparse_y_true:
            seen = one_versus_rest(seen, True)
        if self.top_k is not None:
            seen = keep_top(seen, self.top_k)
        if self.class_id is not None:
            seen = of_class(seen, self.class_id)
        return of_targets(seen, self.target_class_ids)

    def columns(self, seen: Observation) -> int:
        """The number of classes that have a value."""
        return columns_of(seen, 0)

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The average that was asked for, weighted by the numbers of positive labels."""
        positives = ops.sum(self._state.value[1], axis=0)
        return average_of(self.average, scores, defined, positives)

    def check_per_label(self) -> None:
        """Raises `ValueError` on options that look at more than one column."""
        super().check_per_label()
        if self.top_k is not None or self.class_id is not None:
            raise ValueError(
                "`top_k` and `class_id` choose among the columns, each of which has a value of "
                f"its own here. Received: top_k={self.top_k}, class_id={self.class_id}"
            )
        check_columns_apart(self.sparse_y_true, self.target_class_ids, self.average)

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError` on class ids: of a row, there is one for several columns."""
        if per_label:
            self.check_per_label()
        else:
            check_columns_apart(self.sparse_y_true, None)


@register
class Precision(OfClass):
    r"""How many of the labels predicted to be positive are.

    $$M = \frac{\sum_i o_i w_i \, [y_i = 1, \, p_i > t]}{\sum_i o_i w_i \, [p_i > t]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. 0 where no observed
    label is predicted to be positive, NaN where nothing is observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default, and
            with `top_k` none.
        top_k: Predictions that are not among the `top_k` of their row's observed labels say 0.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the value of all labels together, `None` for one per class, `"macro"`
            for the mean over the defined classes, `"weighted"` for that mean weighted by their
            numbers of positive labels.
        sparse_y_true: Whether labels are class ids, rather than one entry per class.
        target_class_ids: The classes that count; by default all. A label of another class, or a
            prediction, still counts where it is none of a target class.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`, `y_true` `(batch, ...)` of ids; the result
    is a scalar, `(thresholds,)` or `(classes,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1], or `class_id` is given for labels without
            columns. Also if labels outside [0, 1] that `missing` does not name are at hand. In
            tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.Precision()
    >>> y_true = np.array([[1.0, np.nan], [0.0, 1.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.7, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 0.9 and 0.7, one is right
    0.5

    Source: `keras.metrics.Precision`.
    """

    def values(self, state: Any) -> Tensor:
        """The precision at each threshold."""
        return self.confusion(state).precision

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed; of a class, whether it is, or is predicted."""
        defined = super().defined(state)
        if self.average == "micro":
            return defined
        counts = self.confusion(state)
        return ops.logical_and(defined, ops.not_equal(counts.tp + counts.fp + counts.fn, 0)[0])


@register
class Recall(OfClass):
    r"""How many of the positive labels are predicted to be.

    $$M = \frac{\sum_i o_i w_i \, [y_i = 1, \, p_i > t]}{\sum_i o_i w_i \, [y_i = 1]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where no positive
    label is observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default, and
            with `top_k` none.
        top_k: Predictions that are not among the `top_k` of their row's observed labels say 0.
        class_id: The column of the labels that count; all by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the value of all labels together, `None` for one per class, `"macro"`
            for the mean over the defined classes, `"weighted"` for that mean weighted by their
            numbers of positive labels.
        sparse_y_true: Whether labels are class ids, rather than one entry per class.
        target_class_ids: The classes that count; by default all. A label of another class, or a
            prediction, still counts where it is none of a target class.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`, `y_true` `(batch, ...)` of ids; the result
    is a scalar, `(thresholds,)` or `(classes,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1], or `class_id` is given for labels without
            columns. Also if labels outside [0, 1] that `missing` does not name are at hand. In
            tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.Recall()
    >>> y_true = np.array([[1.0, np.nan], [0.0, 1.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.7, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of two positives, one is found
    0.5

    Source: `keras.metrics.Recall`.
    """

    def values(self, state: Any) -> Tensor:
        """The recall at each threshold."""
        return self.confusion(state).recall

    def defined(self, state: Any) -> Tensor:
        """Whether a positive label has been observed."""
        return self.has_positives(state)


def keep_top(seen: Observation, k: int) -> Observation:
    """Gives all but the k best observed predictions of each row the lowest of scores."""
    y_pred = seen.y_pred
    if seen.hidden is not None:
        y_pred = ops.where(seen.hidden(), ops.full_like(y_pred, float("-inf")), y_pred)
    classes = y_pred.shape[-1]
    if classes is not None and k > classes:
        raise ValueError(
            f"Argument `top_k` must be at most the number of classes, {classes}. "
            f"Received: top_k={k}"
        )
    best = ops.top_k(y_pred, k, sorted=False)[1]
    top = ops.any(ops.one_hot(best, classes, dtype="bool"), axis=-2)
    scores = ops.where(top, seen.y_pred, ops.full_like(y_pred, LOWEST))
    # Next to a NaN, nobody knows which are the best.
    diverged = ops.any(ops.isnan(y_pred), axis=-1, keepdims=True)
    return dataclasses.replace(
        seen, y_pred=ops.where(diverged, ops.full_like(scores, float("nan")), scores)
    )


def of_class(seen: Observation, class_id: int) -> Observation:
    """What is seen of one column."""
    seen = seen.in_columns()
    shape = tuple(seen.y_pred.shape)
    if len(shape) < 2:
        raise ValueError(
            "When class_id is provided, y_pred must be a 2D array with shape (num_samples, "
            f"num_classes), found shape: {shape}"
        )
    if not 0 <= class_id < shape[-1]:
        raise ValueError(
            f"Argument `class_id` must be one of the {shape[-1]} classes, counted from 0. "
            f"Received: class_id={class_id}"
        )

    def column(x: Tensor) -> Tensor:
        return None if x is None else x[..., class_id : class_id + 1]

    return dataclasses.replace(
        seen,
        y_true=column(seen.y_true),
        y_pred=column(seen.y_pred),
        observed=column(seen.observed),
        weight=column(seen.weight),
    )
