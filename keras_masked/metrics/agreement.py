"""How far predicted classes agree with labels, beyond what chance or the commonest class gives."""

from __future__ import annotations

from typing import Any, Literal

from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.metrics.base import quotient, ratio, register
from keras_masked.metrics.tables import ClassTableMetric, margins
from keras_masked.observation import Missing
from keras_masked.validation import one_of

Tensor = Any

WEIGHTS = (None, "linear", "quadratic")


@register
class MatthewsCorrelation(ClassTableMetric):
    r"""Correlation of predicted classes and labels: 1 if all are right, 0 as by chance.

    $$M = \frac{TP \cdot TN - FP \cdot FN}{\sqrt{(TP + FP)(TP + FN)(TN + FP)(TN + FN)}}$$

    with the weighted counts of the observed labels; of several classes, numerator and both halves
    of the radicand are summed over them. 0 where all labels are predicted to be of one class, NaN
    where all observed labels are of one class.

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
        ValueError: If `y_pred` does not have `num_classes` classes. Also if labels outside [0, 1]
            that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.MatthewsCorrelation()
    >>> y_true = np.array([1.0, 1.0, 0.0, 0.0, np.nan])
    >>> y_pred = np.array([0.9, 0.2, 0.1, 0.3, 0.8])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 x 2 - 0) / sqrt(1 x 2 x 2 x 3)
    0.5774

    Source: Matthews 1975; Gorodkin 2004, equation 8; `sklearn.metrics.matthews_corrcoef`.
    """

    _direction = "up"

    def score(self, state: Any) -> Tensor:
        """The correlation."""
        each = margins(self.table(state))
        covariance = ops.sum(each.right * each.rest - each.alarms * each.missed, axis=0)
        of_labels = ops.sum(each.labels * (each.alarms + each.rest), axis=0)
        of_predicted = ops.sum(each.predicted * (each.missed + each.rest), axis=0)
        return quotient(covariance, ops.sqrt(of_labels) * ops.sqrt(of_predicted))

    def defined(self, state: Any) -> Tensor:
        """Whether labels of two classes are observed."""
        there = ops.not_equal(ops.sum(self.table(state), axis=1), 0)
        return ops.sum(ops.cast(there, "int32"), axis=0) > 1


@register
class CohenKappa(ClassTableMetric):
    r"""Agreement of predicted classes and labels beyond that of independent ones.

    $$M = 1 - \frac{\sum_{jk} v_{jk} C_{jk}}{\sum_{jk} v_{jk} C_{j \cdot} C_{\cdot k} / C},
      \quad C_{jk} = \sum_i o_i w_i \, [y_i = j, \, p_i = k]$$

    with $v_{jk}$ 1 off the diagonal and 0 on it; $|j - k|$ with `weights="linear"`, and
    $(j - k)^2$ with `"quadratic"`, of classes that have an order. NaN where observed labels and
    their predictions are all of one class.

    Args:
        weights: `None`, `"linear"` or `"quadratic"`: what a wrong class costs.
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
        ValueError: On unknown `weights`, or if `y_pred` does not have `num_classes` classes.

    Example:

    >>> metric = keras_masked.metrics.CohenKappa(num_classes=3, sparse_y_true=True)
    >>> y_true = np.array([0, 1, 2, 2, -1])
    >>> y_pred = np.eye(3)[[0, 1, 2, 1, 0]]
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1 - 1 / (4 - (1 x 1 + 1 x 2 + 2 x 1) / 4)
    0.6364

    Source: Cohen 1960, 1968; `sklearn.metrics.cohen_kappa_score`, of which `labels` are all
    classes.
    """

    _direction = "up"

    admits = {"weights": one_of(*WEIGHTS)}

    def __init__(
        self,
        weights: Literal["linear", "quadratic"] | None = None,
        num_classes: int | None = None,
        threshold: float = 0.5,
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = "cohen_kappa",
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(
            num_classes,
            threshold,
            from_logits,
            sparse_y_true,
            name,
            dtype,
            missing=missing,
            weights=weights,
        )

    def _disagreements(self, state: Any) -> tuple[Tensor, Tensor]:
        """What wrong classes cost, and would of independent predictions; times all labels."""
        counts = self.table(state)
        columns = (1,) * (len(counts.shape) - 2)
        ids = ops.arange(self.classes, dtype=counts.dtype)
        apart = ops.abs(ops.expand_dims(ids, 1) - ids)
        if self.weights is None:
            apart = ops.cast(apart > 0, counts.dtype)
        elif self.weights == "quadratic":
            apart = ops.square(apart)
        apart = ops.reshape(apart, (self.classes, self.classes, *columns))
        # Products of counts, and no shares: where both are the same, kappa is exactly 0.
        independent = ops.sum(counts, axis=1, keepdims=True) * ops.sum(counts, 0, keepdims=True)
        cost = ops.sum(apart * counts, axis=(0, 1)) * ops.sum(counts, axis=(0, 1))
        return cost, ops.sum(apart * independent, axis=(0, 1))

    def score(self, state: Any) -> Tensor:
        """One minus their ratio."""
        return 1 - ratio(*self._disagreements(state))

    def defined(self, state: Any) -> Tensor:
        """Whether two classes occur, among the labels or their predictions."""
        return ops.not_equal(self._disagreements(state)[1], 0)


@register
class BalancedAccuracy(ClassTableMetric):
    r"""Mean over the classes of how many of their labels are right.

    $$M = \frac{1}{|K|} \sum_{c \in K}
      \frac{\sum_i o_i w_i \, [y_i = c, \, p_i = c]}{\sum_i o_i w_i \, [y_i = c]}$$

    with $K$ the classes of which labels are observed. NaN where nothing is observed.

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
        ValueError: If `y_pred` does not have `num_classes` classes. Also if labels outside [0, 1]
            that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.BalancedAccuracy()
    >>> y_true = np.array([1.0, 0.0, 0.0, 0.0, np.nan])
    >>> y_pred = np.array([0.9, 0.1, 0.3, 0.8, 0.7])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 / 1 + 2 / 3) / 2
    0.8333

    Source: Brodersen et al. 2010, equation 6; `sklearn.metrics.balanced_accuracy_score`.
    """

    _direction = "up"

    def score(self, state: Any) -> Tensor:
        """The mean recall of the classes that are there."""
        each = margins(self.table(state))
        there = ops.cast(ops.not_equal(each.labels, 0), each.labels.dtype)
        recalls = quotient(each.right, each.labels)
        return ratio(ops.sum(recalls, axis=0), ops.sum(there, axis=0))


@register
class ConfusionMatrix(ClassTableMetric):
    r"""How many labels of each class are predicted to be of which.

    $$C_{jk} = \sum_i o_i w_i \, [y_i = j, \, p_i = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight: truth down, predictions
    across. 0 where nothing is observed.

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
    is a matrix, `(classes, classes)`.

    Raises:
        ValueError: If `y_pred` does not have `num_classes` classes.

    Example:

    >>> metric = keras_masked.metrics.ConfusionMatrix(num_classes=3, sparse_y_true=True)
    >>> y_true = np.array([0, 1, 2, 2, -1])
    >>> y_pred = np.eye(3)[[0, 1, 2, 1, 0]]
    >>> metric.update_state(y_true, y_pred)
    >>> print(keras.ops.convert_to_numpy(metric.result()))
    [[1. 0. 0.]
     [0. 1. 0.]
     [0. 1. 1.]]

    Source: `sklearn.metrics.confusion_matrix`, of which `labels` are all classes.
    """

    def score(self, state: Any) -> Tensor:
        """The counts."""
        return self.table(state)

    def defined(self, state: Any) -> Tensor:
        """Always: of nothing, there is none."""
        return ops.ones_like(self.support_of(state), dtype="bool")

    def check_per_label(self) -> None:
        """Raises `ValueError`: a label's value is one number."""
        raise ValueError(
            "ConfusionMatrix has a matrix for a result, where each label has one number. Keep one "
            "object per label, or `PerLabel` of a metric such as `MatthewsCorrelation`."
        )
