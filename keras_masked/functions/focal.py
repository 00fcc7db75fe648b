"""Focal cross-entropies, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the binary focal cross-entropy of each row, over its observed labels.

    See `BinaryFocalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> rows = keras_masked.losses.binary_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0956, 0.1733]
    """
    return row_values(
        formulas.binary_focal_crossentropy,
        y_true,
        y_pred,
        missing,
        apply_class_balancing=apply_class_balancing,
        alpha=alpha,
        gamma=gamma,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        axis=axis,
    )


@register_loss
def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the focal cross-entropy of each one-hot label, 0 where it is missing.

    See `CategoricalFocalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0045, 0.0]
    """
    return row_values(
        formulas.categorical_focal_crossentropy,
        y_true,
        y_pred,
        missing,
        alpha=alpha,
        gamma=gamma,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        axis=axis,
    )
