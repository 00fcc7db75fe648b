"""Cross-entropies that look away from what is easy: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import focal as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, WeighsClasses, of_ids, register
from keras_masked.losses.groups import GroupLoss, group_values, total
from keras_masked.observation import (
    NAN,
    Missing,
    observe,
    row_values,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import (
    BOOLEAN,
    INTEGER,
    NON_NEGATIVE,
    PROBABILITY,
    Reduction,
    one_or_several,
    optional,
)

Tensor = Any


@register
class BinaryFocalCrossentropy(ClassLoss):
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
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels outside
            [0, 1] that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> loss = keras_masked.losses.BinaryFocalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.1215

    Source: `keras.losses.BinaryFocalCrossentropy`; Lin et al. 2017, equation 4.
    """

    formula = formulas.binary_focal_crossentropy

    admits = {
        "apply_class_balancing": BOOLEAN,
        "alpha": PROBABILITY,
        "gamma": NON_NEGATIVE,
        "from_logits": BOOLEAN,
        "label_smoothing": PROBABILITY,
        "axis": INTEGER,
    }

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
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
class CategoricalFocalCrossentropy(ClassLoss):
    r"""Cross-entropy of one-hot labels that plays down the easy ones.

    $$L = \frac{-\sum_i o_i w_i \sum_c \alpha (1 - p_{ic})^\gamma \, y_{ic} \log p_{ic}}
               {\sum_i o_i}$$

    A label is the whole vector on the last axis, and missing if any entry of it is
    NaN, or all of them equal a number that `missing` names.

    Args:
        alpha: Weight of the classes.
        gamma: The focusing exponent.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards the uniform one.
        axis: The axis of the classes.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        sparse_y_true: Whether labels are class ids, of which -1 and NaN are missing by default,
            rather than vectors.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`, or `y_true` of ids `(batch, ...)`; one
    row value each `(batch, ...)`.

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

    admits = {
        "alpha": one_or_several(NON_NEGATIVE),
        "gamma": NON_NEGATIVE,
        "from_logits": BOOLEAN,
        "label_smoothing": PROBABILITY,
        "axis": INTEGER,
        "sparse_y_true": BOOLEAN,
    }

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
        *,
        sparse_y_true: bool = False,
        **masking: Unpack[ClassMasking],
    ) -> None:
        if sparse_y_true:
            self.formula = formulas.sparse_categorical_focal_crossentropy
        super().__init__(
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            sparse_y_true=sparse_y_true,
            **of_ids(sparse_y_true, masking),
        )


@register
class SigmoidFocalCrossEntropy(WeighsClasses, GroupLoss):
    r"""Focal cross-entropy of binary labels, summed over the observed labels of each row.

    $$L = \frac{-\sum_r \sum_i o_{ri} w_{ri} \, \alpha_{t,ri} (1 - p_{t,ri})^\gamma \log p_{t,ri}}
               {\sum_r o_r}$$

    with $p_t = p$ and $\alpha_t = \alpha$ for a label of 1, and $1 - p$ and $1 - \alpha$ for a
    label of 0; $o_{ri}$ is 1 where label $i$ of row $r$ is observed, else 0, $w_{ri}$ its weight,
    and $o_r$ 1 where the row has any observed label.

    A row is a sum, as in TensorFlow Addons, so that a row with many observed labels has a larger
    loss than one with few. `BinaryFocalCrossentropy(apply_class_balancing=True)` is the mean.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        alpha: Weight of class 1; class 0 has `1 - alpha`. Without such weights if 0 or `None`.
        gamma: The focusing exponent, at least 0.
        reduction: As in Keras, over rows with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or `gamma` is negative.
            Also if labels outside [0, 1] that `missing` does not name are at hand. In tensors, such
            a label gives NaN.

    Example:

    >>> y_true = np.array([[1.0, 1.0, np.nan], [0.0, np.nan, np.nan]])
    >>> y_pred = np.array([[0.97, 0.91, 0.5], [0.03, 0.5, 0.5]])
    >>> loss = keras_masked.losses.SigmoidFocalCrossEntropy(reduction=None)
    >>> [round(float(row), 7) for row in loss(y_true, y_pred)]
    [0.0001978, 2.06e-05]

    Source: Lin et al. 2017, equation 5; `tensorflow_addons.losses.SigmoidFocalCrossEntropy`.
    """

    formula = formulas.sigmoid_focal_crossentropy
    combine = staticmethod(total)

    admits = {"from_logits": BOOLEAN, "alpha": optional(PROBABILITY), "gamma": NON_NEGATIVE}

    def __init__(
        self,
        from_logits: bool = False,
        alpha: float | None = 0.25,
        gamma: float = 2.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "sigmoid_focal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        options = {"from_logits": from_logits, "alpha": alpha, "gamma": gamma}
        super().__init__(reduction, name, dtype, **options, **masking)


@register
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the binary focal cross-entropy of each row, over its observed labels.

    See `BinaryFocalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> rows = keras_masked.losses.binary_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0956, 0.1733]
    """
    return row_values(
        formulas.binary_focal_crossentropy,
        y_true,
        y_pred,
        missing,
        **BinaryFocalCrossentropy.checked(
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        ),
    )


@register
def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the focal cross-entropy of each one-hot label, 0 where it is missing.

    See `CategoricalFocalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.0045, 0.0]
    """
    return row_values(
        formulas.categorical_focal_crossentropy,
        y_true,
        y_pred,
        missing,
        **CategoricalFocalCrossentropy.checked(
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        ),
    )


@register
def sigmoid_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the focal cross-entropy of each row, summed over its observed labels.

    See `SigmoidFocalCrossEntropy`.

    >>> y_true = np.array([[1.0, 1.0, np.nan], [0.0, np.nan, np.nan]])
    >>> y_pred = np.array([[0.97, 0.91, 0.5], [0.03, 0.5, 0.5]])
    >>> rows = keras_masked.losses.sigmoid_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 7) for row in rows]
    [0.0001978, 2.06e-05]
    """
    formula = formulas.sigmoid_focal_crossentropy
    options = SigmoidFocalCrossEntropy.checked(from_logits=from_logits, alpha=alpha, gamma=gamma)
    seen = observe(y_true, y_pred, None, formula.label, missing=standardize_missing(missing))
    return with_mask(*group_values(formula, total, seen, axis=-1, **options))
