"""Accuracies, as functions: 1 where prediction and label agree, one value per label."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import values
from keras_masked.functions.base import register_metric
from keras_masked.missing import CLASS_IDS, NAN, Missing
from keras_masked.observation import holds_class_ids

Tensor = Any


@register_metric
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


@register_metric
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
    options = {"threshold": threshold, "from_logits": from_logits}
    return values(formulas.binary_match, y_true, y_pred, missing, **options)


@register_metric
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


@register_metric
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


@register_metric
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
    return values(formulas.top_k_match, y_true, y_pred, missing, k=k)


@register_metric
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
    formula = formulas.sorted_ids_match if from_sorted_ids else formulas.sparse_top_k_match
    return values(formula, y_true, y_pred, missing, k=k)
