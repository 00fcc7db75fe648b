"""Medians of relative errors: classes and functions."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas.signed import signed_percentage_error
from keras_masked.metrics.base import register
from keras_masked.metrics.medians import Median, median_along
from keras_masked.observation import NAN, Missing

Tensor = Any


@register
class MedianPercentageError(Median):
    r"""Median of the relative errors of all observed labels, in percent of the labels.

    $$M = \mathrm{median}\{100 \, (y_i - p_i) / y_i : o_i = 1\}$$

    with $y_i$ at least epsilon away from 0, on its side of it. The sign is that of
    `MeanPercentageError`: positive where predictions are too low, of positive labels. Weights, bins
    and `capacity` are as in `MedianError`. NaN where nothing is observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        capacity: How many errors to keep (of each column, in `PerLabel`), for an exact median;
            NaN once there are more. By default, errors are counted in bins, for a median that is
            wrong by a relative $2^{-8}$ at most.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch, which
            only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.MedianPercentageError()
    >>> y_true = np.array([[2.0, np.nan], [4.0, 5.0]])
    >>> y_pred = np.array([[1.0, 9.0], [3.0, 9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 50, 25 and -80
    25.0

    Source: astroNN, `median_percentage_error`.
    """

    formula = signed_percentage_error
    signed = True

    def __init__(
        self,
        name: str | None = "median_percentage_error",
        dtype: Any = None,
        *,
        capacity: int | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, capacity=capacity, missing=missing)


@register
class MedianAbsolutePercentageError(Median):
    r"""Median of the absolute relative errors of all observed labels, in percent of the labels.

    $$M = \mathrm{median}\{100 \, |y_i - p_i| / |y_i| : o_i = 1\}$$

    with $|y_i|$ at least epsilon. Weights, bins and `capacity` are as in `MedianError`, with 32768
    bins, 256 KiB. NaN where nothing is observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        capacity: How many errors to keep (of each column, in `PerLabel`), for an exact median;
            NaN once there are more. By default, errors are counted in bins, for a median that is
            wrong by a relative $2^{-8}$ at most.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch, which
            only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.MedianAbsolutePercentageError()
    >>> y_true = np.array([[2.0, np.nan], [4.0, 5.0]])
    >>> y_pred = np.array([[1.0, 9.0], [3.0, 9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 50, 25 and 80
    50.0

    Source: astroNN, `median_absolute_percentage_error`.
    """

    formula = signed_percentage_error
    _direction = "down"

    def __init__(
        self,
        name: str | None = "median_absolute_percentage_error",
        dtype: Any = None,
        *,
        capacity: int | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, capacity=capacity, missing=missing)


@register
def median_percentage_error(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median relative error of observed labels along an axis; 0 where there is none.

    See `MedianPercentageError`, and `median_error` for `axis`.

    >>> y_true = np.array([[2.0, 4.0, np.nan, 5.0], [2.0, np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[1.0, 3.0, 9.0, 9.0], [1.0, 9.0, 9.0, 8.0]])
    >>> [float(row) for row in keras_masked.metrics.median_percentage_error(y_true, y_pred)]
    [25.0, 50.0]
    """
    formula = signed_percentage_error
    return median_along(y_true, y_pred, axis, missing, signed=True, formula=formula)


@register
def median_absolute_percentage_error(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median absolute relative error along an axis; 0 where nothing is observed.

    See `MedianAbsolutePercentageError`, and `median_error` for `axis`.

    >>> y_true = np.array([2.0, 4.0, np.nan, 5.0])
    >>> y_pred = np.array([1.0, 3.0, 9.0, 9.0])
    >>> float(keras_masked.metrics.median_absolute_percentage_error(y_true, y_pred))
    50.0
    """
    return median_along(y_true, y_pred, axis, missing, formula=signed_percentage_error)
