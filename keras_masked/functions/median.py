"""Medians of errors, as functions."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.evaluation import with_row_mask
from keras_masked.functions.base import register_metric
from keras_masked.medians import NORMAL, row_median
from keras_masked.missing import NAN, Missing, standardize_missing
from keras_masked.observation import observe

Tensor = Any


@register_metric
def median_error(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median of p - y over the observed labels along an axis; 0 where there is none.

    `axis=-1` takes that of each row, `axis=0` that of each column, `axis=None` that of all labels.
    See `MedianError`, which has the one of the whole data.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, 5.0]])
    >>> y_pred = np.array([[2.0, 2.0, 9.0, 7.0], [0.0, 9.0, 9.0, 8.0]])
    >>> [float(row) for row in keras_masked.metrics.median_error(y_true, y_pred)]
    [1.0, 1.0]
    """
    return _median(y_true, y_pred, axis, missing, signed=True)


@register_metric
def median_absolute_deviation(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median absolute error of observed labels along an axis; 0 where there is none.

    See `MedianAbsoluteDeviation`, and `median_error` for `axis`.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, 5.0]])
    >>> y_pred = np.array([[2.0, 2.0, 9.0, 7.0], [0.0, 9.0, 9.0, 8.0]])
    >>> [float(row) for row in keras_masked.metrics.median_absolute_deviation(y_true, y_pred)]
    [1.0, 2.0]
    """
    return _median(y_true, y_pred, axis, missing)


@register_metric
def mad_std(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns 1.4826 times `median_absolute_deviation`: a standard deviation, of normal errors.

    See `MADStandardDeviation`.

    >>> y_true = np.array([1.0, 2.0, np.nan, 4.0])
    >>> y_pred = np.array([3.0, 2.0, 9.0, 7.0])
    >>> round(float(keras_masked.metrics.mad_std(y_true, y_pred)), 4)  # 1.4826 * 2
    2.9652
    """
    return _median(y_true, y_pred, axis, missing, scale=NORMAL)


def _median(
    y_true: Tensor,
    y_pred: Tensor,
    axis: int | None,
    missing: Missing,
    signed: bool = False,
    scale: float = 1.0,
) -> Tensor:
    # A Keras mask has the axes of the labels as they are: they are moved only after that.
    seen = observe(y_true, y_pred, missing=standardize_missing(missing))
    errors = seen.y_pred - seen.y_true
    if not signed:
        errors = ops.abs(errors)
    hidden = None if seen.hidden is None else seen.hidden()
    rank = len(errors.shape)
    if axis is not None and (not isinstance(axis, int) or not -rank <= axis < rank):
        raise ValueError(
            f"Argument `axis` must be None or an integer from {-rank} to {rank - 1}, an axis of "
            f"the labels. Received: axis={axis!r}"
        )

    def arrange(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1,)) if axis is None else ops.moveaxis(x, axis, -1)

    median, some = row_median(arrange(errors), None if hidden is None else arrange(hidden))
    return with_row_mask(median * scale, some, seen.dtype)
