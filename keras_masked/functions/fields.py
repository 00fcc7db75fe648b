"""Losses of fields, as functions: overlap, events, windows and slopes."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import formulas
from keras_masked.evaluation import with_mask
from keras_masked.fields import check_window, fractions_values, sobel_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing, standardize_missing
from keras_masked.reduction import row_means
from keras_masked.sets import event_values, set_values

Tensor = Any
Axis = int | tuple[int, ...] | None


@register_loss
def jaccard(y_true: Tensor, y_pred: Tensor, *, axis: Axis = None, missing: Missing = NAN) -> Tensor:
    """Returns one minus the soft intersection over union of each set's observed labels.

    See `Jaccard`.

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> round(float(keras_masked.losses.jaccard(y_true, y_pred)), 4)
    0.4
    """
    missing = standardize_missing(missing)
    return with_mask(*set_values(formulas.jaccard, y_true, y_pred, missing=missing, axis=axis))


@register_loss
def critical_success_index(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    threshold: float | None = None,
    scale: float = 10.0,
    axis: Axis = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns one minus the soft critical success index of each set's observed labels.

    See `CriticalSuccessIndex`.

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> round(float(keras_masked.losses.critical_success_index(y_true, y_pred)), 4)
    0.4
    """
    return with_mask(
        *event_values(
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            threshold=threshold,
            scale=scale,
            axis=axis,
        )
    )


@register_loss
def fractions_skill_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    window: int = 3,
    threshold: float | None = 0.5,
    scale: float = 10.0,
    padding: str = "valid",
    axis: Axis = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns one minus the fractions skill score of each set's observed pixels.

    See `FractionsSkillScore`.

    >>> y_true = np.array([[[1.0, 0.0, 0.0, np.nan]] * 2])
    >>> y_pred = np.array([[[0.0, 1.0, 0.0, 1.0]] * 2])
    >>> options = {"window": 2, "threshold": None}
    >>> round(float(keras_masked.losses.fractions_skill_score(y_true, y_pred, **options)), 4)
    0.3333
    """
    check_window(window, padding)
    return with_mask(
        *fractions_values(
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            window=window,
            threshold=threshold,
            scale=scale,
            padding=padding,
            axis=axis,
        )
    )


@register_loss
def sobel_mse(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the mean squared difference of the observed slopes of each inner pixel.

    See `SobelMSE`.

    >>> y_true = np.zeros((1, 3, 4))
    >>> y_true[0, 0, 3] = np.nan
    >>> y_pred = np.broadcast_to(np.arange(4.0), (1, 3, 4))
    >>> rows = keras_masked.losses.sobel_mse(y_true, y_pred)
    >>> [float(pixel) for pixel in rows[0, 0]]
    [32.0, 0.0]
    """
    losses, seen = sobel_values(y_true, y_pred, missing=standardize_missing(missing))
    observed = None if seen.observed is None else ops.any(seen.observed, axis=-1)
    pixels = dataclasses.replace(seen, observed=observed)
    return with_mask(row_means(losses, seen.observed), pixels)
