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


def _of_length_1(x: Tensor) -> Tensor:
    """Vectors over their lengths, or over epsilon where shorter."""
    inverse = ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
    return x * _backend.minimum(inverse, 1.0 / keras.config.epsilon())
