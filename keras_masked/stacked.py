"""Several numbers for one label: parameters predicted, on the last axis, and labels with errors."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend, shapes
from keras_masked.missing import Missing, find_missing, reject_masked_arrays

Tensor = Any


def take_apart(
    y_true: Tensor, y_pred: Tensor, error: Tensor | None = None, errors: bool = True
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Labels, their errors if any, and the first of the parameters predicted for each."""
    reject_masked_arrays(y_true=y_true, y_pred=y_pred)
    mask = _backend.get_keras_mask(y_pred)
    y_pred = ops.convert_to_tensor(y_pred)
    if not hasattr(y_true, "shape"):
        y_true = ops.convert_to_tensor(y_true)
    shape, labels = tuple(y_true.shape), tuple(y_pred.shape[:-1])
    if len(shape) == len(labels) + 1 and shapes.compatible(shape[:-1], labels):
        if errors and error is None and shape[-1] == 2:
            y_true, error = y_true[..., 0], y_true[..., 1]
        elif shape[-1] == 1:
            y_true = y_true[..., 0]
    first = y_pred[..., 0] if labels else y_pred
    if not labels or not shapes.aligned(y_true, first):
        form = "(..., labels)" + (", or (..., labels, 2) with errors" if errors else "")
        raise ValueError(
            f"`y_pred` must have the shape (..., labels, parameters), and `y_true` {form}. "
            f"Received: y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}"
        )
    if mask is not None:
        _backend.set_keras_mask(first, mask)
    return y_true, error, first


def stack_parameters(*parameters: Tensor) -> Tensor:
    """Predictions of several tensors as one, with the Keras mask of the first."""
    mask = _backend.get_keras_mask(parameters[0])
    found = [ops.convert_to_tensor(each) for each in parameters]
    stacked = ops.stack([ops.cast(each, found[0].dtype) for each in found], axis=-1)
    if mask is not None:
        _backend.set_keras_mask(stacked, mask)
    return stacked


def align_parameters(
    y_pred: Tensor, error: Tensor | None, first: Tensor, missing: Missing
) -> tuple[Tensor, Tensor | None]:
    """Parameters and errors of the shape and dtype of the first parameter; a missing error is 0."""
    labels = ops.shape(first)
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), first.dtype)
    if len(y_pred.shape) != len(labels) + 1:  # Keras's squeeze rule
        y_pred = ops.reshape(y_pred, (*labels, y_pred.shape[-1]))
    if error is not None:
        error = _backend.as_received(error)
        absent = find_missing(error, missing)
        error = ops.cast(error, first.dtype)
        if absent is not None:
            error = ops.where(absent, ops.zeros_like(error), error)
        if len(error.shape) not in (0, len(labels)):
            error = ops.reshape(error, labels)
        error = ops.broadcast_to(error, labels)
    return y_pred, error
