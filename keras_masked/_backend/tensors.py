"""Operations that `keras.ops` lacks, or that an engine makes slow or wrong."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


def as_received(labels: Any) -> Tensor:
    """A tensor of the labels in their own dtype, in which a marker is found.

    Keras's JAX backend turns bfloat16 arrays to float32 when bfloat16 is the default dtype.
    """
    own = "bfloat16" if str(getattr(labels, "dtype", "")) == "bfloat16" else None
    return ops.convert_to_tensor(labels, dtype=own)


def form_of(x: Any) -> str:
    """Says what a tensor is: "dense" and real, "complex", "ragged" or "sparse"; "" of all else."""
    kind = type(x).__name__
    if kind in ("RaggedTensor", "RaggedTensorSpec") or getattr(x, "is_nested", False):
        return "ragged"
    # PyTorch's, TensorFlow's and JAX's, in this order.
    if getattr(x, "is_sparse", False) or kind in ("SparseTensor", "IndexedSlices", "BCOO", "BCSR"):
        return "sparse"
    if not ops.is_tensor(x):
        return ""
    return "complex" if "complex" in str(x.dtype) else "dense"


def isnan(x: Tensor) -> Tensor:
    """Whether NaN.

    `torch.compile` does not vectorize `isnan`, and of `x != x` it keeps the result for the backward
    pass. TensorFlow's optimizer of graphs in turn takes not (x <= inf) to mean x > inf.
    """
    if keras.config.backend() == "torch":
        return ops.logical_not(x <= float("inf"))
    return ops.isnan(x)


def absolute(x: Tensor) -> Tensor:
    """|x|, with a slope of 0 at 0: that of `ops.abs` is 1 there on JAX."""
    if keras.config.backend() == "jax":
        return x * ops.stop_gradient(ops.sign(x))
    return ops.abs(x)


# On PyTorch, and some on JAX, these operations of Keras compute in float32 what is float64.


def maximum(x: Tensor, y: Any) -> Tensor:
    """The greater of both, of the dtype of `x`."""
    return _in_own_dtype("maximum", x, ops.convert_to_tensor(y, dtype=x.dtype))


def minimum(x: Tensor, y: Any) -> Tensor:
    """The lesser of both, of the dtype of `x`."""
    return _in_own_dtype("minimum", x, ops.convert_to_tensor(y, dtype=x.dtype))


def ceil(x: Tensor) -> Tensor:
    """The least whole numbers that are not less."""
    return _in_own_dtype("ceil", x)


def floor(x: Tensor) -> Tensor:
    """The greatest whole numbers that are not greater."""
    return _in_own_dtype("floor", x)


def clip(x: Tensor, low: float, high: float) -> Tensor:
    """Values between two bounds."""
    return _in_own_dtype("clip", x, low, high)


def mean(x: Tensor, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """The mean along axes, or of all."""
    return _in_own_dtype("mean", x, *(() if axis is None else (axis,)))


def amax(x: Tensor, axis: int) -> Tensor:
    """The greatest along an axis, NaN where any is; of nothing, minus infinity.

    TensorFlow's compiler leaves NaN out of maxima. Where it does not know the number of rows, and
    there are none, Keras raises without `initial`.
    """
    if x.shape[axis] == 0:
        return ops.sum(x, axis=axis) - float("inf")
    if keras.config.backend() != "tensorflow":
        return ops.amax(x, axis=axis)
    greatest = ops.max(x, axis=axis, initial=float("-inf"))
    unknown = ops.any(isnan(x), axis=axis)
    return ops.where(unknown, ops.full_like(greatest, float("nan")), greatest)


def amin(x: Tensor, axis: int) -> Tensor:
    """The least along an axis, as `amax`."""
    return -amax(-x, axis)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """Running sums along an axis."""
    return _in_own_dtype("cumsum", x, axis)


def cumulative_logsumexp(x: Tensor, axis: int) -> Tensor:
    """The logarithms of running sums of exponentials along an axis, however far these range."""
    if keras.config.backend() == "jax":
        import jax

        return jax.lax.cumlogsumexp(x, axis=axis)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.cumulative_logsumexp(x, axis=axis)
    import torch

    return torch.logcumsumexp(x, axis)


def argmax(x: Tensor, axis: int) -> Tensor:
    """Where the greatest is along an axis."""
    return _in_own_dtype("argmax", x, axis)


def arctan2(y: Tensor, x: Tensor) -> Tensor:
    """The angle of the point (x, y)."""
    return _in_own_dtype("arctan2", y, x)


def segment_sum(x: Tensor, ids: Tensor, num_segments: int) -> Tensor:
    """Sums of entries, or of rows, by ids, all of which are in range."""
    if keras.config.backend() == "torch":
        return x.new_zeros((num_segments, *x.shape[1:])).index_add(0, ids, x)
    return ops.segment_sum(x, ids, num_segments=num_segments)


def _in_own_dtype(name: str, x: Tensor, *args: Any) -> Tensor:
    if keras.backend.standardize_dtype(x.dtype) == "float64":
        if keras.config.backend() == "torch":
            import torch

            return getattr(torch, name)(x, *args)
        if keras.config.backend() == "jax":
            import jax.numpy

            return getattr(jax.numpy, name)(x, *args)
    return getattr(ops, name)(x, *args)


def entries(x: Tensor) -> list[Tensor]:
    """The entries of a vector, for which JAX would otherwise compile as many slices."""
    if keras.config.backend() == "jax":
        return [x[i] for i in range(x.shape[0])]
    unstacked: list[Tensor] = ops.unstack(x)
    return unstacked
