"""A formula applied to what is observed: the one place where both meet."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas import Formula
from keras_masked.observation.hiding import gate_input, gate_output, replace
from keras_masked.observation.missing import Missing, standardize_missing
from keras_masked.observation.observe import Observation, observe
from keras_masked.observation.reduction import row_means

Tensor = Any


OF_OBSERVATION = ("axis", "censored", "ignore_class", "sparse_y_true")
"""Options that say which labels are which; the formula, applied after that, does not take them."""


def prepare(formula: Formula, seen: Observation) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Labels, predictions and options as the formula wants them, whatever else is hidden there.

    The holes of vectors are 0, hidden labels are filled where the formula looks at all of them at
    once, and errors and upper ends of labels are passed on.
    """
    y_true, y_pred = seen.y_true, seen.y_pred
    known = {} if seen.error is None else {"error": seen.error}
    if seen.upper is not None:
        if formula.takes_ends:
            known["upper"] = seen.upper
        else:
            y_true = seen.target
    if seen.holes is not None:
        y_true = _backend.zero_where(seen.holes, y_true)
        holes = ops.expand_dims(seen.holes, -1) if formula.label.stacked else seen.holes
        y_pred = _backend.zero_where(holes, y_pred)
    if formula.label_fill is not None:
        y_true = replace(y_true, seen.hidden, formula.label_fill)
    return y_true, y_pred, known


def label_values(formula: Formula, seen: Observation, **options: Any) -> Tensor:
    """One value per label: 0 where hidden, with a gradient of exactly 0 there."""
    if formula.residual:
        residual = gate_output(seen.target - seen.y_pred, seen.hidden)
        return formula.call(residual, **options)
    y_true, y_pred, known = prepare(formula, seen)
    known = {name: gate_input(each, seen.hidden) for name, each in known.items()}
    if not formula.label.are_ids(y_true, y_pred):
        y_true = gate_input(y_true, seen.hidden)  # labels of a teacher network have gradients
    y_pred = gate_input(y_pred, seen.hidden)
    return gate_output(formula(y_true, y_pred, **options, **known), seen.hidden)


def row_values(
    formula: Formula,
    y_true: Tensor,
    y_pred: Tensor,
    missing: Missing,
    *,
    axis: int = -1,
    sample_weight: Tensor | None = None,
    error: Tensor | None = None,
    censored: bool = False,
    **options: Any,
) -> Tensor:
    """What a loss function returns: one value per row, in the dtype of the predictions.

    Carries a Keras mask of the rows that have any observed label. Keras averages what a function
    returns over all rows, empty ones too; with the mask its average is the mean over the others.
    """
    seen = observe(
        y_true,
        y_pred,
        sample_weight,
        formula.label.under({**options, "censored": censored}).along(axis),
        missing=standardize_missing(missing),
        error=error,
    )
    losses = label_values(formula, seen, **options)
    if seen.weight is not None:
        losses = losses * seen.weight
    if formula.label.are_rows:
        return with_row_mask(losses, seen.observed, seen.dtype)
    mask = None if seen.observed is None else ops.any(seen.observed, axis=-1)
    return with_row_mask(row_means(losses, seen.observed), mask, seen.dtype)


def with_mask(losses: Tensor, seen: Observation) -> Tensor:
    """What a loss function returns whose rows are its labels: losses with a Keras mask."""
    return with_row_mask(losses, seen.observed, seen.dtype)


def values(
    formula: Formula, y_true: Tensor, y_pred: Tensor, missing: Missing, **options: Any
) -> Tensor:
    """What an accuracy function returns: one value per label, with a Keras mask."""
    seen = observe(y_true, y_pred, None, formula.label, missing=standardize_missing(missing))
    return with_row_mask(label_values(formula, seen, **options), seen.observed, "float32")


def with_row_mask(result: Tensor, mask: Tensor | None, dtype: str) -> Tensor:
    """What a function returns: one value per row, with a Keras mask of the rows that count."""
    result = ops.cast(result, dtype)
    if mask is not None:
        _backend.set_keras_mask(result, mask)
    return result
