"""`replicas`: losses on PyTorch as those of the parts of all processes together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from keras_masked import _backend


@contextlib.contextmanager
def replicas(group: Any = None) -> Iterator[None]:
    """Makes losses on PyTorch those of the parts of all processes together.

    For PyTorch's `DistributedDataParallel`, which Keras's `fit` uses from Keras 3.16 on where a
    process group is initialized. Within this context, losses sum their denominators over the
    processes: value and averaged gradients are those of one device with the whole batch. All
    processes must then compute the same losses equally often: a process that computes one alone
    waits for ever, and so nothing is summed unless asked for. On JAX and TensorFlow, whose losses
    are summed without asking, the context does nothing.

    Args:
        group: The `torch.distributed` process group; by default, that of all processes.

    Raises:
        ValueError: If no process group is initialized, or this process is not in `group`.

    Example::

        torch.distributed.init_process_group("nccl")
        with keras_masked.replicas():
            model.fit(part_of_this_process, epochs=10)
    """
    with _backend.torch_group(group):
        yield
