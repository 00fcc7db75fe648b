"""Formulas of vectors compared with vectors."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import Labels, formula

Tensor = Any


@formula(Labels(axes=1, pairwise=True))
def cosine_similarity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """-sum_k y_k p_k / (|y| |p|).

    Not Keras's, which on PyTorch gives float32 for float64.
    """
    return -ops.sum(_of_length_1(y_true) * _of_length_1(y_pred), axis=-1)


def cosines(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The same with the other sign, faster but without a gradient."""
    products = [y_true * y_true, y_pred * y_pred, y_true * y_pred]
    yy, pp, yp = _backend.totals(products, axis=-1, light=True)
    return yp * _inverse_length(yy) * _inverse_length(pp)


def _of_length_1(x: Tensor) -> Tensor:
    """Vectors over their lengths."""
    return x * _inverse_length(ops.sum(ops.square(x), axis=-1, keepdims=True))


def _inverse_length(square: Tensor) -> Tensor:
    """1 over the length, or over epsilon where that is less."""
    return _backend.minimum(ops.rsqrt(square), 1.0 / keras.config.epsilon())
