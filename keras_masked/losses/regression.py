"""Losses of real-valued labels, one entry of `y_true` each: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import regression as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.losses.censored import CensoredLoss
from keras_masked.losses.groups import GroupLoss, group_values, root
from keras_masked.observation import (
    NAN,
    Missing,
    observe,
    row_values,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import AXES, Reduction

Tensor = Any


@register
class MeanSquaredError(CensoredLoss):
    r"""Mean of squared differences over the observed labels.

    $$L = \frac{\sum_i o_i w_i (y_i - p_i)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`. With
    `censored=True`, `y_true` `(batch, ..., labels, 2)`.

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


@register
class MeanAbsoluteError(CensoredLoss):
    r"""Mean of absolute differences over the observed labels.

    $$L = \frac{\sum_i o_i w_i |y_i - p_i|}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`. With
    `censored=True`, `y_true` `(batch, ..., labels, 2)`.

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


@register
class MeanAbsolutePercentageError(FormulaLoss):
    r"""Mean of absolute percentage errors over the observed labels.

    $$L = \frac{\sum_i o_i w_i \frac{100 \, |y_i - p_i|}{\max(|y_i|, \epsilon)}}{\sum_i o_i}$$

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
    >>> loss = keras_masked.losses.MeanAbsolutePercentageError()
    >>> round(float(loss(y_true, y_pred)), 4)
    50.0

    Source: `keras.losses.MeanAbsolutePercentageError`.
    """

    formula = formulas.absolute_percentage_error


@register
class MeanSquaredLogarithmicError(FormulaLoss):
    r"""Mean of squared differences of logarithms over the observed labels.

    $$L = \frac{\sum_i o_i w_i \left[\log(1 + y_i) - \log(1 + p_i)\right]^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.
    Labels and predictions below $\epsilon$ are raised to it.

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
    >>> loss = keras_masked.losses.MeanSquaredLogarithmicError()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.0925

    Source: `keras.losses.MeanSquaredLogarithmicError`.
    """

    formula = formulas.squared_logarithmic_error


@register
class RootMeanSquaredError(GroupLoss):
    r"""Root of the mean squared difference over the observed labels of each set.

    $$L = \frac{\sum_g v_g \sqrt{\frac{\sum_i o_{gi} w_{gi} (y_{gi} - p_{gi})^2}
                                      {\sum_i o_{gi} w_{gi}}}}{\sum_g o_g}$$

    with $o_{gi}$ 1 where label $i$ of set $g$ is observed, else 0, $w_{gi}$ its weight, $v_g$ the
    mean of the weights of the set's observed labels, and $o_g$ 1 where it has any. With `axis=None`
    the batch is one set; else the mean is over sets, rows say, each with a root of its own.

    The gradient at a set without any error is 0.

    Args:
        axis: The axes that a set spans; by default all, so that the batch is one set. -1 for the
            labels of a row, (1, 2, 3) for the pixels of an image.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.RootMeanSquaredError()
    >>> round(float(loss(y_true, y_pred)), 4)  # sqrt((1 + 0 + 4) / 3)
    1.291
    >>> loss = keras_masked.losses.RootMeanSquaredError(axis=-1)
    >>> round(float(loss(y_true, y_pred)), 4)  # (sqrt(1) + sqrt((0 + 4) / 2)) / 2
    1.2071

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions, which has both forms.
    """

    formula = formulas.squared_error
    combine = staticmethod(root)

    admits = {"axis": AXES}

    def __init__(
        self,
        axis: int | tuple[int, ...] | None = None,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "root_mean_squared_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


@register
def mean_squared_error(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN, censored: bool = False
) -> Tensor:
    """Returns the mean squared error of each row, over its observed labels.

    See `MeanSquaredError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_squared_error(y_true, y_pred)
    >>> [float(row) for row in rows]
    [1.0, 2.0]
    """
    options = MeanSquaredError.checked(censored=censored)
    return row_values(formulas.squared_error, y_true, y_pred, missing, **options)


@register
def mean_absolute_error(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN, censored: bool = False
) -> Tensor:
    """Returns the mean absolute error of each row, over its observed labels.

    See `MeanAbsoluteError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_absolute_error(y_true, y_pred)
    >>> [float(row) for row in rows]
    [1.0, 1.0]
    """
    options = MeanAbsoluteError.checked(censored=censored)
    return row_values(formulas.absolute_error, y_true, y_pred, missing, **options)


@register
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


@register
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


@register
def root_mean_squared_error(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    axis: int | tuple[int, ...] | None = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the root of the mean squared error of each set, over its observed labels.

    See `RootMeanSquaredError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> round(float(keras_masked.losses.root_mean_squared_error(y_true, y_pred)), 4)
    1.291
    """
    formula, options = formulas.squared_error, RootMeanSquaredError.checked(axis=axis)
    seen = observe(y_true, y_pred, None, formula.label, missing=standardize_missing(missing))
    return with_mask(*group_values(formula, root, seen, **options))
