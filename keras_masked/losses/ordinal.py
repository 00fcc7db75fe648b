"""The loss of ordinal classes, such as grades: class and function."""

from __future__ import annotations

from typing import Any, Literal, Unpack

from keras_masked.formulas import ordinal as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, register
from keras_masked.observation import CLASS_IDS, Missing, row_values
from keras_masked.validation import Reduction, one_of

Tensor = Any


@register
class OrdinalCrossentropy(ClassLoss):
    r"""Cross-entropy of ordinal classes, such as grades, averaged over the observed labels.

    $$L = \frac{-\sum_i o_i w_i \sum_{k \in S_i} \left[[y_i > k] \log \sigma(z_{ik})
          + [y_i \le k] \log(1 - \sigma(z_{ik}))\right]}{\sum_i o_i}$$

    Predictions are logits of the thresholds between $K$ classes, $k = 0 \dots K - 2$.
    With `mode="cumulative"` $\sigma(z_k)$ is the probability of a class above k, and $S_i$ is all
    thresholds; probabilities that increase with k, which no class has, are not ruled out. With
    `mode="corn"` it is the probability of a class above k for what has reached k, $S_i$ is
    $k \le y_i$, and $L_i = -\log P(y_i)$ with
    $P(y) = (1 - \sigma(z_y)) \prod_{k < y} \sigma(z_k)$: any logits are consistent.

    An id outside the classes that is not named missing gives NaN.

    Args:
        mode: `"cumulative"` or `"corn"`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ...)`, ids from 0 to K - 1; `y_pred` `(batch, ..., K - 1)`, logits;
    one row value per label.

    Raises:
        ValueError: If `y_true` has not the shape of `y_pred` without its last axis.

    Example:

    >>> y_true = np.array([1, -1])  # of three grades; of the second nobody knows
    >>> y_pred = np.array([[2.0, -1.0], [5.0, 5.0]])
    >>> loss = keras_masked.losses.OrdinalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log sigmoid(2) - log sigmoid(1)
    0.4402

    Source: Cao, Mirjalili and Raschka 2020 (CORAL), with weights of 1; Shi, Cao and Raschka 2021
    (CORN), who divide by the number of terms instead of labels.
    """

    formula = formulas.ordinal_crossentropy
    default_missing = CLASS_IDS

    admits = {"mode": one_of(*formulas.MODES)}

    def __init__(
        self,
        mode: Literal["cumulative", "corn"] = "cumulative",
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "ordinal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(reduction, name, dtype, mode=mode, **masking)


@register
def ordinal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    mode: Literal["cumulative", "corn"] = "cumulative",
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the cross-entropy of each ordinal class, 0 where it is missing.

    See `OrdinalCrossentropy`.

    >>> y_true = np.array([0, -1])
    >>> y_pred = np.array([[2.0, -1.0], [5.0, 5.0]])
    >>> rows = keras_masked.losses.ordinal_crossentropy(y_true, y_pred, mode="corn")
    >>> [round(float(row), 4) for row in rows]  # -log(1 - sigmoid(2))
    [2.1269, 0.0]
    """
    options = OrdinalCrossentropy.checked(mode=mode)
    return row_values(formulas.ordinal_crossentropy, y_true, y_pred, missing, **options)
