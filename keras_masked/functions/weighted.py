"""Squared errors that weigh what is rare, extreme or missed, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def exponentially_weighted_mse(
    y_true: Tensor, y_pred: Tensor, *, a: float = 5.0, missing: Missing = NAN
) -> Tensor:
    """Returns the exponentially weighted squared error of each row, over its observed labels.

    See `ExponentiallyWeightedMSE`.

    >>> y_true = np.array([[0.0, np.nan], [0.5, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 0.5]])
    >>> rows = keras_masked.losses.exponentially_weighted_mse(y_true, y_pred, a=2.0)
    >>> [round(float(row), 4) for row in rows]
    [0.25, 0.9236]
    """
    return row_values(formulas.exponentially_weighted_squared_error, y_true, y_pred, missing, a=a)


@register_loss
def dual_weighted_mse(
    y_true: Tensor, y_pred: Tensor, *, gamma: float = 1.0, missing: Missing = NAN
) -> Tensor:
    """Returns the dual-weighted squared error of each row, over its observed labels.

    See `DualWeightedMSE`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.dual_weighted_mse(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [2.0, 12.0]
    """
    return row_values(formulas.dual_weighted_squared_error, y_true, y_pred, missing, gamma=gamma)


@register_loss
def asymmetric_mse(
    y_true: Tensor, y_pred: Tensor, *, miss_weight: float = 2.0, missing: Missing = NAN
) -> Tensor:
    """Returns the asymmetric squared error of each row, over its observed labels.

    See `AsymmetricMSE`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> rows = keras_masked.losses.asymmetric_mse(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [1.0, 4.0]
    """
    return row_values(
        formulas.asymmetric_squared_error, y_true, y_pred, missing, miss_weight=miss_weight
    )
