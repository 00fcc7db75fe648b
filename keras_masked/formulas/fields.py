"""Of fields: events above a threshold, shares of windows, slopes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked.formulas.sets import Axis

Tensor = Any


def events(
    y_true: Tensor, y_pred: Tensor, threshold: float | None, scale: float | None
) -> tuple[Tensor, Tensor]:
    """Labels y >= threshold as 0 or 1, and sigmoid(scale (p - threshold)) for predictions.

    Without a scale, predictions are events as labels are. Without a threshold they are events and
    probabilities already.
    """
    if threshold is None:
        return y_true, y_pred

    def above(x: Tensor) -> Tensor:
        # A NaN that is not named missing is an accident, and stays visible.
        return ops.where(ops.isnan(x), x, ops.cast(x >= threshold, x.dtype))

    if scale is None:
        return above(y_true), above(y_pred)
    return above(y_true), ops.sigmoid(scale * (y_pred - threshold))


def window_means(x: Tensor, window: int) -> Tensor:
    """Means over all `window` by `window` windows in `(batch, height, width, channels)`."""
    if 0 in x.shape:  # not for TensorFlow and PyTorch
        return x[:, window - 1 :, window - 1 :]
    return ops.average_pool(x, window, strides=1, padding="valid", data_format="channels_last")


def fractions_skill(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """sum((F_p - F_y)^2) / (sum(F_p^2) + sum(F_y^2) + epsilon), of shares F of windows."""
    error = ops.sum(ops.square(y_pred - y_true), axis=axis)
    worst = ops.sum(ops.square(y_pred), axis=axis) + ops.sum(ops.square(y_true), axis=axis)
    return error / (worst + keras.config.epsilon())


def sobel(x: Tensor) -> Tensor:
    """Slopes of the inner pixels of `(batch, height, width, ...)`, along y and x on a last axis."""
    along_y = _smooth(x[:, 2:] - x[:, :-2], axis=2)
    across = _smooth(x, axis=1)
    along_x = across[:, :, 2:] - across[:, :, :-2]
    return ops.stack([along_y, along_x], axis=-1)


def sobel_sees(observed: Tensor) -> Tensor:
    """Of which slopes all six pixels that Sobel's stencil uses are observed."""
    rows = ops.logical_and(observed[:, 2:], observed[:, :-2])
    columns = ops.logical_and(observed[:, :, 2:], observed[:, :, :-2])
    rows = ops.logical_and(ops.logical_and(rows[:, :, 2:], rows[:, :, 1:-1]), rows[:, :, :-2])
    columns = ops.logical_and(ops.logical_and(columns[:, 2:], columns[:, 1:-1]), columns[:, :-2])
    return ops.stack([rows, columns], axis=-1)


def _smooth(x: Tensor, axis: int) -> Tensor:
    """[1, 2, 1] along an axis, where it fits."""
    if axis == 1:
        return x[:, 2:] + 2.0 * x[:, 1:-1] + x[:, :-2]
    return x[:, :, 2:] + 2.0 * x[:, :, 1:-1] + x[:, :, :-2]
