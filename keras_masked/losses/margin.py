"""Hinge losses: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked import _backend
from keras_masked.formulas import margin as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, register
from keras_masked.losses.logits import values_of_labels
from keras_masked.observation import (
    CLASS_IDS,
    NAN,
    Missing,
    find_missing,
    holds_class_ids,
    row_values,
    standardize_missing,
)
from keras_masked.validation import NON_NEGATIVE, Reduction

Tensor = Any


@register
class Hinge(ClassLoss):
    r"""Mean of the hinge loss over the observed labels.

    $$L = \frac{\sum_i o_i w_i \max(\delta - y_i p_i, 0)}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.
    If all observed labels are 0 or 1, they are taken for -1 and 1.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        delta: The margin, which Keras has at 1.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels other than
            -1, 0 and 1 that `missing` does not name are at hand. In tensors, such a label gives
            NaN.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> loss = keras_masked.losses.Hinge()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.6667

    Source: `keras.losses.Hinge`.
    """

    formula = formulas.hinge

    admits = {"delta": NON_NEGATIVE}

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
        *,
        delta: float = 1.0,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(reduction, name, dtype, delta=delta, **masking)


@register
class SquaredHinge(ClassLoss):
    r"""Mean of the squared hinge loss over the observed labels.

    $$L = \frac{\sum_i o_i w_i \max(1 - y_i p_i, 0)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.
    If all observed labels are 0 or 1, they are taken for -1 and 1.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels other than
            -1, 0 and 1 that `missing` does not name are at hand. In tensors, such a label gives
            NaN.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> loss = keras_masked.losses.SquaredHinge()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.8333

    Source: `keras.losses.SquaredHinge`.
    """

    formula = formulas.squared_hinge


@register
class CategoricalHinge(ClassLoss):
    r"""Mean of the categorical hinge loss over the observed labels.

    $$L = \frac{\sum_i o_i w_i \max(0, 1 + \max_c (1 - y_{ic}) p_{ic} - \sum_c y_{ic} p_{ic})}
               {\sum_i o_i}$$

    A label is the whole vector on the last axis, and missing if any entry of it is
    NaN, or all of them equal a number that `missing` names.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.CategoricalHinge()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.5

    Source: `keras.losses.CategoricalHinge`.
    """

    formula = formulas.categorical_hinge


@register
class MulticlassHinge(ClassLoss):
    r"""Mean over the observed class ids of what they lack of a margin to the best other class.

    $$L = \frac{\sum_i o_i w_i \max_{c \ne y_i} \max(0, p_{ic} - p_{i y_i} + \delta)}
               {\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. `CategoricalHinge` is
    the same of one-hot labels if $\delta = 1$ and no prediction is negative.

    Args:
        delta: The margin.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; one row value per label.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or if an id that is at hand
            and not named missing is none of the classes. Elsewhere such an id makes the loss NaN.

    Example:

    >>> y_true = np.array([0, 2, -1])
    >>> y_pred = np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.5], [0.0, 0.0, 9.0]])
    >>> loss = keras_masked.losses.MulticlassHinge()
    >>> round(float(loss(y_true, y_pred)), 4)  # (0 + 1.5) / 2
    0.75

    Source: Crammer and Singer 2001; `symjax.nn.losses.multiclass_hinge_loss`.
    """

    formula = formulas.multiclass_hinge

    admits = {"delta": NON_NEGATIVE}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "multiclass_hinge",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        masking = {"missing": CLASS_IDS, **masking}
        super().__init__(reduction, name, dtype, delta=delta, **masking)


@register
def hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean hinge loss of each row, over its observed labels.

    See `Hinge`.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.75]
    """
    return row_values(
        formulas.hinge,
        y_true,
        y_pred,
        missing,
    )


@register
def squared_hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean squared hinge loss of each row, over its observed labels.

    See `SquaredHinge`.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.squared_hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.25, 1.125]
    """
    return row_values(
        formulas.squared_hinge,
        y_true,
        y_pred,
        missing,
    )


@register
def categorical_hinge(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the hinge loss of each one-hot label, 0 where it is missing.

    See `CategoricalHinge`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_hinge(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.0]
    """
    return row_values(
        formulas.categorical_hinge,
        y_true,
        y_pred,
        missing,
    )


@register
def hinge_loss(
    y_true: Tensor,
    y_pred: Tensor,
    delta: float = 1.0,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns max(0, delta - y p) of each label, 0 where it is missing.

    One value per label, as in SymJAX; `hinge` has the means of rows. See `Hinge`.

    >>> y_true = np.array([[1.0, np.nan], [-1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> rows = keras_masked.losses.hinge_loss(y_true, y_pred, 2.0)
    >>> [[float(label) for label in row] for row in rows]
    [[1.5, 0.0], [2.5, 0.0]]
    """
    return values_of_labels(formulas.hinge, y_true, y_pred, missing, **Hinge.checked(delta=delta))


@register
def multiclass_hinge_loss(
    y_true: Tensor,
    y_pred: Tensor,
    delta: float = 1.0,
    *,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns by how much each label fails a margin to the best other class, 0 where missing.

    Labels are class ids, or one-hot rows. See `MulticlassHinge`.

    >>> y_true = np.array([0, 2, -1])
    >>> y_pred = np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.5], [0.0, 0.0, 9.0]])
    >>> rows = keras_masked.losses.multiclass_hinge_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0, 1.5, 0.0]
    """
    if not holds_class_ids(y_true, y_pred):
        y_true, missing = _ids(y_true, standardize_missing(missing)), NAN
    return row_values(
        formulas.multiclass_hinge, y_true, y_pred, missing, **MulticlassHinge.checked(delta=delta)
    )


def _ids(one_hot: Tensor, missing: Missing) -> Tensor:
    """Class ids of one-hot rows: NaN where missing, -2, which is no class, of another NaN."""
    one_hot = _backend.as_received(one_hot)
    absent = find_missing(one_hot, missing, 1)
    unknown = ops.any(ops.isnan(ops.cast(one_hot, "float32")), axis=-1)
    ids = ops.cast(ops.argmax(one_hot, axis=-1), "float32")
    ids = ops.where(unknown, ops.full_like(ids, -2.0), ids)
    return ids if absent is None else ops.where(absent, ops.full_like(ids, float("nan")), ids)
