"""State of metrics: which metrics Keras updates together, and variables that can be let go."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import keras
from keras import ops

from keras_masked._backend.engine import eager_torch

try:
    from keras.src.backend.common.stateless_scope import in_stateless_scope
except ImportError:  # It has moved. Then metrics keep the variables that they have.

    def in_stateless_scope() -> bool:
        """As if always within one."""
        return True


__all__ = ["compiled_together", "forget", "unused"]


def compiled_together() -> Sequence[Any]:
    """The metrics of the model whose metrics Keras is about to update, each as often as it is met.

    Of this Keras tells a metric nothing; but what holds them all is on the stack. None elsewhere,
    also within PyTorch's compiler, which Keras has build the metrics before.
    """
    if keras.config.backend() == "torch" and not eager_torch():
        return ()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if type(owner).__name__ == "CompileMetrics":
            return tuple(getattr(owner, "metrics", ()))
        frame = frame.f_back
    return ()


def unused(variables: Sequence[Any]) -> bool:
    """Whether all variables are 0, as after a reset; no where their values are not at hand."""
    if in_stateless_scope():
        return False
    if keras.config.backend() == "torch" and not eager_torch():
        return False
    try:
        return not any(ops.convert_to_numpy(variable).any() for variable in variables)
    except Exception:  # each backend has an error of its own for values not at hand
        return False


def forget(metric: keras.metrics.Metric, variables: Sequence[Any]) -> None:
    """Takes variables out of the state of a metric."""
    for variable in variables:
        metric._tracker.untrack(variable)
