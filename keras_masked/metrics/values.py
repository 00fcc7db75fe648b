"""Means and sums of values of which some are missing, and means of a function of yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.formulas import Formula, Labels
from keras_masked.metrics.base import MaskedMetric, ratio, register
from keras_masked.metrics.masked import check_function
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    compatible,
    observe,
    replace,
)
from keras_masked.validation import FILL, LABEL_AXES

Tensor = Any


class OfValues(MaskedMetric):
    """Base class: a function of the weighted sum of values, and of the sum of their weights."""

    def __init__(self, name: str | None, dtype: Any, missing: Missing) -> None:
        super().__init__(name, dtype, missing=missing)
        self._state = self.accumulator((2,))

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        """Adds values.

        Args:
            values: Values, some of them missing, of any shape.
            sample_weight: Weights: a scalar, one per row, or one per value.
        """
        if not (len(values.shape) if hasattr(values, "shape") else np.ndim(values)):
            values = ops.reshape(values, (1,))
        seen = observe(values, values, sample_weight, missing=self.missing, dtype=self.seen_dtype)
        weight = seen.weights
        shown = replace(ops.stop_gradient(seen.y_pred), seen.hidden, 0)
        self._state.add(ops.stack([ops.sum(shown * weight), ops.sum(weight)]))

    def support(self) -> Tensor:
        """Returns how many values the result rests on: the sum of their weights, if any."""
        return self._state.value[1]

    @property
    def total(self) -> Tensor:
        """The weighted sum of the values so far."""
        return self._state.value[0]


@register
class Mean(OfValues):
    r"""Mean of the values that are not missing.

    $$M = \frac{\sum_i o_i w_i v_i}{\sum_i o_i w_i}$$

    with $o_i$ 1 where value $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which values are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `values` `(batch, ...)` or a scalar; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.Mean()
    >>> metric.update_state(np.array([1.0, 3.0, np.nan, 5.0]))
    >>> float(metric.result())
    3.0

    Source: `keras.metrics.Mean`.
    """

    def __init__(
        self, name: str | None = "mean", dtype: Any = None, *, missing: Missing = NAN
    ) -> None:
        super().__init__(name, dtype, missing)

    @property
    def count(self) -> Tensor:
        """The sum of weights so far."""
        return self._state.value[1]

    def result(self) -> Tensor:
        """Returns the mean so far."""
        return ops.cast(ratio(self.total, self.count), self.dtype)


@register
class Sum(OfValues):
    r"""Sum of the values that are not missing.

    $$M = \sum_i o_i w_i v_i$$

    with $o_i$ 1 where value $i$ is observed, else 0, and $w_i$ its weight. 0 where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which values are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `values` `(batch, ...)` or a scalar; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.Sum()
    >>> metric.update_state(np.array([1.0, 3.0, np.nan, 5.0]))
    >>> float(metric.result())
    9.0

    Source: `keras.metrics.Sum`.
    """

    def __init__(
        self, name: str | None = "sum", dtype: Any = None, *, missing: Missing = NAN
    ) -> None:
        super().__init__(name, dtype, missing)

    def result(self) -> Tensor:
        """Returns the sum so far."""
        return ops.cast(self.total, self.dtype)


@register
class MeanMetricWrapper(MeanMetric):
    r"""Mean of a function of yours over the observed labels.

    $$M = \frac{\sum_i o_i w_i \, f(y_i, p_i)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    The function is called once per batch with all labels, each as a row of its own: of one entry,
    or of a whole vector with `label_axes=1`. So its value for a row must not depend on the others.

    Args:
        fn: A function `fn(y_true, y_pred, **kwargs)` that returns one value per row, or one per
            entry.
        name: Name of the metric.
        dtype: Dtype of the result.
        label_axes: How many last axes of `y_pred` form one label: 0, or 1 for vectors and class
            ids.
        fill: What stands in for hidden (labels, predictions): numbers or vectors that the function
            can compute with.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        kwargs: Further arguments of the function.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)` with `label_axes=0`; with `label_axes=1`,
    `y_pred` `(batch, ..., classes)` and `y_true` of that shape or without the last axis. The result
    is a scalar.

    Raises:
        ValueError: If `fn` cannot be called, or returns neither one value per row nor per entry; if
            it is one of Keras's that needs whole vectors, or other rows.

    Example:

    >>> def cubic_error(y_true, y_pred):
    ...     return keras.ops.abs(y_true - y_pred) ** 3
    >>> metric = keras_masked.metrics.MeanMetricWrapper(cubic_error)
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # (1 + 0 + 8) / 3
    3.0

    Source: `keras.metrics.MeanMetricWrapper`.
    """

    admits = {"label_axes": LABEL_AXES, "fill": FILL}

    def __init__(
        self,
        fn: Callable[..., Tensor],
        name: str | None = None,
        dtype: Any = None,
        *,
        label_axes: int = 0,
        fill: tuple[Any, Any] = (0.5, 0.5),
        missing: Missing = NAN,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ValueError(
                f"Argument `fn` must be a function of `(y_true, y_pred)`. Received: fn={fn!r}"
            )
        check_function(fn, label_axes, fill)
        labels = Labels(axes=label_axes, by_shape=label_axes == 1)
        self.formula = Formula(self._call, labels)
        super().__init__(name, dtype, missing=missing)
        self.label_axes = label_axes
        self.fn = fn
        self._fill = tuple(fill)
        self._fn_kwargs = kwargs
        if isinstance(fn, keras.losses.Loss) or getattr(keras.losses, _name(fn), None) is fn:
            self._direction = "down"

    @property
    def fill(self) -> tuple[Any, Any]:
        """What stands in for hidden (labels, predictions)."""
        return (self._fill[0], self._fill[1])

    def label_values(self, seen: Observation) -> Tensor:
        """The function's value of each label, of fills where hidden."""
        y_true = ops.cast(replace(seen.y_true, seen.hidden, self._fill[0]), seen.y_pred.dtype)
        return self._call(y_true, replace(seen.y_pred, seen.hidden, self._fill[1]))

    def _call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if not self.label_axes:
            y_true, y_pred = ops.expand_dims(y_true, -1), ops.expand_dims(y_pred, -1)
        shape = tuple(y_pred.shape[:-1])
        values = ops.cast(self.fn(y_true, y_pred, **self._fn_kwargs), y_pred.dtype)
        if len(values.shape) == len(shape) + 1:  # one per entry: of one entry, or of a vector
            values = _backend.mean(values, axis=-1)
        if not compatible(tuple(values.shape), shape):
            raise ValueError(
                f"`fn` must return one value per row. For rows of shape {shape}, {self.fn!r} "
                f"returned the shape {tuple(values.shape)}."
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the function included."""
        return {
            **super().get_config(),
            "fn": serialization.serialize(self.fn),
            "label_axes": self.label_axes,
            "fill": self.fill,
            **{key: serialization.serialize(value) for key, value in self._fn_kwargs.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        """Builds the metric from its config."""
        return cls(**keras.saving.deserialize_keras_object(config))


def _name(fn: Any) -> str:
    return getattr(fn, "__name__", "")
