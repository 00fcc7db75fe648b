"""Labels of which is known that they lie between two ends, stacked on the last axis of `y_true`."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked.formulas import Domain
from keras_masked.observation import shapes
from keras_masked.observation.missing import Missing, find_missing, find_missing_in_array
from keras_masked.observation.received import as_array_of_numbers, receive_labels
from keras_masked.observation.stacked import receive_stacked

Tensor = Any

HINT = " `keras_masked.censored_labels` makes such labels."


def receive_ends(y_true: Tensor, y_pred: Tensor, missing: Missing) -> Tensor:
    """Labels `(..., labels, 2)` in their own dtype; raises if there are no two ends for each."""
    ends = receive_labels(y_true, missing)
    y_pred = y_pred if hasattr(y_pred, "shape") else np.asarray(y_pred)
    shape = tuple(ends.shape)
    if not shape or shape[-1] != 2 or not shapes.aligned(ends[..., 0], y_pred):
        raise ValueError(
            "With `censored=True`, `y_true` must hold a lower and an upper end for each label, "
            "on one last axis more than `y_pred` has. Received: "
            f"y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}.{HINT}"
        )
    return ends


def take_ends_apart(
    y_true: Tensor, y_pred: Tensor, error: Tensor | None = None, errors: bool = True
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Ends of labels, their errors if any, and the first of the parameters predicted for each."""
    y_true, y_pred, first = receive_stacked(y_true, y_pred)
    shape = tuple(y_true.shape)
    if errors and error is None and shape and shape[-1] == 3:
        y_true, error = y_true[..., :2], y_true[..., 2]
    if (
        len(y_pred.shape) < 2
        or not shape
        or tuple(y_true.shape)[-1] != 2
        or not shapes.aligned(y_true[..., 0], first)
    ):
        form = ", or (..., labels, 3) with errors" if errors else ""
        raise ValueError(
            "With `censored=True`, `y_pred` must have the shape (..., labels, parameters), and "
            f"`y_true` (..., labels, 2), lower and upper ends{form}. Received: "
            f"y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}.{HINT}"
        )
    return y_true, error, first


def only_ends(labels: Any) -> Any:
    """Ends of labels `(..., labels, 2)`, or with errors `(..., labels, 3)`."""
    shape = tuple(labels.shape)
    if not shape or shape[-1] not in (2, 3):
        raise ValueError(
            "With `censored=True`, labels must have the shape (..., labels, 2), lower and upper "
            f"ends, or (..., labels, 3) with errors. Received: shape={shape}.{HINT}"
        )
    return labels[..., :2]


def find_missing_ends(ends: Tensor, missing: Missing) -> Tensor | None:
    """True where a label is missing: any end is NaN, both are a marker, or both are infinite.

    What lies between minus and plus infinity may be anything: nothing is known of it. `None` where
    nothing can be missing.
    """
    absent = find_missing(ends, missing, 1)
    if not backend.is_float_dtype(backend.standardize_dtype(ends.dtype)):
        return absent
    unknown = ops.logical_and(ends[..., 0] == -float("inf"), ends[..., 1] == float("inf"))
    return unknown if absent is None else ops.logical_or(absent, unknown)


def find_missing_ends_in_array(ends: np.ndarray, missing: Missing) -> np.ndarray:
    """As `find_missing_ends`, of what no backend has converted yet."""
    unknown = (ends[..., 0] == -np.inf) & (ends[..., 1] == np.inf)
    return np.asarray(find_missing_in_array(ends, missing, 1) | unknown)


def with_ends(seen: Any, ends: Tensor, missing: Missing, domain: Domain | None) -> Any:
    """An observation of lower ends with the upper ones, less those of which nothing is known.

    What cannot be is NaN: ends in the wrong order, or between which no label can lie.
    """
    absent = find_missing_ends(ends, missing)
    lower, shape = seen.y_true, ops.shape(seen.y_true)
    upper = ops.cast(ops.reshape(ends[..., 1], shape), lower.dtype)
    possible = lower <= upper
    if domain is not None:
        possible = ops.logical_and(possible, domain.meets(lower, upper))
    lower, upper = (ops.where(possible, end, float("nan")) for end in (lower, upper))
    seen = dataclasses.replace(seen, y_true=lower, upper=upper)
    return seen if absent is None else seen.restrict(ops.logical_not(ops.reshape(absent, shape)))


def check_ends(received: Any, missing: Missing, domain: Domain | None = None) -> None:
    """Raises on ends that are in the wrong order, or between which no label can lie.

    Where values are at hand; elsewhere such labels are NaN.
    """
    ends = as_array_of_numbers(received)
    if ends is None or not ends.ndim or ends.shape[-1] != 2:
        return
    lower, upper = ends[..., 0], ends[..., 1]
    known = ~find_missing_ends_in_array(ends, missing)
    wrong = known & (lower > upper)
    if wrong.any():
        raise ValueError(
            "`y_true` holds censored labels whose lower end is above the upper one. Received: "
            f"{ends[wrong][:5].tolist()} (lower, upper).{HINT}"
        )
    if domain is not None:
        known &= ~np.isnan(lower) & ~np.isnan(upper)
        with np.errstate(invalid="ignore"):
            wrong = known & ~domain.meets(lower, upper)
        if wrong.any():
            raise ValueError(
                f"`y_true` holds labels that are not {domain.name} and that `missing={missing!r}` "
                f"does not name. Received: {ends[wrong][:5].tolist()} (lower, upper)."
            )
