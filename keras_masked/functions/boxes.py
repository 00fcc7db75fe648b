"""Losses of bounding boxes, as functions."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.formulas.boxes import check_mode
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing

Tensor = Any


@register_loss
def iou_loss(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns one minus the intersection over union of each box, 0 where it is missing.

    See `IoULoss`.

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> rows = keras_masked.losses.iou_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.875, 0.0]
    """
    return row_values(formulas.iou_loss, y_true, y_pred, missing)


@register_loss
def giou_loss(
    y_true: Tensor, y_pred: Tensor, *, mode: str = "giou", missing: Missing = NAN
) -> Tensor:
    """Returns one minus the generalised intersection over union of each box, 0 where it is missing.

    See `GIoULoss`.

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, 7.0], [np.nan] * 4])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0], [0.0, 0.0, 1.0, 1.0]])
    >>> rows = keras_masked.losses.giou_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [1.075, 1.9333, 0.0]
    """
    return row_values(formulas.giou_loss, y_true, y_pred, missing, mode=check_mode(mode))


@register_loss
def diou_loss(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the distance-IoU loss of each box, 0 where it is missing.

    See `DIoULoss`.

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> rows = keras_masked.losses.diou_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.997, 0.0]
    """
    return row_values(formulas.diou_loss, y_true, y_pred, missing)


@register_loss
def ciou_loss(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the complete-IoU loss of each box, 0 where it is missing.

    See `CIoULoss`.

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> rows = keras_masked.losses.ciou_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.9993, 0.0]
    """
    return row_values(formulas.ciou_loss, y_true, y_pred, missing)
