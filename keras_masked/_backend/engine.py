"""Which engine is at work, and in which mode."""

from __future__ import annotations

import keras


def eager_torch() -> bool:
    """Whether on PyTorch, outside of its compiler."""
    if keras.config.backend() != "torch":
        return False
    import torch

    return not torch.compiler.is_compiling()


def torch_func() -> bool:
    """Whether a transformation of `torch.func` is at work, which has no rule for Keras's gradients.

    PyTorch's compiler is not asked; and there is no public way to ask.
    """
    if not eager_torch():
        return False
    import torch

    return torch._C._functorch.maybe_current_level() is not None
