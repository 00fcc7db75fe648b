"""Losses over windows and stencils of fields: a missing pixel leaves all that it is part of."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas.fields import (
    events,
    fractions_skill,
    sobel,
    sobel_sees,
    window_means,
)
from keras_masked.hiding import gate_input, gate_output, replace
from keras_masked.missing import Missing
from keras_masked.observation import Observation, observe

Tensor = Any

PADDINGS = ("valid", "same")


def fractions_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
    window: int = 3,
    threshold: float | None = 0.5,
    scale: float = 10.0,
    padding: str = "valid",
    axis: int | tuple[int, ...] | None = None,
) -> tuple[Tensor, Observation]:
    """One minus the fractions skill score of each set, and which sets have an observed window."""
    seen = _observe_fields(y_true, y_pred, missing, dtype, window if padding == "valid" else 1)
    labels, predictions = events(
        seen.y_true, gate_input(seen.y_pred, seen.hidden), threshold, scale
    )
    hidden, inside = seen.hidden, seen.observed
    outside = window - 1 if padding == "same" else 0
    if inside is None and outside:
        inside = ops.ones_like(labels, dtype="bool")

    def means(x: Tensor) -> Tensor:
        """Of windows, with 0 for what lies outside the field."""
        channels = len(x.shape) == 4
        x = x if channels else ops.expand_dims(x, -1)
        if outside:
            around = (outside // 2, outside - outside // 2)
            x = ops.pad(x, ((0, 0), around, around, (0, 0)))
        x = window_means(x, window)
        return x if channels else ops.squeeze(x, -1)

    labels, predictions = (means(replace(x, hidden, 0.0)) for x in (labels, predictions))
    observed = None
    if inside is not None:
        share = means(ops.cast(inside, labels.dtype))
        counted = ops.greater(share, 0.5 / window**2)  # one pixel or more
        share = ops.where(counted, share, ops.ones_like(share))
        labels, predictions = labels / share, predictions / share
        observed = None if seen.observed is None else ops.any(counted, axis=axis)
    losses = fractions_skill(labels, predictions, axis=axis)
    sets = Observation(seen.y_true, seen.y_pred, observed, None, seen.dtype)
    return gate_output(losses, sets.hidden), sets.weighted(sample_weight, losses)


def sobel_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
) -> tuple[Tensor, Observation]:
    """Squared differences of slopes `(batch, height - 2, width - 2, ..., 2)`, and which count."""
    seen = _observe_fields(y_true, y_pred, missing, dtype, 3)
    labels, predictions = (sobel(replace(x, seen.hidden, 0.0)) for x in (seen.y_true, seen.y_pred))
    errors = predictions - labels
    observed = None if seen.observed is None else sobel_sees(seen.observed)
    slopes = Observation(labels, predictions, observed, None, seen.dtype)
    slopes = slopes.weighted(inner_weights(sample_weight, seen.y_pred), errors)
    # Before the square, so that 0 comes back from there: all else is linear.
    return ops.square(replace(errors, slopes.hidden, 0.0)), slopes


def inner_weights(sample_weight: Tensor | None, fields: Tensor) -> Tensor | None:
    """Weights of pixels, as those of the slopes there; others as they are."""
    if sample_weight is None:
        return None
    weight = ops.convert_to_tensor(sample_weight, dtype=fields.dtype)
    for axis in (1, 2):
        if len(weight.shape) > axis and weight.shape[axis] != 1:
            weight = weight[:, 1:-1] if axis == 1 else weight[:, :, 1:-1]
    return weight


def check_window(window: Any, padding: Any) -> None:
    """Checks `window=` and `padding=`."""
    if not isinstance(window, int) or isinstance(window, bool) or window < 1:
        raise ValueError(
            f"Argument `window` must be a number of pixels. Received: window={window!r}"
        )
    if padding not in PADDINGS:
        raise ValueError(
            f"Argument `padding` must be one of {PADDINGS}. Received: padding={padding!r}"
        )


def _observe_fields(
    y_true: Tensor, y_pred: Tensor, missing: Missing, dtype: str | None, least: int
) -> Observation:
    """Observed fields `(batch, height, width)` or with channels, at least so many pixels wide."""
    seen = observe(y_true, y_pred, missing=missing, dtype=dtype)
    shape = tuple(seen.y_pred.shape)
    small = any(size is not None and size < least for size in shape[1:3])
    if len(shape) not in (3, 4) or small:
        raise ValueError(
            "Fields must have shape (batch, height, width) or (batch, height, width, channels), "
            f"of at least {least} by {least} pixels. Received: shape={shape}"
        )
    return seen
