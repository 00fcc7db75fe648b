"""How many labels are true or false, positive or negative."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.metrics.base import register
from keras_masked.metrics.thresholds import OneOrMore, Thresholds
from keras_masked.observation import NAN, Missing
from keras_masked.validation import PROBABILITY, one_or_several, optional

Tensor = Any


class Count(OneOrMore):
    """Base class: how many labels are true or false, positive or negative."""

    counted: str

    admits = {"thresholds": optional(one_or_several(PROBABILITY))}

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, thresholds, missing=missing)

    def values(self, state: Any) -> Tensor:
        """The counts."""
        return getattr(self.confusion(state), self.counted)

    def defined(self, state: Any) -> Tensor:
        """Always: of nothing, there is none."""
        return ops.ones_like(self.support_of(state), dtype="bool")


@register
class TruePositives(Count):
    r"""Number of positive labels whose prediction lies above the threshold.

    $$M = \sum_i o_i w_i \, [y_i = 1, \, p_i > t]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. 0 where nothing is
    observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or
    `(thresholds,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1]. Also if labels outside [0, 1] that
            `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.TruePositives()
    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.8, 0.7, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    1.0

    Source: `keras.metrics.TruePositives`.
    """

    counted = "tp"
    _direction = "up"


@register
class TrueNegatives(Count):
    r"""Number of negative labels whose prediction does not lie above the threshold.

    $$M = \sum_i o_i w_i \, [y_i = 0, \, p_i \le t]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. 0 where nothing is
    observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or
    `(thresholds,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1]. Also if labels outside [0, 1] that
            `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.TrueNegatives()
    >>> y_true = np.array([[0.0, 0.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.2, 0.1, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    1.0

    Source: `keras.metrics.TrueNegatives`.
    """

    counted = "tn"
    _direction = "up"


@register
class FalsePositives(Count):
    r"""Number of negative labels whose prediction lies above the threshold.

    $$M = \sum_i o_i w_i \, [y_i = 0, \, p_i > t]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. 0 where nothing is
    observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or
    `(thresholds,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1]. Also if labels outside [0, 1] that
            `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.FalsePositives()
    >>> y_true = np.array([[0.0, 0.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.2, 0.8, 0.7]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    1.0

    Source: `keras.metrics.FalsePositives`.
    """

    counted = "fp"
    _direction = "down"


@register
class FalseNegatives(Count):
    r"""Number of positive labels whose prediction does not lie above the threshold.

    $$M = \sum_i o_i w_i \, [y_i = 1, \, p_i \le t]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. 0 where nothing is
    observed.

    Args:
        thresholds: A number in [0, 1] or several, for a vector of results; 0.5 by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, or
    `(thresholds,)`.

    Raises:
        ValueError: If a threshold is outside of [0, 1]. Also if labels outside [0, 1] that
            `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> metric = keras_masked.metrics.FalseNegatives()
    >>> y_true = np.array([[1.0, 1.0, np.nan, 0.0]])
    >>> y_pred = np.array([[0.9, 0.2, 0.1, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    1.0

    Source: `keras.metrics.FalseNegatives`.
    """

    counted = "fn"
    _direction = "down"
