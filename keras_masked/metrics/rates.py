"""Rates of the negative class: how many negatives are found, and how many said to be are."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.metrics.averaged import Averaged
from keras_masked.metrics.base import ratio, register
from keras_masked.metrics.classes import average_of
from keras_masked.metrics.tables import BinaryTableMetric
from keras_masked.observation import NAN, Missing
from keras_masked.validation import ClassAverage

Tensor = Any


class NegativeRate(Averaged, BinaryTableMetric):
    """Base class: a rate of the negative class, of all labels or averaged over their columns."""

    _direction = "up"

    def __init__(
        self,
        threshold: float = 0.5,
        from_logits: bool = False,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        average: ClassAverage = "micro",
        missing: Missing = NAN,
    ) -> None:
        self.per_column = average != "micro"
        super().__init__(threshold, from_logits, name, dtype, missing=missing, average=average)

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns."""
        return bool(self.average == "macro")

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The average that was asked for, weighted by the negative labels."""
        negatives = ops.sum(self.table(self._state)[0], axis=0)
        weighted = average_of(self.average, scores, defined, negatives)
        if self.average != "weighted":
            return weighted
        # Without a negative label, as in scikit-learn: of each column all are wrong.
        some = ops.not_equal(ops.sum(negatives), 0)
        return ops.where(some, weighted, average_of("macro", scores, defined, negatives))


@register
class Specificity(NegativeRate):
    r"""How many of the negative labels are predicted to be.

    $$M = \frac{\sum_i o_i w_i \, [y_i = 0, \, p_i \le t]}{\sum_i o_i w_i \, [y_i = 0]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where no negative
    label is observed. The recall of the negative class; one minus the rate of false positives.

    Args:
        threshold: Predictions above it say 1.
        from_logits: Whether `y_pred` holds logits; the threshold is one of probabilities all the
            same.
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the rate of all labels, `None` for one per column, `"macro"` for the
            mean over the columns that have one, `"weighted"` for that mean weighted by their
            negative labels.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or `(labels,)`.

    Raises:
        ValueError: If labels outside [0, 1] that `missing` does not name are at hand. In tensors,
            such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.Specificity()
    >>> y_true = np.array([[1.0, np.nan], [0.0, 0.0]])
    >>> y_pred = np.array([[0.9, 0.8], [0.7, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of two negatives, one is found
    0.5

    Source: Yerushalmy 1947; `sklearn.metrics.recall_score` with `pos_label=0`.
    """

    def score(self, state: Any) -> Tensor:
        """True negatives by negatives."""
        table = self.table(state)
        return ratio(table[0, 0], table[0, 0] + table[0, 1])

    def defined(self, state: Any) -> Tensor:
        """Whether a negative label has been observed."""
        return ops.not_equal(ops.sum(self.table(state)[0], axis=0), 0)


@register
class NegativePredictiveValue(NegativeRate):
    r"""How many of the labels predicted to be negative are.

    $$M = \frac{\sum_i o_i w_i \, [y_i = 0, \, p_i \le t]}{\sum_i o_i w_i \, [p_i \le t]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where no observed
    label is predicted to be negative. The precision of the negative class.

    Args:
        threshold: Predictions above it say 1.
        from_logits: Whether `y_pred` holds logits; the threshold is one of probabilities all the
            same.
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the rate of all labels, `None` for one per column, `"macro"` for the
            mean over the columns that have one, `"weighted"` for that mean weighted by their
            negative labels.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or `(labels,)`.

    Raises:
        ValueError: If labels outside [0, 1] that `missing` does not name are at hand. In tensors,
            such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.NegativePredictiveValue()
    >>> y_true = np.array([[1.0, np.nan], [0.0, 0.0]])
    >>> y_pred = np.array([[0.4, 0.3], [0.2, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # of three, two are right
    0.6667

    Source: Altman and Bland 1994; `sklearn.metrics.precision_score` with `pos_label=0`.
    """

    def score(self, state: Any) -> Tensor:
        """True negatives by predicted negatives."""
        table = self.table(state)
        return ratio(table[0, 0], table[0, 0] + table[1, 0])

    def defined(self, state: Any) -> Tensor:
        """Whether an observed label is predicted to be negative."""
        return ops.not_equal(ops.sum(self.table(state)[:, 0], axis=0), 0)
