"""The one place that knows about backends and about what Keras does not export.

Everything else in the package is written against `keras.ops`. What is leaned on here and promised
by nobody, each with a test in tests/test_backend.py or tests/test_replicas.py:

- where Keras keeps masks; if it moves them, layers of our own read and write them;
- what it makes of bfloat16 labels (`as_received`);
- what compilers make of NaN (`isnan`), of sums (`count`, `add_up`) and of two branches that are
  the same (`stop_gradient_where`): values and gradients are tested, speed is not;
- the bits of floats (`zero_where`);
- that trainers add up or average over replicas (`combine`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

Tensor = Any

__all__ = [
    "absolute",
    "add_up",
    "amax",
    "arctan2",
    "argmax",
    "as_received",
    "ceil",
    "clip",
    "combine",
    "count",
    "count_columns",
    "cumsum",
    "eager_torch",
    "floor",
    "get_keras_mask",
    "isnan",
    "maximum",
    "mean",
    "minimum",
    "replicated",
    "segment_sum",
    "set_keras_mask",
    "shut_where",
    "stop_gradient_where",
    "torch_func",
    "torch_group",
    "total",
    "zero_where",
]


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


def as_received(labels: Any) -> Tensor:
    """A tensor of the labels in their own dtype, in which a marker is found.

    Keras's JAX backend turns bfloat16 arrays to float32 when bfloat16 is the default dtype.
    """
    own = "bfloat16" if str(getattr(labels, "dtype", "")) == "bfloat16" else None
    return ops.convert_to_tensor(labels, dtype=own)


def isnan(x: Tensor) -> Tensor:
    """Whether NaN.

    `torch.compile` does not vectorize `isnan`, and of `x != x` it keeps the result for the backward
    pass. TensorFlow's optimizer of graphs in turn takes not (x <= inf) to mean x > inf.
    """
    if keras.config.backend() == "torch":
        return ops.logical_not(x <= float("inf"))
    return ops.isnan(x)


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
    run = _short_run(observed.shape[-1] if len(observed.shape) else None)
    if run > 1:
        observed = ops.reshape(observed, (-1, run))
        observed = ops.sum(ops.cast(observed, "int32"), axis=-1)
    return ops.sum(ops.cast(observed, "float32"))


def count_columns(observed: Tensor) -> Tensor:
    """Counts the true entries of each column, in short runs as `count` does."""
    rows, columns = observed.shape
    run = 1 if keras.config.backend() == "torch" else _short_run(rows)
    if run > 1:
        observed = ops.reshape(observed, (rows // run, run, columns))
        observed = ops.sum(ops.cast(observed, "int32"), axis=1)
    return ops.sum(ops.cast(observed, "float32"), axis=0)


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
    """The greatest along an axis, also of no rows, for which Keras raises on TensorFlow."""
    if keras.config.backend() == "tensorflow" and 0 in x.shape:
        return ops.max(x, axis=axis, initial=float("-inf"))
    return ops.amax(x, axis=axis)


def cumsum(x: Tensor, axis: int) -> Tensor:
    """Running sums along an axis."""
    return _in_own_dtype("cumsum", x, axis)


def argmax(x: Tensor, axis: int) -> Tensor:
    """Where the greatest is along an axis."""
    return _in_own_dtype("argmax", x, axis)


def arctan2(y: Tensor, x: Tensor) -> Tensor:
    """The angle of the point (x, y)."""
    return _in_own_dtype("arctan2", y, x)


def segment_sum(x: Tensor, ids: Tensor, num_segments: int) -> Tensor:
    """Sums of a vector's entries by ids, all of which are in range."""
    if keras.config.backend() == "torch":
        return x.new_zeros(num_segments).index_add(0, ids, x)
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


def zero_where(hidden: Tensor, x: Tensor) -> Tensor:
    """Sets `x` to exactly 0 where `hidden`, whatever it is there."""
    bits = {"float32": "int32", "float64": "int64"}.get(keras.backend.standardize_dtype(x.dtype))
    if bits and eager_torch() and x.device.type == "cpu" and not (_plain() or _records(x)):
        # PyTorch's `where` branches at every entry, and nothing predicts a random mask: four times
        # slower than the same by bits, which have no gradient.
        keep = ops.cast(hidden, bits) - 1  # no bit where hidden, else all of them
        return ops.view(ops.bitwise_and(ops.view(x, bits), keep), x.dtype)
    return ops.where(hidden, ops.zeros((), dtype=x.dtype), x)


def stop_gradient_where(hidden: Callable[[], Tensor], x: Tensor) -> Tensor:
    """Passes `x` on; its gradient is exactly 0 where `hidden`."""
    if _plain():  # XLA sees that both are the same
        return ops.where(hidden(), ops.stop_gradient(x), x)

    def identity(x: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        return x, lambda *_, upstream: zero_where(hidden(), upstream)

    return ops.custom_gradient(identity)(x)


def shut_where(hidden: Callable[[], Tensor], x: Tensor) -> Tensor:
    """Sets `x` to exactly 0 where `hidden`; its gradient may pass on there, or be 0."""
    if _plain():
        return zero_where(hidden(), x)

    def shut(x: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        def gradient(*_: Tensor, upstream: Tensor) -> Tensor:
            # Not zeroed here: NaN slopes of the formula would turn a 0 into NaN all the same, and
            # the gate on the other side zeroes whatever arrives there. This gate is for the
            # gradient of the gradient, which residuals need.
            return stop_gradient_where(hidden, upstream)

        return zero_where(hidden(), x), gradient

    return ops.custom_gradient(shut)(x)


def _plain() -> bool:
    """Whether `where` is the gate, which has every derivative; else a custom gradient.

    PyTorch would keep the boolean tensor for the backward pass, which is slow.
    """
    return keras.config.backend() != "torch" or torch_func()


def torch_func() -> bool:
    """Whether a transformation of `torch.func` is at work, which has no rule for Keras's gradients.

    PyTorch's compiler is not asked; and there is no public way to ask.
    """
    if not eager_torch():
        return False
    import torch

    return torch._C._functorch.maybe_current_level() is not None


def absolute(x: Tensor) -> Tensor:
    """|x|, with a slope of 0 at 0: that of `ops.abs` is 1 there on JAX."""
    if keras.config.backend() == "jax":
        return x * ops.stop_gradient(ops.sign(x))
    return ops.abs(x)


def eager_torch() -> bool:
    """Whether on PyTorch, outside of its compiler."""
    if keras.config.backend() != "torch":
        return False
    import torch

    return not torch.compiler.is_compiling()


def _records(x: Tensor) -> bool:
    """Whether PyTorch records what is done with `x`: in gradients, only for a second gradient."""
    import torch

    return bool(torch.is_grad_enabled() and x.requires_grad)


# Replicas: several copies of a model that see one part each of every batch. A loss must divide by
# what all parts hold together, else it is a mean of means. JAX needs none of this: its arrays are
# global, and so are their sums.

_torch_group: tuple[Any, int] | None = None
"""The process group that `replicas` names, and how many processes it has."""


@contextlib.contextmanager
def torch_group(group: Any) -> Iterator[None]:
    """Sums denominators over the processes of a group; on PyTorch only. See `replicas`."""
    if keras.config.backend() != "torch":
        yield
        return
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        raise ValueError(
            "`replicas` needs an initialized process group: call "
            "`torch.distributed.init_process_group` first."
        )
    size = dist.get_world_size(group)
    if size < 1:
        raise ValueError(f"This process is not in the process group. Received: group={group}")
    global _torch_group
    outer = _torch_group
    _torch_group = (group, size) if size > 1 else None
    try:
        yield
    finally:
        _torch_group = outer


def replicated() -> bool:
    """Whether the tensors at hand are one part of a batch, of which other replicas hold others."""
    return _torch_group is not None or _replica_context() is not None


def total(denominator: Tensor) -> Tensor:
    """Sums a denominator over the replicas; itself where there are none."""
    return _sum_over_replicas(denominator) if replicated() else denominator


def combine(part: Tensor) -> Tensor:
    """From each replica's part of a loss, their sum, as the trainers of the engines want it.

    Under `tf.distribute`, Keras adds the replicas' gradients, and expects of a loss 1 / n of its
    value, n being the number of replicas. `DistributedDataParallel` averages gradients.
    """
    if not replicated():
        return part
    whole = _sum_over_replicas(part)
    if _torch_group is not None:
        part = part * _torch_group[1]
    else:
        whole = whole / _replica_context().num_replicas_in_sync
    return part + ops.stop_gradient(whole - part)


def _sum_over_replicas(x: Tensor) -> Tensor:
    """Sums over the replicas, without a gradient."""
    if _torch_group is not None:
        import torch.distributed as dist

        x = x.detach().clone()
        dist.all_reduce(x, group=_torch_group[0])
        return x
    import tensorflow as tf

    x = ops.stop_gradient(x)
    return ops.stop_gradient(_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x))


def _replica_context() -> Any:
    """TensorFlow's replica context where there are several replicas, else `None`.

    Keras also calls losses outside of it, in cross-replica context, to build a model.
    """
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
