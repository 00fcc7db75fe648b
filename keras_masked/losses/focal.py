"""Cross-entropies that play down easy labels."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.losses.base import MaskedLoss, Masking, register


@register
class BinaryFocalCrossentropy(MaskedLoss):
    r"""Cross-entropy of binary labels that plays down the easy ones.

    $$L = \frac{-\sum_i o_i w_i \, (1 - p_{t,i})^\gamma \log p_{t,i}}{\sum_i o_i}$$

    with $p_{t,i} = p_i$ for a label of 1 and $1 - p_i$ for a label of 0; $o_i$ is 1 where label
    $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        apply_class_balancing: Whether to weight the classes by `alpha`.
        alpha: Weight of class 1; class 0 has `1 - alpha`.
        gamma: The focusing exponent.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards 0.5.
        axis: The axis over which a row's labels are averaged.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> loss = keras_masked.losses.BinaryFocalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.1215

    Source: `keras.losses.BinaryFocalCrossentropy`; Lin et al. 2017, equation 4.
    """

    formula = formulas.binary_focal_crossentropy

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            **masking,
        )


@register
class CategoricalFocalCrossentropy(MaskedLoss):
    r"""Cross-entropy of one-hot labels that plays down the easy ones.

    $$L = \frac{-\sum_i o_i w_i \sum_c \alpha (1 - p_{ic})^\gamma \, y_{ic} \log p_{ic}}
               {\sum_i o_i}$$

    A label is the whole vector on the last axis, and missing if any entry of it is.

    Args:
        alpha: Weight of the classes.
        gamma: The focusing exponent.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards the uniform one.
        axis: The axis of the classes.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.CategoricalFocalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.0045

    Source: `keras.losses.CategoricalFocalCrossentropy`; Lin et al. 2017, equation 5.
    """

    formula = formulas.categorical_focal_crossentropy

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            **masking,
        )
