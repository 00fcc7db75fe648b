"""Formulas of vectors compared with vectors."""

from __future__ import annotations

from typing import Any

import keras

from keras_masked.formulas.labels import Labels, formula

Tensor = Any


@formula(Labels(axes=1, pairwise=True))
def cosine_similarity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """-sum_k y_k p_k / (|y| |p|)."""
    return keras.losses.cosine_similarity(y_true, y_pred, axis=-1)
