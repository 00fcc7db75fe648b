"""How many labels are wrong, and how many rows without any."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.formulas.accuracy import binary_match
from keras_masked.formulas.labels import PROBABILITY
from keras_masked.metrics.base import quotient, ratio, register
from keras_masked.metrics.columns import ColumnMetric, tally, total
from keras_masked.metrics.tables import ClassTableMetric, margins
from keras_masked.observation import Missing, Observation
from keras_masked.validation import BOOLEAN, FRACTION

Tensor = Any


@register
class HammingLoss(ClassTableMetric):
    r"""Share of the labels that are predicted to be of another class.

    $$M = \frac{\sum_i o_i w_i \, [(p_i > t) \ne y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight: one minus the accuracy.
    NaN where nothing is observed.

    Args:
        num_classes: Number of classes; by default, labels are binary.
        threshold: Predictions above it say 1, of binary labels.
        from_logits: Whether `y_pred` holds logits; the threshold is one of probabilities all the
            same.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar.

    Raises:
        ValueError: If `y_pred` does not have `num_classes` classes.

    Example:

    >>> metric = keras_masked.metrics.HammingLoss()
    >>> y_true = np.array([[1.0, 0.0], [0.0, np.nan]])
    >>> y_pred = np.array([[0.9, 0.7], [0.3, 0.8]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # one of three
    0.3333

    Source: `sklearn.metrics.hamming_loss`.
    """

    _direction = "down"

    def score(self, state: Any) -> Tensor:
        """The share of what is off the diagonal."""
        missed = ops.sum(margins(self.table(state)).missed, axis=0)
        return ratio(missed, self.support_of(state))


@register
class ExactMatch(ColumnMetric):
    r"""Share of the rows of which all observed labels are right.

    $$M = \frac{\sum_r w_r \prod_{i \in r, o_i} [(p_i > t) = y_i]}{\sum_r w_r}$$

    over the rows (the last axis) with any observed label; $w_r$ is the mean weight of these. NaN
    where nothing is observed. Also known as subset accuracy.

    Args:
        threshold: Predictions above it say 1.
        from_logits: Whether `y_pred` holds logits; the threshold is one of probabilities all the
            same.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`, or `(batch,)` of rows of one; the result
    is a scalar. `PerLabel` makes a row of each label.

    Example:

    >>> metric = keras_masked.metrics.ExactMatch()
    >>> y_true = np.array([[1.0, 0.0], [0.0, np.nan]])
    >>> y_pred = np.array([[0.9, 0.7], [0.3, 0.8]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # the second of two
    0.5

    Source: `sklearn.metrics.accuracy_score` of rows of labels.
    """

    label = PROBABILITY
    _direction = "up"

    admits = {"threshold": FRACTION, "from_logits": BOOLEAN}

    def __init__(
        self,
        threshold: float = 0.5,
        from_logits: bool = False,
        name: str | None = "exact_match",
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        options = {"threshold": threshold, "from_logits": from_logits}
        super().__init__(name, dtype, missing=missing, **options)

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError`: what is counted is no label, but all of a row."""
        if not per_label:
            raise ValueError(
                "ExactMatch counts rows of labels, where sums over labels are wanted. It has "
                "neither intervals nor groups."
            )

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Weights of right rows, of all rows, and of labels."""
        return (3,)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        options = {"threshold": self.threshold, "from_logits": self.from_logits}
        match = ops.cast(binary_match(seen.y_true, seen.y_pred, **options), seen.y_pred.dtype)
        counts = ops.ones_like(match)
        if seen.hidden is not None:
            hidden = seen.hidden()
            counts = _backend.zero_where(hidden, counts)
            match = ops.where(hidden, ops.ones_like(match), match)
        weights = seen.weights
        if not per_column and len(match.shape) > 1:
            match = ops.prod(match, axis=-1)  # a NaN stays one
            weights = quotient(ops.sum(weights, axis=-1), ops.sum(counts, axis=-1))
        right = total(match * weights, per_column)
        labels = tally(ops.ones_like(seen.y_pred, dtype="bool"), seen, per_column)
        return ops.stack([right, total(weights, per_column), labels])

    def score(self, state: Any) -> Tensor:
        """The share of rows."""
        sums = state.value
        return ratio(sums[0], sums[1])

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed, or a diverged prediction, even if weights cancel."""
        sums = state.value
        return ops.logical_or(ops.not_equal(sums[1], 0), ops.isnan(sums[0]))

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.value[2]
