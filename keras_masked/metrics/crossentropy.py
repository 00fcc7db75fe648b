"""Mean cross-entropies."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas import crossentropy as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import CLASS_IDS, NAN, Missing
from keras_masked.validation import BOOLEAN, INTEGER, PROBABILITY, optional

Tensor = Any


@register
class BinaryCrossentropy(MeanMetric):
    r"""Cross-entropy of binary labels, averaged over the observed ones.

    $$M = \frac{-\sum_i o_i w_i \left[y_i \log p_i + (1 - y_i) \log(1 - p_i)\right]}
               {\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards 0.5.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If labels outside [0, 1] that `missing` does not name are at hand. In tensors,
            such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.BinaryCrossentropy()
    >>> y_true = np.array([[0.0, 1.0], [np.nan, 1.0]])
    >>> y_pred = np.array([[0.25, 0.5], [0.9, 0.5]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # -(log 0.75 + 2 log 0.5) / 3
    0.558

    Source: `keras.metrics.BinaryCrossentropy`.
    """

    formula = formulas.binary_crossentropy
    _direction = "down"

    admits = {"from_logits": BOOLEAN, "label_smoothing": PROBABILITY}

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            name, dtype, missing=missing, from_logits=from_logits, label_smoothing=label_smoothing
        )


@register
class CategoricalCrossentropy(MeanMetric):
    r"""Cross-entropy of one-hot or soft labels, averaged over the observed ones.

    $$M = \frac{-\sum_i o_i w_i \sum_c y_{ic} \log p_{ic}}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards the uniform one.
        axis: The axis of the classes.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.CategoricalCrossentropy()
    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # -log 0.75
    0.2877

    Source: `keras.metrics.CategoricalCrossentropy`.
    """

    formula = formulas.categorical_crossentropy
    _direction = "down"

    admits = {"from_logits": BOOLEAN, "label_smoothing": PROBABILITY, "axis": INTEGER}

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@register
class SparseCategoricalCrossentropy(MeanMetric):
    r"""Cross-entropy of class ids, averaged over the observed ones.

    $$M = \frac{-\sum_i o_i w_i \log p_{i, y_i}}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        ignore_class: One more id that is missing, as in Keras.
        axis: The axis of the classes.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.SparseCategoricalCrossentropy()
    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # -log 0.75
    0.2877

    Source: `keras.metrics.SparseCategoricalCrossentropy`.
    """

    formula = formulas.sparse_categorical_crossentropy
    _direction = "down"

    admits = {"from_logits": BOOLEAN, "ignore_class": optional(INTEGER), "axis": INTEGER}

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


@register
class Perplexity(MeanMetric):
    r"""Exponential of the mean cross-entropy of the observed ids.

    $$M = \exp \frac{-\sum_i o_i w_i \log p_{i, y_i}}{\sum_i o_i w_i}$$

    with $o_i$ 1 where token $i$ is observed, else 0, and $w_i$ its weight: how many words a model
    hesitates between. The mean is over all tokens of all batches, not a mean of batches'
    perplexities. NaN where nothing is observed.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        name: Name of the metric.
        dtype: Dtype of the result.
        ignore_class: One more id that is missing, as Keras's metrics have it.
        axis: The axis of the words.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., words)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.Perplexity()
    >>> y_true = np.array([1, 0, -1])
    >>> y_pred = np.array([[0.25, 0.75], [0.75, 0.25], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1 / 0.75
    1.3333

    Source: Jelinek et al. 1977, "Perplexity, a measure of the difficulty of speech recognition
    tasks".
    """

    formula = formulas.sparse_categorical_crossentropy
    default_missing = CLASS_IDS
    _direction = "down"

    admits = {"from_logits": BOOLEAN, "ignore_class": optional(INTEGER), "axis": INTEGER}

    def __init__(
        self,
        from_logits: bool = False,
        name: str | None = "perplexity",
        dtype: Any = None,
        ignore_class: int | None = None,
        axis: int = -1,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def score(self, state: Any) -> Tensor:
        """The exponential of the mean so far."""
        return ops.exp(super().score(state))
