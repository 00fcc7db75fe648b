"""How many of the labels are there at all."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.observation import (
    NAN,
    Missing,
    find_missing,
    find_missing_ends,
    only_ends,
    receive_labels,
    shapes,
)
from keras_masked.validation import BOOLEAN, LABEL_AXES

Tensor = Any


@register
class ObservedFraction(MaskedMetric):
    r"""Fraction of the labels that are observed, among those that a Keras mask lets pass.

    $$M = \frac{\sum_i o_i}{\sum_i m_i}$$

    with $m_i$ 1 where label $i$ is not masked, else 0. Weights are ignored. 0 where there is no
    label at all.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        label_axes: How many last axes of `y_true` form one label: 0, or 1 for one-hot labels.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: bounds are observed, too.

    Shapes: `y_true` any shape; of `y_pred` only the Keras mask is used.

    Example:

    >>> metric = keras_masked.metrics.ObservedFraction()
    >>> metric.update_state(np.array([[1.0, np.nan], [3.0, 4.0]]))
    >>> float(metric.result())
    0.75

    Source: none; Keras has no such metric.
    """

    _direction = "up"

    admits = {"label_axes": LABEL_AXES, "censored": BOOLEAN}

    def __init__(
        self,
        name: str | None = "observed_fraction",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
        label_axes: int = 0,
        censored: bool = False,
    ) -> None:
        options = {"label_axes": label_axes, "censored": censored}
        super().__init__(name, dtype, missing=missing, **options)
        self._observed = self.accumulator()
        self._positions = self.accumulator()

    def update_state(
        self, y_true: Tensor, y_pred: Tensor | None = None, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch; `sample_weight` is ignored."""
        mask = None if y_pred is None else _backend.get_keras_mask(y_pred)
        y_true = receive_labels(y_true, self.missing)
        axes = self._options["label_axes"]
        if self._options["censored"]:
            axes = 1
            absent = find_missing_ends(only_ends(y_true), self.missing)
        else:
            absent = find_missing(y_true, self.missing, axes)
        if absent is None:
            labels = y_true[..., 0] if axes else y_true
            absent = ops.zeros_like(labels, dtype="bool")
        positions = ops.ones_like(absent, dtype="bool")
        if mask is not None:
            mask = shapes.expand_from_left(mask, tuple(absent.shape), name="mask")
            positions = ops.logical_and(positions, ops.cast(mask, "bool"))
        observed = ops.logical_and(positions, ops.logical_not(absent))
        self._observed.add(_backend.count(observed))
        self._positions.add(_backend.count(positions))

    def result(self) -> Tensor:
        """Returns the fraction so far."""
        positions = self._positions.value
        fraction = self._observed.value / _backend.maximum(positions, ops.ones_like(positions))
        return ops.cast(fraction, self.dtype)

    def support(self) -> Tensor:
        """Returns the number of observed labels."""
        return self._observed.value
