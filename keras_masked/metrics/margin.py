"""Margin losses as metrics: means over labels."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas import margin as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import CLASS_IDS, Missing
from keras_masked.validation import NON_NEGATIVE


@register
class Hinge(MeanMetric):
    r"""Mean hinge loss over the observed labels, -1 or 1, or 0 or 1.

    $$M = \frac{\sum_i o_i w_i \max(1 - y_i p_i, 0)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Labels are -1 or
    1; if all are 0 or 1, 0 stands for -1. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If labels other than -1, 0 and 1 that `missing` does not name are at hand. In
            tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.Hinge()
    >>> y_true = np.array([[-1.0, np.nan], [1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1.5 + 0.5 + 0) / 3
    0.6667

    Source: `keras.metrics.Hinge`.
    """

    formula = formulas.hinge
    _direction = "down"


@register
class SquaredHinge(MeanMetric):
    r"""Mean squared hinge loss over the observed labels, -1 or 1, or 0 or 1.

    $$M = \frac{\sum_i o_i w_i \max(1 - y_i p_i, 0)^2}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Labels are -1 or
    1; if all are 0 or 1, 0 stands for -1. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If labels other than -1, 0 and 1 that `missing` does not name are at hand. In
            tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.SquaredHinge()
    >>> y_true = np.array([[-1.0, np.nan], [1.0, 1.0]])
    >>> y_pred = np.array([[0.5, 7.0], [0.5, 2.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (2.25 + 0.25 + 0) / 3
    0.8333

    Source: `keras.metrics.SquaredHinge`.
    """

    formula = formulas.squared_hinge
    _direction = "down"


@register
class CategoricalHinge(MeanMetric):
    r"""Mean categorical hinge loss over the observed labels.

    $$M = \frac{\sum_i o_i w_i
          \max(0, 1 + \max_c (1 - y_{ic}) p_{ic} - \sum_c y_{ic} p_{ic})}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.CategoricalHinge()
    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.6, 0.4], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    1.2

    Source: `keras.metrics.CategoricalHinge`.
    """

    formula = formulas.categorical_hinge
    _direction = "down"


@register
class MulticlassHinge(MeanMetric):
    r"""Mean over the observed class ids of what they lack of a margin to the best other class.

    $$M = \frac{\sum_i o_i w_i \max_{c \ne y_i} \max(0, p_{ic} - p_{i y_i} + \delta)}
               {\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        delta: The margin.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`, `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Raises:
        ValueError: If an id that is at hand and not named missing is none of the classes.
            Elsewhere such an id makes the result NaN.

    Example:

    >>> metric = keras_masked.metrics.MulticlassHinge()
    >>> y_pred = np.array([[2.0, 0.5, 0.0], [1.0, 0.0, 0.5], [0.0, 0.0, 9.0]])
    >>> metric.update_state(np.array([0, 2, -1]), y_pred)
    >>> round(float(metric.result()), 4)  # (0 + 1.5) / 2
    0.75

    Source: Crammer and Singer 2001; `symjax.nn.losses.multiclass_hinge_loss`.
    """

    formula = formulas.multiclass_hinge
    _direction = "down"

    admits = {"delta": NON_NEGATIVE}

    def __init__(
        self,
        delta: float = 1.0,
        name: str | None = "multiclass_hinge",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(name, dtype, missing=missing, delta=delta)
