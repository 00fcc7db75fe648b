"""Losses that grow only linearly with large errors, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def huber(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    delta: float = 1.0,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean Huber loss of each row, over its observed labels.

    See `Huber`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.huber(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.75]
    """
    return row_values(
        formulas.huber,
        y_true,
        y_pred,
        missing,
        delta=delta,
    )


@register_loss
def log_cosh(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean log-cosh of each row, over its observed labels.

    See `LogCosh`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.log_cosh(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.4338, 0.6625]
    """
    return row_values(
        formulas.log_cosh,
        y_true,
        y_pred,
        missing,
    )
