"""Losses of boxes: classes and functions."""

from __future__ import annotations

from typing import Any, Literal, Unpack

from keras_masked.formulas import boxes as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import Reduction, one_of

Tensor = Any


@register
class IoULoss(FormulaLoss):
    r"""One minus the intersection over union of label and prediction, over the observed boxes.

    $$L = \frac{\sum_i o_i w_i \, (1 - \text{IoU}_i)}{\sum_i o_i}, \quad
      \text{IoU} = \frac{|A \cap B|}{|A \cup B|}$$

    A box is one label, missing if any of its coordinates is NaN or all equal a marker. Boxes that
    do not overlap have a loss of 1, with a gradient of 0: the other losses of boxes pull on these,
    too. A box without an area overlaps nothing.

    Args:
        reduction: As in Keras, over observed boxes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., 4)`, each `[y_min, x_min, y_max, x_max]`; one row
    value per box.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or the last axis is not 4.

    Example:

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> loss = keras_masked.losses.IoULoss()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 2 / (6 + 12 - 2)
    0.875

    Source: Yu et al. 2016, UnitBox, whose loss is -log IoU; Zheng et al. 2020, equation 2.
    """

    formula = formulas.iou_loss


@register
class GIoULoss(FormulaLoss):
    r"""One minus the generalised intersection over union, over the observed boxes.

    $$L = \frac{\sum_i o_i w_i \, (1 - \text{GIoU}_i)}{\sum_i o_i}, \quad
      \text{GIoU} = \frac{|A \cap B|}{|A \cup B|} - \frac{|C| - |A \cup B|}{|C|}$$

    with $C$ the smallest box that encloses both, so that boxes far apart have a gradient, too.
    A box is one label, missing if any of its coordinates is NaN or all equal a marker. A box
    without an area overlaps nothing; where the enclosing box has none, the second term is 0.

    Args:
        mode: `"giou"`, or `"iou"` for the loss of `IoULoss`.
        reduction: As in Keras, over observed boxes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., 4)`, each `[y_min, x_min, y_max, x_max]`; one row
    value per box.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, the last axis is not 4, or
            `mode` is unknown.

    Example:

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, np.nan]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> loss = keras_masked.losses.GIoULoss()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 2 / 16 + (20 - 16) / 20
    1.075

    Source: Rezatofighi et al. 2019, algorithm 1; `tensorflow_addons.losses.GIoULoss`.
    """

    formula = formulas.giou_loss

    admits = {"mode": one_of("giou", "iou")}

    def __init__(
        self,
        mode: Literal["giou", "iou"] = "giou",
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "giou_loss",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, mode=mode, **masking)


@register
class DIoULoss(FormulaLoss):
    r"""Intersection over union and distance of the centres, over the observed boxes.

    $$L = \frac{\sum_i o_i w_i \left(1 - \text{IoU}_i + \frac{d_i^2}{c_i^2}\right)}{\sum_i o_i}$$

    with $d$ the distance of the two centres and $c$ the diagonal of the smallest box that encloses
    both. A box is one label, missing if any of its coordinates is NaN or all equal a marker. A box
    without an area overlaps nothing; where the enclosing box is a point, the second term is 0.

    Args:
        reduction: As in Keras, over observed boxes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., 4)`, each `[y_min, x_min, y_max, x_max]`; one row
    value per box.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or the last axis is not 4.

    Example:

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> loss = keras_masked.losses.DIoULoss()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 2 / 16 + (1 + 4) / (16 + 25)
    0.997

    Source: Zheng et al. 2020, equation 7.
    """

    formula = formulas.diou_loss


@register
class CIoULoss(FormulaLoss):
    r"""Intersection over union, distance of the centres and aspect ratio, over the observed boxes.

    $$L = \frac{\sum_i o_i w_i \left(1 - \text{IoU}_i + \frac{d_i^2}{c_i^2} + \alpha_i v_i\right)}
               {\sum_i o_i}, \quad
      v = \frac{4}{\pi^2} \left(\arctan\frac{w^y}{h^y} - \arctan\frac{w^p}{h^p}\right)^2, \quad
      \alpha = \frac{v}{1 - \text{IoU} + v}$$

    with $w$ and $h$ width and height, and $d$ and $c$ as in `DIoULoss`. As usual,
    $\alpha$ is a constant to the gradient. A box is one label, missing if any of its coordinates
    is NaN or all equal a marker. A box without an area overlaps nothing; with neither width nor
    height it has no aspect ratio, and the last term is 0.

    Args:
        reduction: As in Keras, over observed boxes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., 4)`, each `[y_min, x_min, y_max, x_max]`; one row
    value per box.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or the last axis is not 4.

    Example:

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [np.nan, 6.0, 10.0, 7.0]])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    >>> loss = keras_masked.losses.CIoULoss()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.9993

    Source: Zheng et al. 2020, equations 9 to 11.
    """

    formula = formulas.ciou_loss


@register
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


@register
def giou_loss(
    y_true: Tensor, y_pred: Tensor, *, mode: Literal["giou", "iou"] = "giou", missing: Missing = NAN
) -> Tensor:
    """Returns one minus the generalised intersection over union of each box, 0 where it is missing.

    See `GIoULoss`.

    >>> y_true = np.array([[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, 7.0], [np.nan] * 4])
    >>> y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0], [0.0, 0.0, 1.0, 1.0]])
    >>> rows = keras_masked.losses.giou_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [1.075, 1.9333, 0.0]
    """
    return row_values(formulas.giou_loss, y_true, y_pred, missing, **GIoULoss.checked(mode=mode))


@register
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


@register
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
