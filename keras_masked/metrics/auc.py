"""The area under a curve of binary labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.metrics.r2 import defined_mean
from keras_masked.missing import NAN, Missing

Tensor = Any

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "majoring", "minoring")


@register
class AUC(MaskedMetric):
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
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` of one shape; `(batch, columns)` with `multi_label`. The result
    is a scalar.

    Raises:
        ValueError: On an unknown `curve` or `summation_method`, fewer than two thresholds,
            `num_labels` without `multi_label`, or not one of `label_weights` per column.

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

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
        *,
        missing: Missing = NAN,
    ) -> None:
        # Keras also takes members of its enums, whose values are these strings.
        curve = _one_of(CURVES, getattr(curve, "value", curve), "curve")
        summation_method = _one_of(
            SUMMATIONS, getattr(summation_method, "value", summation_method), "summation_method"
        )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. "
                f"Received: num_thresholds={num_thresholds}"
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if thresholds is not None:
            thresholds = tuple(sorted(float(t) for t in thresholds))
            if any(not 0 <= t <= 1 for t in thresholds):
                raise ValueError(
                    f"Threshold values must be in [0, 1]. Received: thresholds={thresholds}"
                )
            num_thresholds = len(thresholds) + 2
        if label_weights is not None:
            label_weights = tuple(float(w) for w in np.asarray(label_weights))
        super().__init__(
            name,
            dtype,
            missing=missing,
            num_thresholds=num_thresholds,
            curve=curve,
            summation_method=summation_method,
            thresholds=thresholds,
            multi_label=multi_label,
            num_labels=num_labels,
            label_weights=label_weights,
            from_logits=from_logits,
        )
        # An array: PyTorch takes a hundred times longer to convert a list of 2,000 numbers.
        epsilon = backend.epsilon()
        edges = () if thresholds is None else (-epsilon, *thresholds, 1 + epsilon)
        self._edges = np.array(edges, dtype="float64")
        self._columns: int | None = None
        if not multi_label:
            self._build(1)
        elif num_labels:
            self._build(num_labels)

    def _build(self, columns: int) -> None:
        if self._columns == columns:
            return
        if self._columns is not None:
            raise ValueError(
                f"`y_true` must have {self._columns} columns (`num_labels`, or those of the first "
                f"batch). Received: {columns} columns."
            )
        self._columns = columns
        if self.multi_label:
            self._check_label_weights(columns)
        # How many negatives and positives lie above exactly k thresholds, k = 0 ... n.
        shape = (2, self.num_thresholds + 1, columns)
        self._histogram = self.accumulator("histogram", shape)

    def _check_label_weights(self, columns: int) -> None:
        if self.label_weights is not None and len(self.label_weights) != columns:
            raise ValueError(
                "`label_weights` must have one weight per column. Received: label_weights="
                f"{tuple(self.label_weights)} for labels with {columns} columns."
            )

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing; any but 0 is positive.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self.observe(y_true, y_pred, sample_weight)
        if self.multi_label and len(seen.y_pred.shape) != 2:
            raise ValueError(
                "`y_pred` must have rank 2 when `multi_label=True`. "
                f"Received: y_pred.shape={tuple(seen.y_pred.shape)}"
            )
        columns = seen.y_pred.shape[-1] if self.multi_label else 1
        self._build(columns)
        weight = seen.weight
        if weight is None:
            weight = ops.ones_like(seen.y_pred)
            if seen.observed is not None:
                weight = ops.cast(seen.observed, seen.y_pred.dtype)
        if self.label_weights is not None and not self.multi_label:
            self._check_label_weights(seen.y_pred.shape[-1])
            weight = weight * ops.convert_to_tensor(self.label_weights, dtype=weight.dtype)
        y_pred = ops.sigmoid(seen.y_pred) if self.from_logits else seen.y_pred
        # No threshold compares with NaN: count it as NaN, where it is seen at all.
        unknown = ops.logical_or(ops.isnan(y_pred), ops.isnan(seen.y_true))
        y_pred = ops.where(unknown, ops.zeros_like(y_pred), y_pred)
        unknown = ops.logical_and(unknown, ops.not_equal(weight, 0))
        weight = ops.where(unknown, ops.full_like(weight, float("nan")), weight)

        size = self.num_thresholds + 1
        positive = ops.cast(ops.not_equal(seen.y_true, 0), "int32")
        bins = (positive * size + self._thresholds_below(y_pred)) * columns
        if columns > 1:
            bins = bins + ops.arange(columns, dtype="int32")
        counts = ops.segment_sum(
            ops.reshape(weight, (-1,)), ops.reshape(bins, (-1,)), num_segments=2 * size * columns
        )
        self._histogram.add(ops.reshape(counts, (2, size, columns)))

    def _thresholds_below(self, y_pred: Tensor) -> Tensor:
        """How many thresholds each prediction exceeds: one more than its place among them."""
        if self.thresholds is not None:
            edges = ops.convert_to_tensor(self._edges, dtype=y_pred.dtype)
            flat = ops.searchsorted(edges, ops.reshape(y_pred, (-1,)), side="left")
            return ops.cast(ops.reshape(flat, ops.shape(y_pred)), "int32")
        steps = ops.clip(y_pred, 0.0, 1.0) * (self.num_thresholds - 1)
        return ops.cast(ops.maximum(ops.ceil(steps), ops.ones_like(steps)), "int32")

    def confusion(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """True positives, false positives, true negatives, false negatives per threshold."""
        counts = self._histogram.value
        above = ops.flip(ops.cumsum(ops.flip(counts, axis=1), axis=1), axis=1)[:, 1:]
        negatives, positives = ops.sum(counts[0], axis=0), ops.sum(counts[1], axis=0)
        return above[1], above[0], negatives - above[0], positives - above[1]

    def result(self) -> Tensor:
        """Returns the area, NaN unless both classes have been observed."""
        if self._columns is None:
            return ops.convert_to_tensor(float("nan"), dtype=self.dtype)
        tp, fp, tn, fn = self.confusion()
        defined = ops.logical_and(ops.not_equal(tp[0] + fn[0], 0), ops.not_equal(fp[0] + tn[0], 0))
        if self.curve == "PR" and self.summation_method == "interpolation":
            area = interpolated_pr_area(tp, fp, fn)
        else:
            x, y = curve_points(self.curve, tp, fp, tn, fn)
            area = riemann_sum(x, y, self.summation_method)
        weights = ops.ones_like(area)
        if self.multi_label and self.label_weights is not None:
            weights = ops.convert_to_tensor(self.label_weights, dtype=area.dtype)
        return ops.cast(defined_mean(area, weights, defined), self.dtype)

    def support(self) -> Tensor:
        """Returns the sum of weights, or the number of observed labels: per column, if several."""
        if self._columns is None:
            return ops.zeros((1,))
        support = ops.sum(self._histogram.value, axis=(0, 1))
        return support if self.multi_label else support[0]


def curve_points(
    curve: str, tp: Tensor, fp: Tensor, tn: Tensor, fn: Tensor
) -> tuple[Tensor, Tensor]:
    """The x and y of a curve, one point per threshold."""
    recall = ops.divide_no_nan(tp, tp + fn)
    if curve == "ROC":
        return ops.divide_no_nan(fp, fp + tn), recall
    if curve == "PR":
        return recall, ops.divide_no_nan(tp, tp + fp)
    odds = ops.divide_no_nan(tp + fn, tn + fp)
    none = ops.equal(tp, 0)
    recall_gain = 1 - odds * ops.divide_no_nan(fn, tp)
    recall_gain = ops.where(none, ops.zeros_like(tp), recall_gain)
    precision_gain = 1 - odds * ops.divide_no_nan(fp, tp)
    precision_gain = ops.where(none, ops.ones_like(tp), precision_gain)
    return ops.relu(recall_gain), precision_gain


def riemann_sum(x: Tensor, y: Tensor, method: str) -> Tensor:
    """Area under points ordered by falling x."""
    left, right = y[:-1], y[1:]
    heights = {
        "interpolation": (left + right) / 2,
        "minoring": ops.minimum(left, right),
        "majoring": ops.maximum(left, right),
    }[method]
    return ops.sum((x[:-1] - x[1:]) * heights, axis=0)


def interpolated_pr_area(tp: Tensor, fp: Tensor, fn: Tensor) -> Tensor:
    """Area under the precision-recall curve, true positives interpolated linearly in tp + fp.

    Between two thresholds, precision is (intercept + slope p) / p with p = tp + fp, whose
    integral has a logarithm; a straight line would be too optimistic (Davis and Goadrich 2006).
    """
    predicted = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = ops.divide_no_nan(gained, ops.relu(predicted[:-1] - predicted[1:]))
    intercept = tp[1:] - slope * predicted[1:]
    both = ops.logical_and(predicted[:-1] > 0, predicted[1:] > 0)
    ratios = ops.divide_no_nan(predicted[:-1], ops.relu(predicted[1:]))
    ratios = ops.where(both, ratios, ops.ones_like(ratios))
    areas = slope * (gained + intercept * ops.log(ratios))
    return ops.sum(ops.divide_no_nan(areas, ops.relu(tp[1:] + fn[1:])), axis=0)


def _one_of(allowed: tuple[str, ...], value: Any, argument: str) -> str:
    for each in allowed:
        if str(value).lower() == each.lower():
            return each
    raise ValueError(
        f"Invalid value for argument `{argument}`. Expected one of {allowed}. "
        f"Received: {argument}={value!r}"
    )
