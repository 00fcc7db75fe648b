"""Divergence of distributions and the likelihood of counts, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def kl_divergence(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the Kullback-Leibler divergence of each distribution, 0 where it is missing.

    See `KLDivergence`.

    >>> y_true = np.array([[0.5, 0.5], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.kl_divergence(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.1438, 0.0]
    """
    return row_values(
        formulas.kl_divergence,
        y_true,
        y_pred,
        missing,
    )


@register_loss
def poisson(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean Poisson loss of each row, over its observed labels.

    See `Poisson`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.poisson(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [1.3069, -0.7314]
    """
    return row_values(
        formulas.poisson,
        y_true,
        y_pred,
        missing,
    )
