"""The area under a curve of binary labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from keras import backend, ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.formulas import CLASS_ID
from keras_masked.formulas import PROBABILITY as PROBABILITY_LABEL
from keras_masked.metrics.base import defined_mean, quotient, register
from keras_masked.metrics.classes import check_columns_apart, missing_of, one_versus_rest
from keras_masked.metrics.columns import columns_of
from keras_masked.metrics.thresholds import (
    Confusion,
    ThresholdMetric,
    check_thresholds,
    even_thresholds,
)
from keras_masked.observation import Missing, Observation
from keras_masked.validation import (
    BOOLEAN,
    NON_NEGATIVE,
    POSITIVE_INTEGER,
    PROBABILITY,
    one_of,
    one_or_several,
    optional,
    several,
)

Tensor = Any


@register
class AUC(ThresholdMetric):
    r"""Area under the ROC or precision-recall curve, over the observed labels.

    $$M = \int_0^1 R \, \mathrm{d}F, \quad
      R(t) = \frac{\sum_i o_i w_i [y_i = 1, p_i > t]}{\sum_i o_i w_i [y_i = 1]}, \;
      F(t) = \frac{\sum_i o_i w_i [y_i = 0, p_i > t]}{\sum_i o_i w_i [y_i = 0]}$$

    for the ROC curve; for the precision-recall curve, of precision over recall $R$.

    Predictions are counted between thresholds, so the result is the exact area for predictions
    rounded to them: with `n` evenly spaced thresholds and interpolation, the error is at most the
    share of pairs (positive, negative) that fall between the same two. Use more thresholds where
    predictions crowd.

    NaN unless both a positive and a negative label are observed. With `multi_label=True` each
    column has a curve, and the result is the mean over the columns that have both.

    Args:
        num_thresholds: Number of evenly spaced thresholds, at least 2.
        curve: `"ROC"`, `"PR"` or `"PRGAIN"`.
        summation_method: `"interpolation"`, `"minoring"` or `"majoring"`.
        name: Name of the metric.
        dtype: Dtype of the result.
        thresholds: Thresholds in [0, 1] instead of evenly spaced ones.
        multi_label: Whether each column on the last axis has a curve of its own; else all labels
            share one.
        num_labels: Number of columns, where `multi_label` and known.
        label_weights: One weight per column: of its area in the mean (`multi_label`), else of its
            labels.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one entry per class: each class
            against all others, one curve for each with `multi_label`. Logits are then those of a
            softmax.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` of one shape; `(batch, ..., columns)` with `multi_label`. Of class
    ids `y_true` `(batch, ...)` and `y_pred` `(batch, ..., classes)`. The result is a scalar.

    Raises:
        ValueError: On an unknown `curve` or `summation_method`, fewer than two thresholds,
            `num_labels` without `multi_label`, or not one of `label_weights` per column. Also if
            labels outside [0, 1] that `missing` does not name are at hand. In tensors, such a label
            gives NaN.

    Example:

    >>> metric = keras_masked.metrics.AUC()
    >>> y_true = np.array([0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.0, 0.5, 0.3, 0.9, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.75

    Source: `keras.metrics.AUC`; Davis and Goadrich 2006 for the interpolation of precision-recall
    curves; Flach and Kull 2015 for `"PRGAIN"`.
    """

    _direction = "up"

    admits = {
        "num_thresholds": POSITIVE_INTEGER,
        # As in Keras in any case, and as members of its enumerations.
        "curve": one_of("ROC", "PR", "PRGAIN", any_case=True),
        "summation_method": one_of("interpolation", "majoring", "minoring", any_case=True),
        "thresholds": optional(one_or_several(PROBABILITY)),
        "multi_label": BOOLEAN,
        "num_labels": optional(POSITIVE_INTEGER),
        "label_weights": optional(several(NON_NEGATIVE)),
        "from_logits": BOOLEAN,
        "sparse_y_true": BOOLEAN,
    }

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: Literal["ROC", "PR", "PRGAIN"] = "ROC",
        summation_method: Literal["interpolation", "majoring", "minoring"] = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
        *,
        sparse_y_true: bool = False,
        missing: Missing = DEFAULT,
    ) -> None:
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. "
                f"Received: num_thresholds={num_thresholds}"
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if thresholds is not None:
            thresholds = tuple(sorted(check_thresholds(thresholds)))
            num_thresholds = len(thresholds) + 2
        if label_weights is not None:
            label_weights = tuple(float(w) for w in np.asarray(label_weights))
        inner = even_thresholds(num_thresholds)[1:-1] if thresholds is None else thresholds
        epsilon = backend.epsilon()
        edges = [-epsilon, *inner, 1 + epsilon]
        self.per_column = multi_label
        super().__init__(
            name,
            dtype,
            missing=missing_of(missing, sparse_y_true),
            edges=edges,
            evenly=thresholds is None,
            num_thresholds=num_thresholds,
            curve=curve,
            summation_method=summation_method,
            thresholds=thresholds,
            multi_label=multi_label,
            num_labels=num_labels,
            label_weights=label_weights,
            from_logits=from_logits,
            sparse_y_true=sparse_y_true,
        )
        self.label = CLASS_ID if sparse_y_true else PROBABILITY_LABEL
        self.thresholds = edges  # as in Keras: those asked for, between two that nothing misses
        if multi_label and num_labels:
            self._set_columns(num_labels)

    def _create_state(self, shape: int | None) -> None:
        if shape is not None and self.multi_label:
            self._check_label_weights(shape)
        super()._create_state(shape)

    def _can_start_anew(self) -> bool:
        return self.num_labels is None and super()._can_start_anew()

    def _check_label_weights(self, columns: int) -> None:
        if self.label_weights is not None and len(self.label_weights) != columns:
            raise ValueError(
                "`label_weights` must have one weight per column. Received: label_weights="
                f"{tuple(self.label_weights)} for labels with {columns} columns."
            )

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed; of class ids, one label for each class."""
        seen = super().observe(y_true, y_pred, sample_weight)
        if not self.sparse_y_true:
            return seen
        if self.from_logits:
            seen = dataclasses.replace(seen, y_pred=ops.softmax(seen.y_pred, axis=-1))
        return one_versus_rest(seen, True)

    def columns(self, seen: Observation) -> int:
        """The number of columns, or of classes."""
        return columns_of(seen, 0)

    def check_per_label(self) -> None:
        """Raises `ValueError` on options that are of several columns."""
        check_columns_apart(self.sparse_y_true, None)
        if self.label_weights is not None:
            raise ValueError(
                "`label_weights` weighs columns, of which each has a value of its own here. "
                f"Received: label_weights={tuple(self.label_weights)}"
            )

    def select(self, seen: Observation) -> Observation:
        """Checks the shape, and turns logits into probabilities."""
        if self.multi_label and len(seen.y_pred.shape) < 2:
            raise ValueError(
                "`y_pred` must have rank 2 or more when `multi_label=True`. "
                f"Received: y_pred.shape={tuple(seen.y_pred.shape)}"
            )
        if self.from_logits and not self.sparse_y_true:
            seen = dataclasses.replace(seen, y_pred=ops.sigmoid(seen.y_pred))
        return seen

    def weights(self, seen: Observation) -> Tensor:
        """One weight per label, with those of its column."""
        weight = super().weights(seen)
        if self.label_weights is not None and not self.multi_label:
            self._check_label_weights(1 if seen.one_column else seen.y_pred.shape[-1])
            weight = weight * ops.convert_to_tensor(self.label_weights, dtype=weight.dtype)
        return weight

    def score(self, state: Any) -> Tensor:
        """The area, or one per column."""
        if self.curve == "ROC" and self.summation_method == "interpolation":
            return trapezoids(state.value)
        counts = self.confusion(state)
        if self.curve == "PR" and self.summation_method == "interpolation":
            area = interpolated_pr_area(counts.tp, counts.fp, counts.fn)
        else:
            x, y = curve_points(self.curve, counts)
            area = riemann_sum(x, y, self.summation_method)
        return area

    def defined(self, state: Any) -> Tensor:
        """Whether both classes have been observed."""
        return ops.logical_and(self.has_positives(state), self.has_negatives(state))

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns."""
        return bool(self.multi_label)

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean area of the columns that have one."""
        weights = ops.ones_like(scores)
        if self.label_weights is not None:
            weights = ops.convert_to_tensor(self.label_weights, dtype=scores.dtype)
        return defined_mean(scores, weights, defined)


def trapezoids(counts: Tensor) -> Tensor:
    """The area under the ROC curve from the counts between thresholds, in few passes over them.

    Between two thresholds, the false-positive rate falls by the share of negatives there, and
    recall from that of the positives above the lower one to that without those between.
    """
    below = _backend.cumsum(counts[1], axis=0)
    total = below[-1]
    heights = total - below[1:-1] + 0.5 * counts[1][1:-1]
    heights = heights / ops.where(ops.equal(total, 0), ops.ones_like(total), total)
    return quotient(ops.sum(counts[0][1:-1] * heights, axis=0), ops.sum(counts[0], axis=0))


def curve_points(curve: str, counts: Confusion) -> tuple[Tensor, Tensor]:
    """The x and y of a curve, one point per threshold."""
    tp, fp, tn, fn = counts.tp, counts.fp, counts.tn, counts.fn
    recall = counts.recall
    if curve == "ROC":
        return quotient(fp, fp + tn), recall
    if curve == "PR":
        return recall, counts.precision
    odds = quotient(tp + fn, tn + fp)
    none = ops.equal(tp, 0)
    recall_gain = 1 - odds * quotient(fn, tp)
    recall_gain = ops.where(none, ops.zeros_like(tp), recall_gain)
    precision_gain = 1 - odds * quotient(fp, tp)
    precision_gain = ops.where(none, ops.ones_like(tp), precision_gain)
    return ops.relu(recall_gain), precision_gain


def riemann_sum(x: Tensor, y: Tensor, method: str) -> Tensor:
    """Area under points ordered by falling x."""
    left, right = y[:-1], y[1:]
    heights = {
        "interpolation": (left + right) / 2,
        "minoring": _backend.minimum(left, right),
        "majoring": _backend.maximum(left, right),
    }[method]
    return ops.sum((x[:-1] - x[1:]) * heights, axis=0)


def interpolated_pr_area(tp: Tensor, fp: Tensor, fn: Tensor) -> Tensor:
    """Area under the precision-recall curve, true positives interpolated linearly in tp + fp.

    Between two thresholds, precision is (intercept + slope p) / p with p = tp + fp, whose
    integral has a logarithm; a straight line would be too optimistic (Davis and Goadrich 2006).
    """
    predicted = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = quotient(gained, ops.relu(predicted[:-1] - predicted[1:]))
    intercept = tp[1:] - slope * predicted[1:]
    both = ops.logical_and(predicted[:-1] > 0, predicted[1:] > 0)
    ratios = quotient(predicted[:-1], ops.relu(predicted[1:]))
    ratios = ops.where(both, ratios, ops.ones_like(ratios))
    areas = slope * (gained + intercept * ops.log(ratios))
    return ops.sum(quotient(areas, ops.relu(tp[1:] + fn[1:])), axis=0)
