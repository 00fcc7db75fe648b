"""Cross-entropies of binary labels, of vectors of probabilities and of class ids."""

from __future__ import annotations

from typing import Any

import keras
from keras import backend, ops

from keras_masked import _backend
from keras_masked.formulas.labels import CLASS_ID, PROBABILITY, VECTOR, formula

Tensor = Any


@formula(PROBABILITY)
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
        # Of the forms with one logarithm the one that neither cancels where the label is right and
        # sure, nor has a slope at 0 that depends on what the backend says is that of |x|.
        size = ops.abs(y_pred)
        linear = 0.5 * size + (0.5 - y_true) * y_pred
        return ops.log1p(ops.exp(-size)) + linear
    epsilon = keras.config.epsilon()
    y_pred = _backend.clip(y_pred, epsilon, 1.0 - epsilon)
    return -(y_true * ops.log(y_pred) + (1.0 - y_true) * ops.log(1.0 - y_pred))


@formula(VECTOR)
def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """-sum_c y_c log p_c."""
    loss: Tensor = keras.losses.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing
    )
    return loss


@formula(CLASS_ID)
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """-log p_y for a class id y; NaN for an id outside the classes.

    With label smoothing s, (1 - s) of it and s of the mean over all classes.

    The backends disagree on such ids: JAX returns 0 or NaN, TensorFlow NaN on a GPU and an error
    on a CPU, PyTorch an error. Inside a compiled graph none can raise.
    """
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    rows = ops.shape(ids)
    if len(rows) > 1:  # PyTorch cannot differentiate it with more axes: see `flat`
        ids, y_pred = flat(ids, 0), flat(y_pred, 1)
    if label_smoothing:
        one_hot = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
        losses = ops.categorical_crossentropy(
            one_hot * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[-1],
            y_pred,
            from_logits=from_logits,
        )
    else:
        losses = ops.sparse_categorical_crossentropy(ids, y_pred, from_logits=from_logits)
    losses = ops.reshape(losses, rows) if len(rows) > 1 else losses
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))


@formula(CLASS_ID)
def generalized_cross_entropy(y_true: Tensor, y_pred: Tensor, q: float = 0.5) -> Tensor:
    """(1 - p_y^q) / q for a class id y; NaN for an id outside the classes."""
    valid, ids = valid_ids(y_true, y_pred.shape[-1])
    of_label = ops.take_along_axis(y_pred, ops.expand_dims(ids, -1), axis=-1)[..., 0]
    losses = (1.0 - of_label**q) / q
    return ops.where(valid, losses, ops.full_like(losses, float("nan")))


def flat(x: Tensor, label_axes: int) -> Tensor:
    """Labels in one row: all axes but those of a label become one.

    PyTorch's negative log-likelihood of images cannot be differentiated, not with the layout that
    Keras gives it ("grad_input must be contiguous"). Of rows it can.
    """
    rank = len(x.shape)
    return ops.reshape(x, (-1, *ops.shape(x)[rank - label_axes :]))


def valid_ids(y_true: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Whether each id is one of a class, and the ids as integers, 0 where not."""
    # Float ids are compared before the cast: a NaN not named missing would become some class.
    # Integers after it: the number of classes may not fit uint8.
    if backend.is_int_dtype(backend.standardize_dtype(y_true.dtype)):
        y_true = ops.cast(y_true, "int32")
    valid = ops.logical_and(ops.greater_equal(y_true, 0), ops.less(y_true, classes))
    ids = ops.cast(ops.where(valid, y_true, ops.zeros_like(y_true)), "int32")
    if backend.is_float_dtype(backend.standardize_dtype(y_true.dtype)):  # 1.5 is no id
        valid = ops.logical_and(valid, ops.equal(ops.cast(ids, y_true.dtype), y_true))
    return valid, ids
