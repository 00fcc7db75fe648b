"""Keras masks: where Keras keeps them, or, should it move them, layers that read and write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

Tensor = Any

__all__ = ["get_keras_mask", "set_keras_mask"]


class _MaskReader(keras.layers.Layer):
    """Keeps the mask that Keras hands to a layer beside its input."""

    def __init__(self) -> None:
        super().__init__(autocast=False, name="mask_reader")
        self.supports_masking = True
        self.seen: Callable[[], Tensor | None] = lambda: None

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.seen = lambda: mask  # a tensor as an attribute might be tracked as a state
        return x


class _MaskWriter(keras.layers.Layer):
    """Passes its input on, the same object, on which Keras then puts the mask."""

    def __init__(self, mask: Tensor | None) -> None:
        super().__init__(autocast=False, name="mask_writer")
        self.supports_masking = True
        self.mask: Callable[[], Tensor | None] = lambda: mask

    def call(self, x: Tensor) -> Tensor:
        return x

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None) -> Tensor | None:
        return self.mask()


def _mask_of(x: Tensor) -> Tensor | None:
    """The Keras mask of a tensor, by public means: a thousand times slower, but the same."""
    reader = _MaskReader()
    reader(x)
    return reader.seen()


def _put_mask(x: Tensor, mask: Tensor | None) -> None:
    """Puts a Keras mask on a tensor that has none, by public means."""
    _MaskWriter(mask)(x)


# Keras has no public accessor for its masks. An attribute look-up (`tensor._keras_mask`) misses
# JAX tracers, which cannot carry attributes: Keras keeps their masks in a table of its own.
try:
    # Both 3.15 and 3.16 have them here; `keras.src.backend` names them in 3.15 only.
    from keras.src.backend.common.masking import get_keras_mask, set_keras_mask
except ImportError:  # They have moved, or changed their names. Masks must not go unseen.
    get_keras_mask, set_keras_mask = _mask_of, _put_mask
