"""Element-wise mathematics of single labels. Knows nothing of masks, weights or batches.

Each formula maps labels and predictions to one value per label. Where Keras exports the formula
without its mean over the last axis, Keras's is called; what is written here again says why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
from keras import backend, ops

Tensor = Any


@dataclasses.dataclass(frozen=True)
class Formula:
    """A formula and what it takes for one label.

    Attributes:
        call: Maps `y_true`, `y_pred` and options to one value per label.
        label_axes: How many last axes of `y_pred` form one label; `call` consumes them.
        class_ids: Whether a label is the id of a class on the last axis of `y_pred`.
    """

    call: Callable[..., Tensor]
    label_axes: int = 0
    class_ids: bool = False

    def __call__(self, y_true: Tensor, y_pred: Tensor, **options: Any) -> Tensor:
        """Returns one value per label."""
        return self.call(y_true, y_pred, **options)


def formula(label_axes: int = 0, class_ids: bool = False) -> Callable[..., Formula]:
    """Decorates a function with the shape of its labels."""

    def decorate(call: Callable[..., Tensor]) -> Formula:
        return Formula(call, label_axes, class_ids)

    return decorate


@formula()
def squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """(y - p)^2. Keras exports it only averaged."""
    return ops.square(y_true - y_pred)


@formula()
def absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """|y - p|. Keras exports it only averaged."""
    return ops.abs(y_true - y_pred)


@formula()
def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """-y log p - (1 - y) log(1 - p), or of sigmoid(p).

    Not `keras.ops.binary_crossentropy`: on PyTorch it breaks the compiled graph, and it raises on
    a NaN probability, hidden or not.
    """
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        # Cheaper forms with a single logarithm cancel where the label is right and sure, or have
        # the wrong slope at 0.
        return y_true * ops.softplus(-y_pred) + (1.0 - y_true) * ops.softplus(y_pred)
    epsilon = keras.config.epsilon()
    y_pred = ops.clip(y_pred, epsilon, 1.0 - epsilon)
    return -(y_true * ops.log(y_pred) + (1.0 - y_true) * ops.log(1.0 - y_pred))


@formula(label_axes=1)
def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """-sum_c y_c log p_c."""
    loss: Tensor = keras.losses.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing
    )
    return loss


@formula(label_axes=1, class_ids=True)
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False
) -> Tensor:
    """-log p_y for a class id y; NaN for an id outside the classes.

    The backends disagree on such ids: JAX returns 0 or NaN, TensorFlow NaN on a GPU and an error
    on a CPU, PyTorch an error. Inside a compiled graph none can raise.
    """
    # Float ids are compared before the cast: a NaN not named missing would become some class.
    # Integers after it: the number of classes may not fit uint8.
    if backend.is_int_dtype(backend.standardize_dtype(y_true.dtype)):
        y_true = ops.cast(y_true, "int32")
    valid = ops.logical_and(ops.greater_equal(y_true, 0), ops.less(y_true, y_pred.shape[-1]))
    ids = ops.cast(ops.where(valid, y_true, ops.zeros_like(y_true)), "int32")
    losses = ops.sparse_categorical_crossentropy(ids, y_pred, from_logits=from_logits)
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))


@formula()
def binary_match(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where p > threshold says what y says."""
    return _match(y_true, ops.greater(y_pred, threshold), ops.isnan(y_pred))


@formula(label_axes=1)
def categorical_match(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where labels and predictions are greatest in the same class."""
    diverged = ops.any(ops.logical_or(ops.isnan(y_true), ops.isnan(y_pred)), axis=-1)
    return _match(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1), diverged)


@formula(label_axes=1, class_ids=True)
def sparse_categorical_match(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the greatest prediction is that of class id y."""
    return _match(y_true, ops.argmax(y_pred, axis=-1), ops.any(ops.isnan(y_pred), axis=-1))


def _match(expected: Tensor, found: Tensor, diverged: Tensor) -> Tensor:
    """Equality as 0 or 1, but NaN where a comparison would swallow a NaN."""
    # In float32, exact for 16 million classes; in the labels' dtype, uint8 say, ids would wrap.
    expected, found = ops.cast(expected, "float32"), ops.cast(found, "float32")
    matches = ops.cast(ops.equal(expected, found), "float32")
    unknown = ops.logical_or(diverged, ops.isnan(expected))
    return ops.where(unknown, ops.full_like(matches, float("nan")), matches)
