"""Symmetric cross-entropy, for classes of which some labels are wrong: class and function."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import symmetric as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, register
from keras_masked.observation import CLASS_IDS, Missing, row_values
from keras_masked.validation import BOOLEAN, INTEGER, NON_NEGATIVE, Reduction

Tensor = Any


@register
class SymmetricCrossentropy(ClassLoss):
    r"""Cross-entropy of classes and its reverse, which bounds what a wrong label can do.

    $$L = \frac{\sum_i o_i w_i \left[-\alpha \sum_c y_{ic} \log p_{ic}
          - \beta \sum_c p_{ic} \log y_{ic}\right]}{\sum_i o_i}$$

    with $\log 0$ of a label taken as -4, and no logarithm of one below that. Labels are one-hot
    rows, rows of probabilities, or class ids: what the shape of `y_true` says.

    Args:
        alpha: Weight of the cross-entropy.
        beta: Weight of the reverse one, which tolerates wrong labels.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        axis: The axis of the classes.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., classes)`; `y_true` the same, or without the last axis; one row
    value per label.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.SymmetricCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -0.1 log 0.75 + 4 x 0.25
    1.0288
    >>> ids = np.array([1, -1])
    >>> round(float(loss(ids, y_pred)), 4)
    1.0288

    Source: Wang et al. 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels.
    """

    formula = formulas.symmetric_crossentropy
    default_missing = CLASS_IDS

    admits = {
        "alpha": NON_NEGATIVE,
        "beta": NON_NEGATIVE,
        "from_logits": BOOLEAN,
        "axis": INTEGER,
    }

    def __init__(
        self,
        alpha: float = 0.1,
        beta: float = 1.0,
        from_logits: bool = False,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "symmetric_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            alpha=alpha,
            beta=beta,
            from_logits=from_logits,
            axis=axis,
            **masking,
        )


@register
def symmetric_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float = 0.1,
    beta: float = 1.0,
    from_logits: bool = False,
    axis: int = -1,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the symmetric cross-entropy of each label, 0 where it is missing.

    See `SymmetricCrossentropy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.symmetric_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [1.0288, 0.0]
    """
    options = SymmetricCrossentropy.checked(
        axis=axis, alpha=alpha, beta=beta, from_logits=from_logits
    )
    return row_values(formulas.symmetric_crossentropy, y_true, y_pred, missing, **options)
