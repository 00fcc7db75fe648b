"""The one place that knows about backends and about what Keras does not export.

Everything else in the package is written against `keras.ops`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# Keras has no public accessor for its masks. An attribute look-up (`tensor._keras_mask`) misses
# JAX tracers, which cannot carry attributes: Keras keeps their masks in a table of its own.
from keras.src.backend import get_keras_mask, set_keras_mask

Tensor = Any

__all__ = ["count", "get_keras_mask", "set_keras_mask"]


def count(observed: Tensor) -> Tensor:
    """Counts the true entries of a boolean tensor, as float32.

    XLA's reductions cannot absorb the conversion of a mask, so that the 0/1 mask would be
    written out and read back as floats. Runs shorter than 32, summed as integers, fuse with the
    conversion and leave a float tensor 1/16 the size. PyTorch is faster without.
    """
    run = 1
    last = observed.shape[-1] if len(observed.shape) else None
    if last is not None and keras.config.backend() != "torch":
        run = next((n for n in range(31, 1, -1) if last % n == 0), 1)
    if run > 1:
        observed = ops.reshape(observed, (-1, run))
        observed = ops.sum(ops.cast(observed, "int32"), axis=-1)
    return ops.sum(ops.cast(observed, "float32"))
