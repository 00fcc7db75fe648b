"""Sums over all labels or over columns, of numbers and of masks, as each engine likes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_masked._backend.engine import eager_torch
from keras_masked._backend.tensors import mean

Tensor = Any

SMALL = 1024
"""Of so few entries, nothing is gained by summing them in runs."""
BITS = 5
"""Bits of an integer that hold the count of a run, which is shorter than 32."""
FEW = 31 // BITS
"""So many counts fit into an integer."""


def totals(tensors: Sequence[Tensor], axis: int | None = None, light: bool = False) -> list[Tensor]:
    """The sums of several tensors of one shape; of booleans, how many are true, as float32.

    XLA on a CPU makes a loop of its own for each sum, which reads all that it is made of again. So
    there the counts of several masks share an integer; and on JAX one loop makes all sums of what
    is `light`, in which it uses vectors for sums and products, but not for logarithms, say. On
    TensorFlow only a compiled graph could do that, and no graph tells whether it will be compiled.

    Args:
        tensors: Of any shape; for sums along an axis, of two axes or more.
        axis: 0 for sums of columns, -1 for those of rows, `None` for all.
        light: Whether the tensors are made of their inputs by a few sums and products.
    """
    if light and keras.config.backend() == "jax":
        return _in_one_loop(tensors, axis)
    masks = [x for x in tensors if _is_mask(x)]
    if keras.config.backend() != "torch" and 1 < len(masks) <= FEW and axis != -1:
        counts = iter(_counts_in_one(masks, axis))
        return [next(counts) if _is_mask(x) else _sum(x, axis) for x in tensors]
    return [_sum(x, axis) for x in tensors]


def _is_mask(x: Tensor) -> bool:
    return bool(keras.backend.standardize_dtype(x.dtype) == "bool")


def _sum(x: Tensor, axis: int | None) -> Tensor:
    if axis == -1:
        return ops.sum(ops.cast(x, "float32") if _is_mask(x) else x, axis=-1)
    if _is_mask(x):
        return count(x) if axis is None else count_columns(x)
    return add_up(x) if axis is None else ops.sum(x, axis=0)


def _in_one_loop(tensors: Sequence[Tensor], axis: int | None) -> list[Tensor]:
    """Runs along a middle axis first, for which XLA uses vectors, and which integers can count."""
    from jax import lax

    tensors = [ops.cast(x, "int32") if _is_mask(x) else x for x in tensors]
    rank = len(tensors[0].shape)
    shape = _in_runs(tensors[0].shape, axis)
    axes = tuple(range(rank)) if axis is None else (axis % rank,)
    if shape is not None:
        tensors, axes = [ops.reshape(x, shape) for x in tensors], (len(shape) - 2,)
    zeros = tuple(ops.zeros((), dtype=x.dtype) for x in tensors)
    sums = lax.reduce(tuple(tensors), zeros, _add_each, axes)
    sums = [ops.cast(x, "float32") if x.dtype == "int32" else x for x in sums]
    return sums if shape is None else [_sum_runs(x, axis) for x in sums]


def _add_each(x: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(a + b for a, b in zip(x, y, strict=True))


def _counts_in_one(masks: Sequence[Tensor], axis: int | None) -> list[Tensor]:
    """The counts of masks, those of each run in one integer."""
    shape = _in_runs(masks[0].shape, axis)
    if shape is None:
        return [_sum(mask, axis) for mask in masks]
    places = [2 ** (BITS * k) for k in range(len(masks))]
    packed = [ops.where(mask, place, 0) for mask, place in zip(masks, places, strict=True)]
    runs = ops.sum(ops.reshape(sum(packed[1:], packed[0]), shape), axis=1)
    found = []
    for k in range(len(masks)):
        of_mask = ops.bitwise_and(ops.right_shift(runs, BITS * k), 2**BITS - 1)
        found.append(_sum_runs(ops.cast(of_mask, "float32"), axis))
    return found


def _in_runs(shape: Sequence[int | None], axis: int | None) -> tuple[int, ...] | None:
    """A shape whose middle axis is shorter than 32, or that before the last one of rows."""
    sizes = [size for size in shape if size is not None]
    entries = math.prod(sizes)
    if len(sizes) == len(shape) and entries < SMALL:
        return None
    if axis == -1:
        run = _short_run(shape[-1])
        outer = (-1, *(size or 1 for size in shape[1:-1]))
        return (*outer, run, shape[-1] // run) if shape[-1] and run > 1 else None
    if axis == 0:
        run = _short_run(shape[0])
        return (-1, run, shape[-1]) if run > 1 and shape[-1] else None
    run = _short_run(entries)
    return (-1, run, math.gcd(entries // run, 256)) if run > 1 else None


def _sum_runs(x: Tensor, axis: int | None) -> Tensor:
    if axis == -1:
        return ops.sum(x, axis=-1)
    x = ops.sum(x, axis=0)
    return ops.sum(x) if axis is None else x


def count(observed: Tensor) -> Tensor:
    """Counts the true entries of a boolean tensor, as float32.

    XLA's reductions cannot absorb the conversion of a mask, so that the 0/1 mask would be
    written out and read back as floats. Runs shorter than 32, summed as integers, fuse with the
    conversion and leave a float tensor 1/16 the size. PyTorch's compiler makes one loop of count
    and losses if both are summed alike.
    """
    if eager_torch():
        return ops.cast(observed.count_nonzero(), "float32")
    if keras.config.backend() == "torch":
        return add_up(ops.cast(observed, "float32"))
    shape = _in_runs(observed.shape, None)
    if shape is not None:
        observed = ops.sum(ops.reshape(ops.cast(observed, "int32"), shape), axis=1)
    return ops.sum(ops.cast(observed, "float32"))


def count_columns(observed: Tensor) -> Tensor:
    """Counts the true entries of each column, in short runs as `count` does."""
    shape = None if keras.config.backend() == "torch" else _in_runs(observed.shape, 0)
    if shape is not None:
        observed = ops.sum(ops.reshape(ops.cast(observed, "int32"), shape), axis=1)
    return ops.sum(ops.cast(observed, "float32"), axis=0)


def two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """a + b, and exactly what rounding takes from it (Knuth's two-sum)."""
    total = a + b
    grown = total - a
    return total, (a - (total - grown)) + (b - grown)


def _short_run(size: int | None) -> int:
    """The longest run shorter than 32 into which an axis divides."""
    return next((n for n in range(31, 1, -1) if size and size % n == 0), 1)


def add_up(x: Tensor) -> Tensor:
    """Sums all entries, the last axis first.

    XLA on CPU is several times slower over all axes at once. TensorFlow's takes a sum of squares
    for a dot product, slow and inexact, but a mean for what it is. The gradient of a mean takes
    PyTorch one more tensor.
    """
    if len(x.shape) < 2:
        return ops.sum(x)
    if keras.config.backend() == "torch" or not x.shape[-1]:
        return ops.sum(ops.sum(x, axis=-1))
    return ops.sum(mean(x, -1)) * x.shape[-1]
