"""Metrics that look at several classes: of one-hot rows or of class ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.formulas.labels import CLASS_ID, PROBABILITY, VECTOR, Labels
from keras_masked.metrics.base import defined_mean
from keras_masked.metrics.contingency import greatest
from keras_masked.observation import CLASS_IDS, Missing, Observation, one_hot, one_versus_rest

Tensor = Any

__all__ = [
    "as_ids",
    "average_of",
    "check_classes",
    "check_columns_apart",
    "check_sparse",
    "ids_of_targets",
    "label_of",
    "missing_of",
    "of_targets",
    "one_hot",
    "one_versus_rest",
]


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


def of_targets(seen: Observation, targets: Sequence[int] | None) -> Observation:
    """The columns of some classes; all if nobody says which."""
    if targets is None:
        return seen
    seen = seen.in_columns()
    classes = seen.y_pred.shape[-1] if len(seen.y_pred.shape) > 1 else 1
    ids = ids_of_targets(targets, classes)

    def take(x: Tensor | None) -> Tensor | None:
        return None if x is None else ops.take(x, ids, axis=-1)

    return dataclasses.replace(
        seen,
        y_true=take(seen.y_true),
        y_pred=take(seen.y_pred),
        observed=take(seen.observed),
        weight=take(seen.weight),
    )


def ids_of_targets(targets: Sequence[int], classes: int | None) -> Tensor:
    """A tensor of some classes; raises `ValueError` where there are not so many."""
    if classes is not None and max(targets) >= classes:
        raise ValueError(
            f"Argument `target_class_ids` must hold some of the {classes} classes, counted from 0. "
            f"Received: target_class_ids={list(targets)}"
        )
    return ops.convert_to_tensor(list(targets), dtype="int32")


def check_columns_apart(sparse: bool, targets: Any, average: Any = "micro") -> None:
    """Raises `ValueError` on options that look at several columns, where each has a value."""
    if sparse or targets is not None or average != "micro":
        raise ValueError(
            "`sparse_y_true`, `target_class_ids` and `average` are of several columns, each of "
            f"which has a value of its own here. Received: sparse_y_true={sparse}, "
            f"target_class_ids={targets}, average={average!r}"
        )


def average_of(average: str | None, scores: Tensor, defined: Tensor, weights: Tensor) -> Tensor:
    """The mean of the defined columns, weighted if so, or all of them."""
    if average is None:
        return scores
    if average == "macro":
        weights = ops.ones_like(scores)
    return defined_mean(scores, weights, defined)
