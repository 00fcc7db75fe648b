"""Whether prediction and label agree: 1 or 0."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.crossentropy import valid_ids
from keras_masked.formulas.labels import CLASS_ID, PROBABILITY, VECTOR, formula

Tensor = Any


@formula()
def exact_match(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where p = y."""
    matches = ops.cast(ops.equal(y_true, y_pred), "float32")
    unknown = ops.logical_or(_backend.isnan(y_true), _backend.isnan(y_pred))
    return _backend.set_where(unknown, matches, float("nan"))


@formula(PROBABILITY)
def binary_match(
    y_true: Tensor, y_pred: Tensor, threshold: float = 0.5, from_logits: bool = False
) -> Tensor:
    """1 where p > threshold, or sigmoid(p) > threshold, says what y says."""
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    return _match(y_true, y_pred > threshold, _backend.isnan(y_pred))


@formula(VECTOR)
def categorical_match(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where labels and predictions are greatest in the same class."""
    diverged = ops.any(ops.logical_or(_backend.isnan(y_true), _backend.isnan(y_pred)), axis=-1)
    return _match(_backend.argmax(y_true, axis=-1), _backend.argmax(y_pred, axis=-1), diverged)


@formula(CLASS_ID)
def sparse_categorical_match(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the greatest prediction is that of class id y; NaN for an id outside the classes."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    unknown = ops.logical_or(ops.any(_backend.isnan(y_pred), axis=-1), ops.logical_not(valid))
    return _match(ids, _backend.argmax(y_pred, axis=-1), unknown)


@formula(VECTOR)
def top_k_match(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where fewer than k predictions exceed that of the class of the label."""
    unknown = ops.any(_backend.isnan(y_true), axis=-1)
    return _top_k_match(_backend.argmax(y_true, axis=-1), y_pred, k, unknown)


@formula(CLASS_ID)
def sparse_top_k_match(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where fewer than k predictions exceed that of class id y; NaN for an id outside."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    return _top_k_match(ids, y_pred, k, ops.logical_not(valid))


@formula(dataclasses.replace(CLASS_ID, any_id=True))
def sorted_ids_match(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where class id y is among the first k of p, which holds ids from the best one down."""
    y_true = ops.cast(y_true, y_pred.dtype)
    found = ops.any(ops.equal(ops.expand_dims(y_true, -1), y_pred[..., :k]), axis=-1)
    unknown = ops.logical_or(_backend.isnan(y_true), ops.any(_backend.isnan(y_pred), axis=-1))
    matches = ops.cast(found, "float32")
    return _backend.set_where(unknown, matches, float("nan"))


def _top_k_match(ids: Tensor, y_pred: Tensor, k: int, unknown: Tensor) -> Tensor:
    """Ties with the k-th prediction match, as in Keras."""
    ids = ops.expand_dims(ops.cast(ids, "int32"), -1)
    of_label = ops.take_along_axis(y_pred, ids, axis=-1)
    better = ops.sum(ops.cast(ops.greater(y_pred, of_label), "int32"), axis=-1)
    matches = ops.cast(ops.less(better, k), "float32")
    unknown = ops.logical_or(unknown, ops.any(_backend.isnan(y_pred), axis=-1))
    return _backend.set_where(unknown, matches, float("nan"))


def _match(expected: Tensor, found: Tensor, diverged: Tensor) -> Tensor:
    """Equality as 0 or 1, but NaN where a comparison would swallow a NaN."""
    # In float32, exact for 16 million classes; in the labels' dtype, uint8 say, ids would wrap.
    expected, found = ops.cast(expected, "float32"), ops.cast(found, "float32")
    matches = ops.cast(ops.equal(expected, found), "float32")
    unknown = ops.logical_or(diverged, _backend.isnan(expected))
    return _backend.set_where(unknown, matches, float("nan"))
