"""Squared errors with weights of their own: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import weighted as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import FINITE, NON_NEGATIVE, Reduction

Tensor = Any


@register
class ExponentiallyWeightedMSE(FormulaLoss):
    r"""Mean of squared differences, weighted by the exponential of the label.

    $$L = \frac{\sum_i o_i w_i \, e^{a y_i} (p_i - y_i)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. For labels scaled to
    [0, 1] of which large values are rare and matter, as of rain: with a = 5, an error at y = 1
    counts 148 times as much as one at y = 0.

    Args:
        a: How fast the weight grows with the label.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, np.nan], [0.5, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 0.5]])
    >>> loss = keras_masked.losses.ExponentiallyWeightedMSE(a=2.0)
    >>> round(float(loss(y_true, y_pred)), 4)  # (0.25 + 0 + 0.25 exp(2)) / 3
    0.6991

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions.
    """

    formula = formulas.exponentially_weighted_squared_error

    admits = {"a": FINITE}

    def __init__(
        self,
        a: float = 5.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "exponentially_weighted_mse",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, a=a, **masking)


@register
class DualWeightedMSE(FormulaLoss):
    r"""Mean of squared differences, weighted by the larger of label and prediction.

    $$L = \frac{\sum_i o_i w_i \max(|y_i|, |p_i|)^\gamma (p_i - y_i)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Missing a large value
    costs as much as predicting one where there is none, so that extremes are learnt without false
    alarms. Where both are smaller in size than epsilon, epsilon stands for them.

    Args:
        gamma: The exponent; with 0 this is the mean squared error.
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
    >>> loss = keras_masked.losses.DualWeightedMSE()
    >>> round(float(loss(y_true, y_pred)), 4)  # (2 + 0 + 6 * 4) / 3
    8.6667

    Source: Lagerquist et al. 2021, "Using deep learning to emulate and accelerate a radiative
    transfer model", where the exponent is 1; CIRA guide to custom loss functions.
    """

    formula = formulas.dual_weighted_squared_error

    admits = {"gamma": NON_NEGATIVE}

    def __init__(
        self,
        gamma: float = 1.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "dual_weighted_mse",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, gamma=gamma, **masking)


@register
class AsymmetricMSE(FormulaLoss):
    r"""Mean of squared differences of which those below the label count more.

    $$L = \frac{\sum_i o_i w_i \, m(y_i, p_i) \, (p_i - y_i)^2}{\sum_i o_i}, \quad
      m(y, p) = \begin{cases} m & p < y \\ 1 & p \ge y \end{cases}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. For labels of which too
    low a prediction, a miss, is worse than too high a one; with m below 1 it is the other way
    round. With m = 1 this is the mean squared error.

    Args:
        miss_weight: The weight m of a prediction below its label.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> loss = keras_masked.losses.AsymmetricMSE(miss_weight=5.0)
    >>> round(float(loss(y_true, y_pred)), 4)  # (1 + 0 + 5 * 4) / 3
    7.0

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions; Newey and Powell
    1987, whose expectiles minimise it.
    """

    formula = formulas.asymmetric_squared_error

    admits = {"miss_weight": NON_NEGATIVE}

    def __init__(
        self,
        miss_weight: float = 2.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "asymmetric_mse",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, miss_weight=miss_weight, **masking)


@register
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
    return row_values(
        formulas.exponentially_weighted_squared_error,
        y_true,
        y_pred,
        missing,
        **ExponentiallyWeightedMSE.checked(a=a),
    )


@register
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
    return row_values(
        formulas.dual_weighted_squared_error,
        y_true,
        y_pred,
        missing,
        **DualWeightedMSE.checked(gamma=gamma),
    )


@register
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
        formulas.asymmetric_squared_error,
        y_true,
        y_pred,
        missing,
        **AsymmetricMSE.checked(miss_weight=miss_weight),
    )
