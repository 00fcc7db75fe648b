"""Margin losses, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import CLASS_IDS, NAN, Missing

Tensor = Any


@register_loss
def hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean hinge loss of each row, over its observed labels.

    See `Hinge`.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.75]
    """
    return row_values(
        formulas.hinge,
        y_true,
        y_pred,
        missing,
    )


@register_loss
def squared_hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean squared hinge loss of each row, over its observed labels.

    See `SquaredHinge`.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.squared_hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.25, 1.125]
    """
    return row_values(
        formulas.squared_hinge,
        y_true,
        y_pred,
        missing,
    )


@register_loss
def categorical_hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the hinge loss of each one-hot label, 0 where it is missing.

    See `CategoricalHinge`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.0]
    """
    return row_values(
        formulas.categorical_hinge,
        y_true,
        y_pred,
        missing,
    )


@register_loss
def hinge_loss(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    delta: float = 1.0,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean of max(0, delta - y p) of each row, over its observed labels.

    See `Hinge`; `hinge` is the same with a margin of 1.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.hinge_loss(y_true, y_pred, delta=2.0)
    >>> [round(float(row), 4) for row in rows]
    [1.5, 1.25]
    """
    return row_values(formulas.hinge, y_true, y_pred, missing, delta=delta)


@register_loss
def multiclass_hinge_loss(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    delta: float = 1.0,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns by how much each class id fails a margin to the best other class, 0 where missing.

    See `MulticlassHinge`.

    >>> y_true = np.array([0, 2, -1])
    >>> y_pred = np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.5], [0.0, 0.0, 9.0]])
    >>> rows = keras_masked.losses.multiclass_hinge_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0, 1.5, 0.0]
    """
    return row_values(formulas.multiclass_hinge, y_true, y_pred, missing, delta=delta)
