"""Several copies of a model that see one part each of every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

Tensor = Any


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


def place(rows: Any) -> tuple[Any, Any]:
    """How many rows of a batch other replicas have before those at hand, and how many all have.

    Args:
        rows: How many rows this replica has, an integer or an int32 tensor.
    """
    if not replicated():
        return 0, rows
    if _torch_group is not None:
        import torch.distributed as dist

        mine, replicas = dist.get_rank(_torch_group[0]), _torch_group[1]
    else:
        context = _replica_context()
        mine, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
    each = ops.cast(ops.equal(ops.arange(replicas), mine), "float32") * ops.cast(rows, "float32")
    each = total(each)
    before = ops.where(ops.arange(replicas) < mine, each, ops.zeros_like(each))
    return ops.cast(ops.sum(before), "int32"), ops.cast(ops.sum(each), "int32")


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


def add_to_layer(layer: keras.layers.Layer, loss: Tensor) -> None:
    """Adds a loss that is combined to a layer.

    Under `tf.distribute`, replicas take turns at a layer while they are traced, and change over
    where they sum over replicas. Keras adds up whatever losses the layer then has and divides by
    the number of replicas: the value is right once all replicas have added theirs, for which each
    waits here, and the gradient is 1 / n of what it should be.
    """
    if _torch_group is not None or not replicated():
        layer.add_loss(loss)
        return
    n = _replica_context().num_replicas_in_sync
    layer.add_loss(n * loss - ops.stop_gradient((n - 1) * loss))
    _sum_over_replicas(ops.zeros(()))


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
