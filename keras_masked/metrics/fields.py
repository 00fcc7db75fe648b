"""Verification of fields: how well events lie where they should, or near by."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import NUMBER, PROBABILITY, Labels
from keras_masked.losses.fields import check_fields, shares_of_windows
from keras_masked.metrics.base import Masking, ratio, register
from keras_masked.metrics.columns import ColumnMetric, total
from keras_masked.observation import Observation
from keras_masked.validation import FINITE, POSITIVE, POSITIVE_INTEGER, one_of, optional

Tensor = Any


@register
class FractionsSkillScore(ColumnMetric):
    r"""Fractions skill score: events of all fields, compared by their share of windows.

    $$M = 1 - \frac{\sum_k w_k (F^p_k - F^y_k)^2}
                   {\sum_k w_k (F^p_k)^2 + \sum_k w_k (F^y_k)^2}, \quad
      F^y_k = \frac{\sum_{i \in k} o_i [y_i \ge t]}{\sum_{i \in k} o_i}, \;
      F^p_k = \frac{\sum_{i \in k} o_i [p_i \ge t]}{\sum_{i \in k} o_i}$$

    over the windows $k$ of n by n pixels, of all fields of the data, that hold any observed pixel.
    The sums are those of the loss of this name; the score is that of the whole data, not a mean
    over batches. A missing pixel leaves the means of all its windows, on both sides.

    Undefined, NaN, where neither labels nor predictions have any event.

    Args:
        window: Side n of the windows, in pixels.
        threshold: From which value on a label or prediction is an event, t; with `None` labels are
            0 or 1 and predictions are probabilities.
        scale: By default predictions are events as labels are. With a number s they are soft ones,
            $1 / (1 + e^{-s (p_i - t)})$, as in the loss.
        padding: `"valid"`: windows that lie in the field. `"same"`: one around each pixel, where
            what lies outside the field is missing.
        name: Name of the metric.
        dtype: Dtype of the result.
        **masking: See `MaskedMetric`.

    Shapes: `y_true` and `y_pred` `(batch, height, width)` or `(batch, height, width, channels)`;
    weights are of fields, `(batch,)`, or a scalar. In `PerLabel`, columns are the channels.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or are no fields, or are
            smaller than the window, or weights are those of pixels.

    Example:

    >>> metric = keras_masked.metrics.FractionsSkillScore(window=2)
    >>> y_true = np.array([[[1.0, 0.0, 0.0], [0.0, 0.0, np.nan]]])
    >>> y_pred = np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, 9.0]]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # shares 1/4, 0 and 1/4, 1/3: 1 - (1/9) / (1/8 + 1/9)
    0.5294

    Source: Roberts and Lean 2008, equations 2 to 6; `scores.spatial.fss_2d`.
    """

    _direction = "up"

    admits = {
        "window": POSITIVE_INTEGER,
        "threshold": optional(FINITE),
        "scale": optional(POSITIVE),
        "padding": one_of("valid", "same"),
    }

    def __init__(
        self,
        window: int = 3,
        threshold: float | None = 0.5,
        scale: float | None = None,
        padding: str = "valid",
        name: str | None = "fractions_skill_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"window": window, "threshold": threshold, "scale": scale, "padding": padding}
        super().__init__(name, dtype, **masking, **options)

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """A pixel: a number, or an event."""
        return PROBABILITY if self._options["threshold"] is None else NUMBER

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Squared differences of shares, their squares, and observed pixels."""
        return (3,)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the pixels, whose weights are those of their fields."""
        weight = None if sample_weight is None else ops.convert_to_tensor(sample_weight)
        if weight is not None and any(size != 1 for size in weight.shape[1:]):
            raise ValueError(
                "`sample_weight` must be one value per field, or a scalar. "
                f"Received: sample_weight.shape={tuple(weight.shape)}"
            )
        seen = super().observe(y_true, y_pred, weight)
        window, padding = self._options["window"], self._options["padding"]
        check_fields(seen, window if padding == "valid" else 1)
        return seen

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over the windows of a batch."""
        if per_column and len(seen.y_pred.shape) < 4:
            raise ValueError(
                "Columns of fields are their channels. Received: fields of shape "
                f"{tuple(seen.y_pred.shape)}, without an axis of channels."
            )
        labels, predictions, _ = shares_of_windows(seen, **self._options)
        pixels = ops.ones_like(seen.y_pred)
        if seen.weight is not None:
            pixels = seen.weight
            # Of the pixels of a field, all that are observed have the same.
            of_field = ops.amax(pixels, axis=tuple(range(1, len(pixels.shape))), keepdims=True)
            labels, predictions = (x * ops.sqrt(of_field) for x in (labels, predictions))
        elif seen.observed is not None:
            pixels = ops.cast(seen.observed, pixels.dtype)
        parts = (ops.square(predictions - labels), ops.square(predictions) + ops.square(labels))
        return ops.stack([total(x, per_column) for x in (*parts, pixels)])

    def score(self, state: Any) -> Tensor:
        """One minus the share of the squared differences."""
        sums = state.value
        return 1.0 - ratio(sums[0], sums[1])

    def defined(self, state: Any) -> Tensor:
        """Whether there is any event, or a diverged prediction."""
        return ops.not_equal(state.value[1], 0)

    def support_of(self, state: Any) -> Tensor:
        """How many pixels have been observed, or the sum of their weights."""
        return state.value[2]
