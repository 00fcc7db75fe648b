"""Cross-entropies of binary labels, probabilities and class ids: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import crossentropy as formulas
from keras_masked.losses.base import ClassLoss, ClassMasking, register
from keras_masked.observation import CLASS_IDS, NAN, Missing, join_markers, row_values
from keras_masked.validation import BOOLEAN, FRACTION, INTEGER, PROBABILITY, Reduction, optional

Tensor = Any


@register
class BinaryCrossentropy(ClassLoss):
    r"""Cross-entropy of binary labels, averaged over the observed ones.

    $$L = \frac{-\sum_i o_i w_i \left[y_i \log p_i + (1 - y_i) \log(1 - p_i)\right]}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards 0.5.
        axis: The axis over which a row's labels are averaged.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` differ by more than a last axis of one.
            Also if labels outside [0, 1] that `missing` does not name are at hand. In tensors, such
            a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> loss = keras_masked.losses.BinaryCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -(log 0.75 + 2 log 0.5) / 3
    0.558

    Source: `keras.losses.BinaryCrossentropy`.
    """

    formula = formulas.binary_crossentropy

    admits = {"from_logits": BOOLEAN, "label_smoothing": PROBABILITY, "axis": INTEGER}

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            **masking,
        )


@register
class CategoricalCrossentropy(ClassLoss):
    r"""Cross-entropy of one-hot or soft labels, averaged over the observed ones.

    $$L = \frac{-\sum_i o_i w_i \sum_c y_{ic} \log p_{ic}}{\sum_i o_i}$$

    A label is the whole vector on the last axis, and missing if any entry of it is
    NaN, or all of them equal a number that `missing` names.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards the uniform one.
        axis: The axis of the classes.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` differ.

    Example:

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.CategoricalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log 0.75
    0.2877

    Source: `keras.losses.CategoricalCrossentropy`.
    """

    formula = formulas.categorical_crossentropy

    admits = {"from_logits": BOOLEAN, "label_smoothing": PROBABILITY, "axis": INTEGER}

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            **masking,
        )


@register
class SparseCategoricalCrossentropy(ClassLoss):
    r"""Cross-entropy of class ids, averaged over the observed ones.

    $$L = \frac{-\sum_i o_i w_i \log p_{i, y_i}}{\sum_i o_i}$$

    An id outside the classes that is not named missing gives NaN.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        ignore_class: One more id that is missing, as in Keras.
        label_smoothing: Float in [0, 1]: how far labels, as one-hot rows, are drawn towards the
            uniform one.
        reduction: As in Keras, over observed labels.
        axis: The axis of the classes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; one row value per label.

    Raises:
        ValueError: If `y_true` has not the shape of `y_pred` without its class axis.

    Example:

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.SparseCategoricalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log 0.75
    0.2877

    Source: `keras.losses.SparseCategoricalCrossentropy`.
    """

    formula = formulas.sparse_categorical_crossentropy
    default_missing = CLASS_IDS

    admits = {
        "from_logits": BOOLEAN,
        "ignore_class": optional(INTEGER),
        "axis": INTEGER,
        "label_smoothing": PROBABILITY,
    }

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        *,
        label_smoothing: float = 0.0,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
            label_smoothing=label_smoothing,
            **masking,
        )


@register
class CategoricalGeneralizedCrossEntropy(ClassLoss):
    r"""Generalised cross-entropy of class ids, robust to wrong labels.

    $$L = \frac{\sum_i o_i w_i \, (1 - p_{i, y_i}^q) / q}{\sum_i o_i}$$

    Between cross-entropy (q to 0) and the absolute error (q to 1). An id outside the classes that
    is not named missing gives NaN.

    Args:
        q: The exponent, in (0, 1).
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; one row value per label.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or `q` is not in (0, 1).

    Example:

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> loss = keras_masked.losses.CategoricalGeneralizedCrossEntropy()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.2679

    Source: `keras.losses.CategoricalGeneralizedCrossEntropy`; Zhang and Sabuncu 2018,
    equation 6.
    """

    formula = formulas.generalized_cross_entropy
    default_missing = CLASS_IDS

    admits = {"q": FRACTION}

    def __init__(
        self,
        q: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(reduction, name, dtype, q=q, **masking)


@register
def binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the binary cross-entropy of each row, over its observed labels.

    See `BinaryCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> rows = keras_masked.losses.binary_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.4904, 0.6931]
    """
    return row_values(
        formulas.binary_crossentropy,
        y_true,
        y_pred,
        missing,
        **BinaryCrossentropy.checked(
            axis=axis, from_logits=from_logits, label_smoothing=label_smoothing
        ),
    )


@register
def categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the cross-entropy of each one-hot or soft label, 0 where it is missing.

    See `CategoricalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    return row_values(
        formulas.categorical_crossentropy,
        y_true,
        y_pred,
        missing,
        **CategoricalCrossentropy.checked(
            axis=axis, from_logits=from_logits, label_smoothing=label_smoothing
        ),
    )


@register
def sparse_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    label_smoothing: float = 0.0,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the cross-entropy of each class id, 0 where it is missing.

    See `SparseCategoricalCrossentropy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.sparse_categorical_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    options = SparseCategoricalCrossentropy.checked(
        axis=axis,
        from_logits=from_logits,
        ignore_class=ignore_class,
        label_smoothing=label_smoothing,
    )
    markers = join_markers(missing, options.pop("ignore_class"))
    return row_values(formulas.sparse_categorical_crossentropy, y_true, y_pred, markers, **options)


@register
def categorical_generalized_cross_entropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    q: float = 0.5,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the generalised cross-entropy of each class id, 0 where it is missing.

    See `CategoricalGeneralizedCrossEntropy`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.categorical_generalized_cross_entropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2679, 0.0]
    """
    return row_values(
        formulas.generalized_cross_entropy,
        y_true,
        y_pred,
        missing,
        **CategoricalGeneralizedCrossEntropy.checked(q=q),
    )
