"""Divergences and counts, Kullback-Leibler and Poisson: classes and functions."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas import probabilistic as formulas
from keras_masked.losses.base import FormulaLoss, register
from keras_masked.observation import NAN, Missing, row_values

Tensor = Any


@register
class KLDivergence(FormulaLoss):
    r"""Kullback-Leibler divergence of distributions, averaged over the observed ones.

    $$L = \frac{\sum_i o_i w_i \sum_c y_{ic} \log (y_{ic} / p_{ic})}{\sum_i o_i}$$

    A label is the whole vector on the last axis, and missing if any entry of it is
    NaN, or all of them equal a number that `missing` names.
    Probabilities are clipped to [epsilon, 1].

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.5, 0.5], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.KLDivergence()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.1438

    Source: `keras.losses.KLDivergence`.
    """

    formula = formulas.kl_divergence


@register
class Poisson(FormulaLoss):
    r"""Mean of the Poisson loss over the observed labels.

    $$L = \frac{\sum_i o_i w_i \left[p_i - y_i \log(p_i + \epsilon)\right]}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.Poisson()
    >>> round(float(loss(y_true, y_pred)), 4)
    -0.052

    Source: `keras.losses.Poisson`.
    """

    formula = formulas.poisson


@register
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


@register
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
