"""Losses of real-valued labels, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def mean_squared_error(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the mean squared error of each row, over its observed labels.

    See `MeanSquaredError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_squared_error(y_true, y_pred)
    >>> [float(row) for row in rows]
    [1.0, 2.0]
    """
    return row_values(formulas.squared_error, y_true, y_pred, missing)


@register_loss
def mean_absolute_error(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the mean absolute error of each row, over its observed labels.

    See `MeanAbsoluteError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_absolute_error(y_true, y_pred)
    >>> [float(row) for row in rows]
    [1.0, 1.0]
    """
    return row_values(formulas.absolute_error, y_true, y_pred, missing)


@register_loss
def mean_absolute_percentage_error(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean absolute percentage error of each row, over its observed labels.

    See `MeanAbsolutePercentageError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_absolute_percentage_error(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [100.0, 25.0]
    """
    return row_values(
        formulas.absolute_percentage_error,
        y_true,
        y_pred,
        missing,
    )


@register_loss
def mean_squared_logarithmic_error(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean squared logarithmic error of each row, over its observed labels.

    See `MeanSquaredLogarithmicError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_squared_logarithmic_error(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.1644, 0.0566]
    """
    return row_values(
        formulas.squared_logarithmic_error,
        y_true,
        y_pred,
        missing,
    )
