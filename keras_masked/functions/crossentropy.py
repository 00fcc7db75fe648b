"""Cross-entropies, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import CLASS_IDS, NAN, Missing, join_markers

Tensor = Any


@register_loss
def binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the binary cross-entropy of each row, over its observed labels.

    See `BinaryCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> rows = keras_masked.losses.binary_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.4904, 0.6931]
    """
    return row_values(
        formulas.binary_crossentropy,
        y_true,
        y_pred,
        missing,
        axis=axis,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
    )


@register_loss
def categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the cross-entropy of each one-hot or soft label, 0 where it is missing.

    See `CategoricalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    return row_values(
        formulas.categorical_crossentropy,
        y_true,
        y_pred,
        missing,
        axis=axis,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
    )


@register_loss
def sparse_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the cross-entropy of each class id, 0 where it is missing.

    See `SparseCategoricalCrossentropy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.sparse_categorical_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    return row_values(
        formulas.sparse_categorical_crossentropy,
        y_true,
        y_pred,
        join_markers(missing, ignore_class),
        axis=axis,
        from_logits=from_logits,
    )


@register_loss
def categorical_generalized_cross_entropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    q: float = 0.5,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the generalised cross-entropy of each class id, 0 where it is missing.

    See `CategoricalGeneralizedCrossEntropy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_generalized_cross_entropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2679, 0.0]
    """
    return row_values(
        formulas.generalized_cross_entropy,
        y_true,
        y_pred,
        missing,
        q=q,
    )
