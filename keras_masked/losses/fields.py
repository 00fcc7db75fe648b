"""Losses over windows and stencils of fields: a missing pixel leaves all that it is part of."""

from __future__ import annotations

import dataclasses
from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import (
    NUMBER,
    PROBABILITY,
    events,
    fractions_skill,
    sobel,
    sobel_sees,
    window_means,
)
from keras_masked.formulas import fields as formulas
from keras_masked.formulas.sets import Axis
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.losses.sets import SetLoss, none_without_labels
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    gate_input,
    gate_output,
    observe,
    replace,
    row_means,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import (
    AXES,
    FINITE,
    POSITIVE,
    POSITIVE_INTEGER,
    Reduction,
    one_of,
    optional,
)

Tensor = Any


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
    label = PROBABILITY if threshold is None else NUMBER
    seen = observe(y_true, y_pred, None, label, missing=missing, dtype=dtype)
    check_fields(seen, window if padding == "valid" else 1)
    labels, predictions, counted = shares_of_windows(seen, window, threshold, scale, padding)
    observed = None
    if counted is not None and seen.observed is not None:
        observed = ops.any(counted, axis=axis)
    losses = fractions_skill(labels, predictions, axis=axis)
    observed = none_without_labels(observed, losses, labels)
    sets = Observation(seen.y_true, seen.y_pred, observed, None, seen.dtype)
    return gate_output(losses, sets.hidden), sets.weighted(sample_weight, losses)


def shares_of_windows(
    seen: Observation, window: int, threshold: float | None, scale: float | None, padding: str
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Shares of events in the observed part of each window: labels, predictions, where any is.

    Both are 0 in windows of which nothing is observed. Without a scale, predictions are events.
    """
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
    if inside is None:
        return labels, predictions, None
    share = means(ops.cast(inside, labels.dtype))
    counted = ops.greater(share, 0.5 / window**2)  # one pixel or more
    share = ops.where(counted, share, ops.ones_like(share))
    return labels / share, predictions / share, counted


def sobel_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
) -> tuple[Tensor, Observation]:
    """Squared differences of slopes `(batch, height - 2, width - 2, ..., 2)`, and which count."""
    seen = observe(y_true, y_pred, None, NUMBER, missing=missing, dtype=dtype)
    check_fields(seen, 3)
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


def check_fields(seen: Observation, least: int) -> None:
    """Raises on what is no `(batch, height, width)`, with channels or not, or not so wide."""
    shape = tuple(seen.y_pred.shape)
    small = any(size is not None and size < least for size in shape[1:3])
    if len(shape) not in (3, 4) or small:
        raise ValueError(
            "Fields must have shape (batch, height, width) or (batch, height, width, channels), "
            f"of at least {least} by {least} pixels. Received: shape={shape}"
        )


@register
class FractionsSkillScore(SetLoss):
    r"""One minus the fractions skill score: events compared by their share of windows.

    $$L = \frac{\sum_k (F^p_k - F^y_k)^2}{\sum_k (F^p_k)^2 + \sum_k (F^y_k)^2 + \epsilon}, \quad
      F^y_k = \frac{\sum_{i \in k} o_i e_i}{\sum_{i \in k} o_i}, \;
      F^p_k = \frac{\sum_{i \in k} o_i q_i}{\sum_{i \in k} o_i}$$

    over all windows $k$ of n by n pixels that hold any observed pixel, with the event
    $e_i = [y_i \ge t]$ and its soft prediction $q_i = 1 / (1 + e^{-s (p_i - t)})$. A prediction
    that is right but for a shift within the window is punished little, where each error of a single
    pixel would count twice, once as a miss and once as a false alarm.

    A missing pixel leaves the means of all its windows, on both sides. A set of which nothing is
    observed has a loss of 0 and does not count; so has one without any event in labels and
    predictions.

    Args:
        window: Side n of the windows, in pixels.
        threshold: From which value on a label is an event; with `None` labels are 0 or 1 and
            predictions are probabilities.
        scale: How steeply the prediction turns into an event at the threshold, s.
        padding: `"valid"`: windows that lie in the field. `"same"`: one around each pixel, where
            what lies outside the field is missing.
        axis: The axes that a set spans; by default all, so that the batch is one set. (1, 2, 3)
            for each field of its own.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, height, width)` or `(batch, height, width, channels)`;
    one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, are no fields, or are
            smaller than the window, or on an unknown `padding`.

    Example:

    >>> y_true = np.array([[[1.0, 0.0, 0.0, np.nan]] * 2])
    >>> y_pred = np.array([[[0.0, 1.0, 0.0, 1.0]] * 2])
    >>> loss = keras_masked.losses.FractionsSkillScore(window=2, threshold=None)
    >>> round(float(loss(y_true, y_pred)), 4)  # shares 1/2, 0, 0 and 1/2, 1/2, 0
    0.3333

    Source: Roberts and Lean 2008, equations 5 to 7; Ebert-Uphoff et al. 2021, CIRA guide to custom
    loss functions.
    """

    of_sets = staticmethod(formulas.fractions_skill)

    admits = {
        "window": POSITIVE_INTEGER,
        "threshold": optional(FINITE),
        "scale": POSITIVE,
        "padding": one_of("valid", "same"),
        "axis": AXES,
    }

    def __init__(
        self,
        window: int = 3,
        threshold: float | None = 0.5,
        scale: float = 10.0,
        padding: str = "valid",
        axis: int | tuple[int, ...] | None = None,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "fractions_skill_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"window": window, "threshold": threshold, "scale": scale}
        super().__init__(reduction, name, dtype, **options, padding=padding, axis=axis, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed pixel."""
        of_sets = fractions_values(
            y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype, **self._options
        )
        return self.weigh(*of_sets)


@register
class SobelMSE(MaskedLoss):
    r"""Mean of squared differences of the slopes of fields, by Sobel's operator.

    $$L = \frac{\sum_i \sum_{d} o_{id} w_i \, (S_d y - S_d p)_i^2}{\sum_i \sum_d o_{id}}, \quad
      S_y = \begin{bmatrix} -1 & -2 & -1 \\ 0 & 0 & 0 \\ 1 & 2 & 1 \end{bmatrix}, \;
      S_x = S_y^\top$$

    over inner pixels $i$ and both directions $d$. A slope counts ($o_{id} = 1$) if all six pixels
    that its stencil uses are observed, and $w_i$ is the weight of the pixel in the middle. Fields
    that differ by a constant have a loss of 0: add a loss of the values.

    Args:
        reduction: As in Keras, over observed slopes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, height, width)` or `(batch, height, width, channels)`;
    one row value each `(batch, height - 2, width - 2, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, are no fields, or are
            smaller than 3 by 3.

    Example:

    >>> y_true = np.zeros((1, 3, 4))
    >>> y_true[0, 0, 3] = np.nan  # leaves both slopes of the second inner pixel
    >>> y_pred = np.broadcast_to(np.arange(4.0), (1, 3, 4))
    >>> loss = keras_masked.losses.SobelMSE()
    >>> float(loss(y_true, y_pred))  # (8^2 + 0^2) / 2
    32.0

    Source: Sobel and Feldman 1968; `tf.image.sobel_edges` has the same scale; Ebert-Uphoff et al.
    2021, CIRA guide to custom loss functions.
    """

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per slope, and which slopes are observed."""
        return self.weigh(
            *sobel_values(y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype)
        )


@register
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
    return with_mask(
        *fractions_values(
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            **FractionsSkillScore.checked(
                window=window, threshold=threshold, scale=scale, padding=padding, axis=axis
            ),
        )
    )


@register
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
