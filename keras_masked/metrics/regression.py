"""Metrics of real-valued labels that are means over labels."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.formulas import regression as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import Missing
from keras_masked.validation import BOOLEAN

Tensor = Any


class CensoredMean(MeanMetric):
    """Base class: a mean of differences from labels, of which some may be bounds."""

    admits = {"censored": BOOLEAN}

    def __init__(
        self,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        censored: bool = False,
    ) -> None:
        super().__init__(name, dtype, missing=missing, censored=censored)


@register
class MeanSquaredError(CensoredMean):
    r"""Mean of squared differences over the observed labels.

    $$M = \frac{\sum_i o_i w_i (y_i - p_i)^2}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: the difference is then that to the nearest of what the label can be.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; with `censored=True`, `y_true`
    `(batch, ..., labels, 2)`. The result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.MeanSquaredError()
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 0 + 4) / 3
    1.6667

    Source: `keras.metrics.MeanSquaredError`.
    """

    formula = formulas.squared_error
    _direction = "down"


@register
class MeanAbsoluteError(CensoredMean):
    r"""Mean of absolute differences over the observed labels.

    $$M = \frac{\sum_i o_i w_i |y_i - p_i|}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: the difference is then that to the nearest of what the label can be.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; with `censored=True`, `y_true`
    `(batch, ..., labels, 2)`. The result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.MeanAbsoluteError()
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 0 + 2) / 3
    1.0

    Source: `keras.metrics.MeanAbsoluteError`.
    """

    formula = formulas.absolute_error
    _direction = "down"


@register
class RootMeanSquaredError(CensoredMean):
    r"""Square root of the mean squared difference over the observed labels.

    $$M = \sqrt{\frac{\sum_i o_i w_i (y_i - p_i)^2}{\sum_i o_i w_i}}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: the difference is then that to the nearest of what the label can be.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; with `censored=True`, `y_true`
    `(batch, ..., labels, 2)`. The result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.RootMeanSquaredError()
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # sqrt((1 + 0 + 4) / 3)
    1.291

    Source: `keras.metrics.RootMeanSquaredError`.
    """

    formula = formulas.squared_error
    _direction = "down"

    def score(self, state: Any) -> Tensor:
        """The root of the mean so far."""
        return ops.sqrt(super().score(state))


@register
class MeanAbsolutePercentageError(MeanMetric):
    r"""Mean of absolute differences in percent of the labels.

    $$M = \frac{100 \sum_i o_i w_i |y_i - p_i| / \max(|y_i|, \epsilon)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. $\epsilon$ is
    `keras.config.epsilon()`. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.MeanAbsolutePercentageError()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [2.0, 3.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (100 + 0 + 25) / 3
    41.6667

    Source: `keras.metrics.MeanAbsolutePercentageError`.
    """

    formula = formulas.absolute_percentage_error
    _direction = "down"


@register
class MeanSquaredLogarithmicError(MeanMetric):
    r"""Mean of squared differences of logarithms.

    $$M = \frac{\sum_i o_i w_i (\log(1 + p_i) - \log(1 + y_i))^2}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Labels and
    predictions below `keras.config.epsilon()` are replaced by it. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.MeanSquaredLogarithmicError()
    >>> y_true = np.array([[0.0, np.nan], [0.0, 1.0]])
    >>> y_pred = np.array([[1.0, 7.0], [0.0, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # log(2)^2 / 3
    0.1602

    Source: `keras.metrics.MeanSquaredLogarithmicError`.
    """

    formula = formulas.squared_logarithmic_error
    _direction = "down"
