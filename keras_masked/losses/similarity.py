"""Losses of vectors compared with vectors: class and function."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import similarity as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import INTEGER, Reduction

Tensor = Any


@register
class CosineSimilarity(FormulaLoss):
    r"""Negative cosine of the angle between label and prediction, over the observed entries.

    $$L = \frac{-\sum_i o_i w_i \, \frac{\sum_k y_{ik} p_{ik}}{|y_i| \, |p_i|}}{\sum_i o_i}$$

    Missing entries of a label, and the predictions for them, leave both the product and the norms
    (pairwise deletion). The label as a whole is missing only if all of its entries are.

    Args:
        axis: The axis of the vectors.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., entries)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan], [np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[3.0, 4.0, 9.0], [1.0, 2.0, 3.0]])
    >>> loss = keras_masked.losses.CosineSimilarity()
    >>> round(float(loss(y_true, y_pred)), 4)  # -4 / sqrt(3^2 + 4^2)
    -0.8

    Source: `keras.losses.CosineSimilarity`.
    """

    formula = formulas.cosine_similarity

    admits = {"axis": INTEGER}

    def __init__(
        self,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


@register
def cosine_similarity(
    y_true: Tensor, y_pred: Tensor, *, axis: int = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the negative cosine of each vector, over its observed entries.

    See `CosineSimilarity`.

    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[3.0, 4.0, 9.0]])
    >>> rows = keras_masked.losses.cosine_similarity(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [-0.8]
    """
    return row_values(
        formulas.cosine_similarity, y_true, y_pred, missing, **CosineSimilarity.checked(axis=axis)
    )
