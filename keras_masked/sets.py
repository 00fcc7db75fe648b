"""Losses over sets of labels: a missing label leaves every sum over its set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked.formulas.fields import events, jaccard
from keras_masked.hiding import gate_input, gate_output, replace
from keras_masked.missing import Missing
from keras_masked.observation import Observation, observe

Tensor = Any


def set_values(
    formula: Callable[..., Tensor],
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
    axis: int | tuple[int, ...] | None = None,
    prepare: Callable[..., tuple[Tensor, Tensor]] | None = None,
    **options: Any,
) -> tuple[Tensor, Observation]:
    """The loss of each set, and which sets have any observed label.

    Args:
        formula: Maps labels, predictions and `axis` to one value per set. Labels and predictions
            of 0 must change none of its sums.
        y_true: Labels.
        y_pred: Predictions.
        sample_weight: Weights of the sets; they multiply, as in Keras.
        missing: The `missing=` policy.
        dtype: Dtype of the result.
        axis: The axes that a set spans; by default all.
        prepare: Maps labels and predictions, entry by entry, to those that the formula gets.
        **options: Options of the formula.
    """
    seen = observe(y_true, y_pred, missing=missing, dtype=dtype)
    labels, predictions = seen.y_true, seen.y_pred
    if prepare is not None:
        labels, predictions = prepare(labels, gate_input(predictions, seen.hidden))
    labels = replace(labels, seen.hidden, 0.0)
    predictions = replace(predictions, seen.hidden, 0.0)
    losses = formula(labels, predictions, axis=axis, **options)
    observed = None if seen.observed is None else ops.any(seen.observed, axis=axis)
    sets = Observation(labels, predictions, observed, None, seen.dtype)
    return gate_output(losses, sets.hidden), sets.weighted(sample_weight, losses)


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

    return set_values(jaccard, y_true, y_pred, sample_weight, prepare=prepare, **options)
