"""Metrics that look at several classes: of one-hot rows or of class ids."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import backend, ops

from keras_masked.constructors import DEFAULT
from keras_masked.formulas.labels import CLASS_ID, PROBABILITY, VECTOR, Labels
from keras_masked.metrics.contingency import greatest
from keras_masked.observation import CLASS_IDS, Missing, Observation

Tensor = Any


def label_of(num_classes: int | None, sparse: bool, binary: Labels = PROBABILITY) -> Labels:
    """What a label is: a binary one, or with a number of classes a one-hot row or a class id."""
    if num_classes is None:
        return binary
    return CLASS_ID if sparse else VECTOR


def missing_of(missing: Missing, sparse: bool) -> Missing:
    """What is missing: where nobody says, of class ids -1, too."""
    return CLASS_IDS if sparse and missing is DEFAULT else missing


def check_sparse(num_classes: int | None, sparse: bool) -> None:
    """Raises `ValueError` on class ids of nobody knows how many classes."""
    if sparse and num_classes is None:
        raise ValueError(
            "`sparse_y_true=True` says that labels are class ids, and needs `num_classes`. "
            "Received: num_classes=None"
        )


def check_classes(seen: Observation, num_classes: int | None) -> None:
    """Raises `ValueError` unless the last axis of the predictions holds that many classes."""
    if num_classes is not None and seen.y_pred.shape[-1] not in (num_classes, None):
        raise ValueError(
            f"`y_pred` must have {num_classes} classes on its last axis, as `num_classes` says. "
            f"Received: y_pred.shape={tuple(seen.y_pred.shape)}"
        )


def as_ids(seen: Observation, sparse: bool) -> Observation:
    """Labels and predictions as ids of classes: those of the greatest entries, NaN next to NaN."""
    y_true = seen.y_true if sparse else greatest(seen.y_true)
    return dataclasses.replace(seen, y_true=y_true, y_pred=greatest(seen.y_pred))


def one_hot(ids: Tensor, classes: int, dtype: str) -> Tensor:
    """One-hot rows of class ids; NaN of ids outside the classes, or between two."""
    if backend.is_int_dtype(backend.standardize_dtype(ids.dtype)):
        ids = ops.cast(ids, "int32")  # the number of classes may not fit uint8
    known = ops.cast(ops.arange(classes), ids.dtype)
    rows = ops.cast(ops.equal(ops.expand_dims(ids, -1), known), dtype)
    valid = ops.any(rows > 0, axis=-1, keepdims=True)
    return ops.where(valid, rows, ops.full_like(rows, float("nan")))


def one_versus_rest(seen: Observation, sparse: bool) -> Observation:
    """Class ids or one-hot rows as binary labels, one per class, of the shape of the predictions.

    A NaN that a row holds makes all of its predictions NaN: they add up to 1.
    """
    y_pred, y_true = seen.y_pred, seen.y_true
    if sparse:
        y_true = one_hot(y_true, y_pred.shape[-1], y_pred.dtype)

    def spread(x: Tensor | None) -> Tensor | None:
        return None if x is None else ops.broadcast_to(ops.expand_dims(x, -1), ops.shape(y_pred))

    return dataclasses.replace(
        seen, y_true=y_true, observed=spread(seen.observed), weight=spread(seen.weight)
    )
