"""Accuracies: means over labels of whether prediction and label agree."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.metrics.base import MeanMetric, register
from keras_masked.missing import CLASS_IDS, NAN, Missing


@register
class BinaryAccuracy(MeanMetric):
    r"""How often a prediction beyond the threshold agrees with a binary label.

    $$M = \frac{\sum_i o_i w_i \, [(p_i > t) = y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        threshold: Predictions above it say 1.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.BinaryAccuracy()
    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[0.2, 0.4, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # one of two
    0.5

    Source: `keras.metrics.BinaryAccuracy`.
    """

    formula = formulas.binary_match
    _direction = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, threshold=threshold)


@register
class CategoricalAccuracy(MeanMetric):
    r"""How often prediction and one-hot label are greatest in the same class.

    $$M = \frac{\sum_i o_i w_i \, [\arg\max_c p_{ic} = \arg\max_c y_{ic}]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.CategoricalAccuracy()
    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.CategoricalAccuracy`.
    """

    formula = formulas.categorical_match
    _direction = "up"

    def __init__(
        self,
        name: str | None = "categorical_accuracy",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing)


@register
class SparseCategoricalAccuracy(MeanMetric):
    r"""How often the prediction is greatest in the class of the label.

    $$M = \frac{\sum_i o_i w_i \, [\arg\max_c p_{ic} = y_i]}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.SparseCategoricalAccuracy()
    >>> y_true = np.array([1, -1])
    >>> y_pred = np.array([[0.2, 0.8], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the one observed
    1.0

    Source: `keras.metrics.SparseCategoricalAccuracy`.
    """

    formula = formulas.sparse_categorical_match
    _direction = "up"

    def __init__(
        self,
        name: str | None = "sparse_categorical_accuracy",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(name, dtype, missing=missing)
