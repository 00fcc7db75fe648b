"""The asymmetric loss, for many labels of which few are positive: class and function."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import asymmetric as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import BOOLEAN, NON_NEGATIVE, Reduction, number

Tensor = Any

MARGIN = number("a number in [0, 1)", lambda x: 0 <= x < 1)


@register
class AsymmetricLoss(ClassLoss):
    r"""Focal cross-entropy of binary labels that plays down easy negatives more than positives.

    $$L = \frac{-\sum_i o_i w_i \left[y_i (1 - p_i)^{\gamma_+} \log p_i
          + (1 - y_i) \, q_i^{\gamma_-} \log(1 - q_i)\right]}{\sum_i o_i},
      \quad q_i = \max(p_i - m, 0)$$

    A negative whose probability is below the margin m has a loss of 0, and its gradient is 0, too.

    Args:
        gamma_negative: The focusing exponent of negatives.
        gamma_positive: The focusing exponent of positives.
        margin: By how much the probabilities of negatives are shifted, m.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or an option is out of its
            range. Also if labels outside [0, 1] that `missing` does not name are at hand. In
            tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 0.0]])
    >>> y_pred = np.array([[0.55, 0.5], [0.9, 0.04]])
    >>> loss = keras_masked.losses.AsymmetricLoss()
    >>> round(float(loss(y_true, y_pred)), 4)  # -(0.5^4 log 0.5 + 0.5 log 0.5 + 0) / 3
    0.13

    Source: Ridnik et al. 2021, Asymmetric Loss for Multi-Label Classification. The authors add
    labels up; here they are averaged.
    """

    formula = formulas.asymmetric

    admits = {
        "gamma_negative": NON_NEGATIVE,
        "gamma_positive": NON_NEGATIVE,
        "margin": MARGIN,
        "from_logits": BOOLEAN,
    }

    def __init__(
        self,
        gamma_negative: float = 4.0,
        gamma_positive: float = 1.0,
        margin: float = 0.05,
        from_logits: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "asymmetric_loss",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            gamma_negative=gamma_negative,
            gamma_positive=gamma_positive,
            margin=margin,
            from_logits=from_logits,
            **masking,
        )


@register
def asymmetric_loss(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    gamma_negative: float = 4.0,
    gamma_positive: float = 1.0,
    margin: float = 0.05,
    from_logits: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean asymmetric loss of each row, over its observed labels.

    See `AsymmetricLoss`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 0.0]])
    >>> y_pred = np.array([[0.55, 0.5], [0.9, 0.04]])
    >>> rows = keras_masked.losses.asymmetric_loss(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.1949, 0.0]
    """
    options = AsymmetricLoss.checked(
        gamma_negative=gamma_negative,
        gamma_positive=gamma_positive,
        margin=margin,
        from_logits=from_logits,
    )
    return row_values(formulas.asymmetric, y_true, y_pred, missing, **options)
