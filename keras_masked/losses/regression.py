"""Losses of real-valued labels, one entry of `y_true` each."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.losses.base import MaskedLoss, Masking, register


@register
class MeanSquaredError(MaskedLoss):
    r"""Mean of squared differences over the observed labels.

    $$L = \frac{\sum_i o_i w_i (y_i - p_i)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` differ by more than a last axis of one.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.MeanSquaredError()
    >>> round(float(loss(y_true, y_pred)), 4)  # (1 + 0 + 4) / 3
    1.6667

    Source: `keras.losses.MeanSquaredError`.
    """

    formula = formulas.squared_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, **masking)


@register
class MeanAbsoluteError(MaskedLoss):
    r"""Mean of absolute differences over the observed labels.

    $$L = \frac{\sum_i o_i w_i |y_i - p_i|}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` differ by more than a last axis of one.

    Example:

    >>> y_true = np.array([[1.0, -9999.0], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.MeanAbsoluteError(missing=-9999.0)
    >>> float(loss(y_true, y_pred))  # (1 + 0 + 2) / 3
    1.0

    Source: `keras.losses.MeanAbsoluteError`.
    """

    formula = formulas.absolute_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, **masking)


@register
class MeanAbsolutePercentageError(MaskedLoss):
    r"""Mean of absolute percentage errors over the observed labels.

    $$L = \frac{\sum_i o_i w_i \frac{100 \, |y_i - p_i|}{\max(|y_i|, \epsilon)}}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.MeanAbsolutePercentageError()
    >>> round(float(loss(y_true, y_pred)), 4)
    50.0

    Source: `keras.losses.MeanAbsolutePercentageError`.
    """

    formula = formulas.absolute_percentage_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, **masking)


@register
class MeanSquaredLogarithmicError(MaskedLoss):
    r"""Mean of squared differences of logarithms over the observed labels.

    $$L = \frac{\sum_i o_i w_i \left[\log(1 + y_i) - \log(1 + p_i)\right]^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.
    Labels and predictions below $\epsilon$ are raised to it.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.MeanSquaredLogarithmicError()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.0925

    Source: `keras.losses.MeanSquaredLogarithmicError`.
    """

    formula = formulas.squared_logarithmic_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, **masking)
