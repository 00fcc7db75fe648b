"""How far predicted probabilities are from the frequencies that follow."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.metrics.base import known, quotient, register
from keras_masked.metrics.classes import one_versus_rest
from keras_masked.metrics.contingency import greatest
from keras_masked.metrics.fine_bins import fine_bin, sum_bins
from keras_masked.metrics.probabilities import ProbabilityMetric
from keras_masked.observation import Missing, Observation
from keras_masked.validation import POSITIVE_INTEGER, one_of

Tensor = Any

NORMS = ("l1", "l2", "max")
BINNINGS = ("uniform", "quantile")
MODES = (None, "binary", "top_label", "class_wise")
FINE = 4096
"""Into so many bins predictions are sorted before these are joined to bins of equal numbers."""


@register
class ExpectedCalibrationError(ProbabilityMetric):
    r"""Mean distance of predicted probabilities and the frequencies that follow, over bins.

    $$M = \sum_b \frac{W_b}{W} \left| \bar p_b - \bar y_b \right|, \quad
      W_b = \sum_{i \in b} o_i w_i$$

    with $\bar p_b$ and $\bar y_b$ the weighted means of the observed labels of bin $b$ and of their
    predictions; with `norm="l2"` the root of the mean square, and with `"max"` the largest of these
    distances. 0 at best. NaN where nothing is observed.

    `mode="binary"` asks whether events of probability p happen in a share p of cases; `"top_label"`
    whether the class that is predicted is right in a share of cases that is its probability; and
    `"class_wise"` is the mean of `"binary"` over the classes, each against the others.

    Args:
        bins: Number of bins.
        norm: `"l1"`, `"l2"` or `"max"`.
        binning: `"uniform"` for bins of equal width, `"quantile"` for bins of equally many labels,
            whose edges are rounded to one of 4,096 steps.
        mode: `"binary"`, `"top_label"` or `"class_wise"`; by default `"binary"`, and `"top_label"`
            with `num_classes`.
        num_classes: Number of classes; by default, labels are binary.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar.

    Raises:
        ValueError: On an unknown `norm`, `binning` or `mode`, one that does not go with
            `num_classes`, or if `y_pred` does not have `num_classes` classes or holds what is no
            probability.

    Example:

    >>> metric = keras_masked.metrics.ExpectedCalibrationError(bins=2)
    >>> y_true = np.array([0.0, 1.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.1, 0.3, 0.7, 0.9, 0.6])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (|0.2 - 0.5| + |0.8 - 1|) / 2
    0.25

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3; Nixon et al. 2019, equation 4 for
    `"class_wise"`. Bins are those of `sklearn.calibration.calibration_curve`.
    """

    _direction = "down"

    admits = {
        "bins": POSITIVE_INTEGER,
        "norm": one_of(*NORMS),
        "binning": one_of(*BINNINGS),
        "mode": one_of(*MODES),
    }

    def __init__(
        self,
        bins: int = 15,
        norm: Literal["l1", "l2", "max"] = "l1",
        binning: Literal["uniform", "quantile"] = "uniform",
        mode: Literal["binary", "top_label", "class_wise"] | None = None,
        num_classes: int | None = None,
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = "expected_calibration_error",
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        if mode is not None and (mode == "binary") != (num_classes is None):
            raise ValueError(
                '`mode` must be "binary" of binary labels, and "top_label" or "class_wise" with '
                f"`num_classes`. Received: mode={mode!r}, num_classes={num_classes}"
            )
        super().__init__(
            num_classes,
            from_logits,
            sparse_y_true,
            name,
            dtype,
            missing=missing,
            bins=bins,
            norm=norm,
            binning=binning,
            mode=mode,
        )

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Weights, predictions and labels of each bin, and of each class where these are apart."""
        classes = (self.num_classes,) if self.mode == "class_wise" else ()
        return (3, FINE if self.binning == "quantile" else self.bins, *classes)

    def check_per_label(self) -> None:
        """Raises `ValueError` where classes are columns themselves."""
        if self.mode == "class_wise":
            raise ValueError(
                '`mode="class_wise"` makes a column of each class, where each label has one value '
                'here. Received: mode="class_wise"'
            )

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        confidence = self.probabilities(seen)
        if self.mode == "class_wise":
            seen = one_versus_rest(seen, self.sparse_y_true)
            right = seen.y_true
        elif self.num_classes is not None:
            ids = seen.y_true if self.sparse_y_true else greatest(seen.y_true)
            valid = ops.logical_and(ids >= 0, ids < self.num_classes)
            best = greatest(confidence)
            right = ops.cast(ops.equal(ops.cast(ids, "float32"), best), confidence.dtype)
            right = known(right, valid)
            confidence = known(_backend.amax(confidence, axis=-1), ops.logical_not(ops.isnan(best)))
            seen = dataclasses.replace(seen, y_true=right, y_pred=confidence)
        else:
            right = seen.y_true
        if self.binning == "quantile":
            places = fine_bin(confidence, FINE, from_logits=False)
        else:
            places = _backend.ceil(ops.nan_to_num(confidence) * self.bins) - 1
            places = ops.cast(_backend.clip(places, 0, self.bins - 1), "int32")
        if seen.hidden is not None:
            hidden = seen.hidden()
            confidence, right = (_backend.zero_where(hidden, x) for x in (confidence, right))
        weight = seen.weights
        kinds = [weight, weight * confidence, weight * right]
        apart = per_column or self.mode == "class_wise"
        return ops.stack([sum_bins(x, places, self.sums_shape[1], apart) for x in kinds])

    def _bins(self, state: Any) -> Tensor:
        """Weights, predictions and labels of each bin."""
        sums = state.value
        if self.binning == "uniform":
            return sums
        # As scikit-learn's percentiles: the i-th of n labels is at (i - 1) / (n - 1).
        whole = ops.sum(sums[0], axis=0)
        before = _backend.cumsum(sums[0], axis=0) - sums[0]
        last = _backend.maximum(whole - 1, whole / 2)
        place = _backend.ceil(quotient(before * self.bins, last)) - 1
        place = _backend.clip(place, 0, self.bins - 1)
        zeros = ops.zeros_like(sums)
        joined = [
            ops.sum(ops.where(ops.equal(place, b), sums, zeros), axis=1) for b in range(self.bins)
        ]
        return ops.stack(joined, axis=1)

    def score(self, state: Any) -> Tensor:
        """The mean distance."""
        weight, confidence, right = ops.unstack(self._bins(state), 3)
        gaps, whole = ops.abs(confidence - right), ops.sum(weight, axis=0)
        if self.norm == "max":
            unknown = 0 * ops.sum(gaps, axis=0)  # a maximum might swallow it
            scores = _backend.amax(quotient(gaps, weight), axis=0) + unknown
        elif self.norm == "l2":
            squares = ops.sum(quotient(ops.square(gaps), weight), axis=0)
            scores = ops.sqrt(quotient(squares, whole))
        else:
            scores = quotient(ops.sum(gaps, axis=0), whole)
        if self.mode == "class_wise":
            return _backend.mean(scores)
        return scores

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed."""
        return ops.not_equal(self.support_of(state), 0)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        labels = ops.sum(state.value[0], axis=0)
        return labels[0] if self.mode == "class_wise" else labels

    def reliability(self) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the mean prediction, the frequency and the support of each bin.

        They are what a reliability diagram shows. NaN in bins where nothing is observed.

        >>> metric = keras_masked.metrics.ExpectedCalibrationError(bins=2)
        >>> metric.update_state(np.array([0.0, 1.0, np.nan]), np.array([0.25, 0.375, 0.9]))
        >>> predicted, frequency, support = metric.reliability()
        >>> float(predicted[0]), float(frequency[0]), float(support[0])
        (0.3125, 0.5, 2.0)
        """
        weight, confidence, right = ops.unstack(self._bins(self._state), 3)
        there = ops.not_equal(weight, 0)
        return (
            known(quotient(confidence, weight), there),
            known(quotient(right, weight), there),
            weight,
        )
