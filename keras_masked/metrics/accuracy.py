"""Accuracies: classes and functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_masked.formulas import accuracy as formulas
from keras_masked.metrics.averaged import ClassAccuracy, ColumnAccuracy
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import CLASS_IDS, NAN, Missing, holds_class_ids, values
from keras_masked.validation import BOOLEAN, FRACTION, POSITIVE_INTEGER, ClassAverage

Tensor = Any


@register
class BinaryAccuracy(ColumnAccuracy):
    r"""How often a prediction beyond the threshold agrees with a binary label.

    $$M = \frac{\sum_i o_i w_i \, [(p_i > t) = y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        threshold: Predictions above it say 1.
        from_logits: Whether `y_pred` holds logits; the threshold is one of probabilities all the
            same.
        average: `"micro"` for the share of all labels, `None` for one per column, `"macro"` for the
            mean over the columns of which labels are observed, `"weighted"` for that mean weighted
            by their numbers.
        target_class_ids: The columns whose labels count; by default all.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or
    `(labels,)`.

    Raises:
        ValueError: If labels outside [0, 1] that `missing` does not name are at hand. In tensors,
            such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.BinaryAccuracy()
    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[0.2, 0.4, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # one of two
    0.5

    Source: `keras.metrics.BinaryAccuracy`.
    """

    formula = formulas.binary_match
    _direction = "up"

    admits = {"threshold": FRACTION, "from_logits": BOOLEAN}

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
        *,
        from_logits: bool = False,
        average: ClassAverage = "micro",
        target_class_ids: Sequence[int] | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            name,
            dtype,
            average=average,
            target_class_ids=target_class_ids,
            missing=missing,
            threshold=threshold,
            from_logits=from_logits,
        )


@register
class CategoricalAccuracy(ClassAccuracy):
    r"""How often prediction and one-hot label are greatest in the same class.

    $$M = \frac{\sum_i o_i w_i \, [\arg\max_c p_{ic} = \arg\max_c y_{ic}]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the share of all labels, `None` for one per class, `"macro"` for the
            mean over the classes of which labels are observed, `"weighted"` for that mean weighted
            by their numbers.
        target_class_ids: The classes whose labels count; by default all.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a
    scalar, or `(classes,)`.

    Example:

    >>> metric = keras_masked.metrics.CategoricalAccuracy()
    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.CategoricalAccuracy`.
    """

    formula = formulas.categorical_match
    _direction = "up"


@register
class SparseCategoricalAccuracy(ClassAccuracy):
    r"""How often the prediction is greatest in the class of the label.

    $$M = \frac{\sum_i o_i w_i \, [\arg\max_c p_{ic} = y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        average: `"micro"` for the share of all labels, `None` for one per class, `"macro"` for the
            mean over the classes of which labels are observed, `"weighted"` for that mean weighted
            by their numbers.
        target_class_ids: The classes whose labels count; by default all.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; the result is a
    scalar, or `(classes,)`.

    Example:

    >>> metric = keras_masked.metrics.SparseCategoricalAccuracy()
    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.SparseCategoricalAccuracy`.
    """

    formula = formulas.sparse_categorical_match
    _direction = "up"
    default_missing = CLASS_IDS


@register
class Accuracy(MeanMetric):
    r"""How often predictions equal labels.

    $$M = \frac{\sum_i o_i w_i \, [p_i = y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.Accuracy()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 3.0]])
    >>> y_pred = np.array([[1.0, 2.0], [0.0, 3.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # two of three
    0.6667

    Source: `keras.metrics.Accuracy`.
    """

    formula = formulas.exact_match
    _direction = "up"


@register
class TopKCategoricalAccuracy(MeanMetric):
    r"""How often the class of a one-hot label is among the k greatest predictions.

    $$M = \frac{\sum_i o_i w_i \, [\mathrm{rank}(p_{i y_i}) \le k]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        k: How many of the greatest predictions are looked at.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.TopKCategoricalAccuracy(k=2)
    >>> y_true = np.array([[0.0, 0.0, 1.0], [np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.TopKCategoricalAccuracy`.
    """

    formula = formulas.top_k_match
    _direction = "up"

    admits = {"k": POSITIVE_INTEGER}

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, k=k)


@register
class SparseTopKCategoricalAccuracy(MeanMetric):
    r"""How often the class of a label is among the k greatest predictions.

    $$M = \frac{\sum_i o_i w_i \, [\mathrm{rank}(p_{i y_i}) \le k]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        k: How many of the greatest predictions are looked at.
        name: Name of the metric.
        dtype: Dtype of the result.
        from_sorted_ids: Whether `y_pred` holds the ids of classes, from the best one down, instead
            of one score per class.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.SparseTopKCategoricalAccuracy(k=2)
    >>> y_true = np.array([2, -1])
    >>> y_pred = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.SparseTopKCategoricalAccuracy`.
    """

    _direction = "up"

    admits = {"k": POSITIVE_INTEGER, "from_sorted_ids": BOOLEAN}

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        by_id = formulas.sorted_ids_match
        self.formula = by_id if from_sorted_ids else formulas.sparse_top_k_match
        super().__init__(name, dtype, missing=missing, k=k, from_sorted_ids=from_sorted_ids)


@register
def accuracy(y_true: Tensor, y_pred: Tensor, *, missing: Missing = CLASS_IDS) -> Tensor:
    """Returns 1 where the predicted class is that of the label, else or where missing 0.

    See `Accuracy` for predicted ids, and `SparseCategoricalAccuracy` for one score per class, of
    which the greatest is that of the predicted one; the shapes tell which of them it is.

    >>> matches = keras_masked.metrics.accuracy(np.array([1, 2, -1]), np.array([1, 0, 0]))
    >>> [float(match) for match in matches]
    [1.0, 0.0, 0.0]
    >>> scores = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> matches = keras_masked.metrics.accuracy(np.array([1, -1]), scores)
    >>> [float(match) for match in matches]
    [1.0, 0.0]
    """
    scores = holds_class_ids(y_true, y_pred)
    formula = formulas.sparse_categorical_match if scores else formulas.exact_match
    return values(formula, y_true, y_pred, missing)


@register
def binary_accuracy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    threshold: float = 0.5,
    from_logits: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns 1 where `y_pred > threshold` agrees with the label, else or where missing 0.

    See `BinaryAccuracy`.

    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[0.2, 0.4, 0.9]])
    >>> matches = keras_masked.metrics.binary_accuracy(y_true, y_pred)
    >>> [float(match) for match in matches[0]]
    [1.0, 0.0, 0.0]
    """
    options = BinaryAccuracy.checked(threshold=threshold, from_logits=from_logits)
    return values(formulas.binary_match, y_true, y_pred, missing, **options)


@register
def categorical_accuracy(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns 1 where one-hot label and prediction peak in the same class, else or missing 0.

    See `CategoricalAccuracy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> matches = keras_masked.metrics.categorical_accuracy(y_true, y_pred)
    >>> [float(match) for match in matches]
    [1.0, 0.0]
    """
    return values(formulas.categorical_match, y_true, y_pred, missing)


@register
def sparse_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = CLASS_IDS
) -> Tensor:
    """Returns 1 where the prediction peaks in the class of the label, else or missing 0.

    See `SparseCategoricalAccuracy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> matches = keras_masked.metrics.sparse_categorical_accuracy(y_true, y_pred)
    >>> [float(match) for match in matches]
    [1.0, 0.0]
    """
    return values(formulas.sparse_categorical_match, y_true, y_pred, missing)


@register
def top_k_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, *, k: int = 5, missing: Missing = NAN
) -> Tensor:
    """Returns 1 where the class of the label has one of the k best predictions, else or missing 0.

    See `TopKCategoricalAccuracy`.

    >>> y_true = np.array([[0.0, 0.0, 1.0], [np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    >>> matches = keras_masked.metrics.top_k_categorical_accuracy(y_true, y_pred, k=2)
    >>> [float(match) for match in matches]
    [1.0, 0.0]
    """
    return values(
        formulas.top_k_match, y_true, y_pred, missing, **TopKCategoricalAccuracy.checked(k=k)
    )


@register
def sparse_top_k_categorical_accuracy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    k: int = 5,
    from_sorted_ids: bool = False,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns 1 where the class of the label has one of the k best predictions, else or missing 0.

    See `SparseTopKCategoricalAccuracy`.

    >>> y_true = np.array([2, -1])
    >>> y_pred = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])
    >>> matches = keras_masked.metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2)
    >>> [float(match) for match in matches]
    [1.0, 0.0]
    """
    options = SparseTopKCategoricalAccuracy.checked(k=k, from_sorted_ids=from_sorted_ids)
    formula = formulas.sparse_top_k_match
    if options.pop("from_sorted_ids"):
        formula = formulas.sorted_ids_match
    return values(formula, y_true, y_pred, missing, **options)
