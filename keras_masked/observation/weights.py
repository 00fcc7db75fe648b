"""Weights of columns and of classes, which multiply those of labels."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked.formulas import Labels
from keras_masked.observation.observe import Observation

Tensor = Any


def standardize_weights(weights: Any, name: str) -> tuple[float, ...] | None:
    """Checks `label_weights=` or `class_weights=`, and returns it as configs store it."""
    if weights is None:
        return None
    several = isinstance(weights, Sequence | np.ndarray) and not isinstance(weights, str)
    found = list(weights) if several and np.ndim(weights) == 1 else []
    if not found or not all(_is_weight(each) for each in found):
        raise ValueError(
            f"Argument `{name}` must be a sequence of finite numbers, 0 or greater. "
            f"Received: {name}={weights!r}"
        )
    return tuple(float(each) for each in found)


def standardize_class_weights(weights: Any, label: Labels) -> Any:
    """Checks `class_weights=`, and returns it as configs store it.

    Of binary labels they may be a pair for each column.
    """
    if label.are_rows or np.ndim(weights) < 2:
        found: Any = standardize_weights(weights, "class_weights")
        pairs: tuple[Any, ...] = () if found is None else (found,)
    else:
        found = pairs = tuple(standardize_weights(each, "class_weights") for each in weights)
    if not label.are_rows and any(pair is None or len(pair) != 2 for pair in pairs):
        raise ValueError(
            "Argument `class_weights` must have two values for binary labels, that of 0 and that "
            f"of 1, or such a pair for each column. Received: class_weights={weights!r}"
        )
    return found


def _is_weight(x: Any) -> bool:
    number = isinstance(x, numbers.Real | np.number) and not isinstance(x, bool)
    return bool(number and math.isfinite(x) and x >= 0)


def weigh_columns(
    seen: Observation, weights: tuple[float, ...] | None, labels: Tensor
) -> Observation:
    """The observation with the weights of the columns on the last axis of `labels`."""
    if weights is None:
        return seen
    _check_columns(seen, len(weights), labels, "`label_weights` must have one value")
    factors = ops.convert_to_tensor(weights, dtype=seen.y_pred.dtype)
    return _weighted(seen, ops.broadcast_to(factors, ops.shape(labels)))


def _check_columns(seen: Observation, given: int, labels: Tensor, what: str) -> None:
    shape = tuple(labels.shape)
    columns = 1 if seen.one_column else shape[-1] if len(shape) > 1 else None
    if columns != given:
        where = f"{columns} columns (the last axis of `y_pred`)" if columns else "labels without"
        raise ValueError(
            f"Argument {what} per column. "
            f"Received: {given} values for {where}, labels of shape {shape}."
        )


def weigh_classes(seen: Observation, weights: Any, label: Labels) -> Observation:
    """The observation with the weights of each label's class, or of those that it shares."""
    if weights is None:
        return seen
    factors = ops.convert_to_tensor(weights, dtype=seen.y_pred.dtype)
    if not label.are_rows:  # binary labels
        if len(factors.shape) > 1:
            _check_columns(seen, len(weights), seen.y_true, "`class_weights` must have one pair")
        of_0, of_1 = factors[..., 0], factors[..., 1]
        return _weighted(seen, of_0 + (of_1 - of_0) * ops.relu(seen.y_true))  # of signs, -1 is 0
    classes = seen.y_pred.shape[-2 if label.stacked else -1] + label.more_classes
    if classes != len(weights):
        raise ValueError(
            "Argument `class_weights` must have one value per class. Received: "
            f"{len(weights)} values for {classes} classes, y_pred.shape={tuple(seen.y_pred.shape)}."
        )
    if not label.are_ids(seen.y_true, seen.y_pred):
        return _weighted(seen, ops.sum(factors * seen.y_true, axis=-1))
    ids = seen.y_true
    valid = ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, classes))
    ids = ops.cast(ops.where(valid, ids, ops.zeros_like(ids)), "int32")
    of_ids = ops.take(factors, ids)
    # An id outside the classes keeps its weight, and is not hidden.
    return _weighted(seen, ops.where(valid, of_ids, ops.ones_like(of_ids)))


def _weighted(seen: Observation, factors: Tensor) -> Observation:
    weight = factors if seen.weight is None else seen.weight * factors
    if seen.observed is not None:
        weight = ops.where(seen.observed, weight, ops.zeros_like(weight))
    return dataclasses.replace(seen, weight=weight)
