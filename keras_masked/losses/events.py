"""Losses of rare events: the soft critical success index."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import NUMBER, PROBABILITY, events, jaccard
from keras_masked.formulas.sets import Axis
from keras_masked.losses.base import Masking, register
from keras_masked.losses.sets import SetLoss, set_values
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import AXES, FINITE, POSITIVE, Reduction, optional

Tensor = Any


def event_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    threshold: float | None = None,
    scale: float = 10.0,
    **options: Any,
) -> tuple[Tensor, Observation]:
    """One minus the soft critical success index of each set, and which sets count."""

    def prepare(labels: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
        return events(labels, predictions, threshold, scale)

    options["label"] = PROBABILITY if threshold is None else NUMBER
    return set_values(jaccard, y_true, y_pred, sample_weight, prepare=prepare, **options)


@register
class CriticalSuccessIndex(SetLoss):
    r"""One minus the soft critical success index (threat score) of each set's observed labels.

    $$L = 1 - \frac{H}{H + F + M + \epsilon}, \quad
      H = \sum_i o_i e_i q_i, \; F = \sum_i o_i (1 - e_i) q_i, \; M = \sum_i o_i e_i (1 - q_i)$$

    hits, false alarms and misses, with the event $e_i = [y_i \ge t]$ and its soft prediction
    $q_i = 1 / (1 + e^{-s (p_i - t)})$. Without a threshold, $e_i = y_i$ and $q_i = p_i$.

    A missing label leaves all sums. A set of which nothing is observed has a loss of 0 and does
    not count. A set without any event has a loss of 1: there was nothing to hit.

    Args:
        threshold: From which value on a label is an event; by default labels are 0 or 1 and
            predictions are probabilities.
        scale: How steeply the prediction turns into an event at the threshold, s.
        axis: The axes that a set spans; by default all, so that the batch is one set.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.CriticalSuccessIndex()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (1.5 + 0.5 + 0.5)
    0.4

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions; Donaldson et al. 1975.
    """

    of_sets = staticmethod(jaccard)

    admits = {"threshold": optional(FINITE), "scale": POSITIVE, "axis": AXES}

    def __init__(
        self,
        threshold: float | None = None,
        scale: float = 10.0,
        axis: int | tuple[int, ...] | None = None,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "critical_success_index",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"threshold": threshold, "scale": scale, "axis": axis}
        super().__init__(reduction, name, dtype, **options, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed label."""
        of_sets = event_values(
            y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype, **self._options
        )
        return self.weigh(*of_sets)


@register
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
            **CriticalSuccessIndex.checked(threshold=threshold, scale=scale, axis=axis),
        )
    )
