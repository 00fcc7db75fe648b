"""Several numbers for one label: parameters predicted, on the last axis, and labels with errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked import _backend
from keras_masked.observation import shapes
from keras_masked.observation.missing import NAN, Missing, find_missing, markers_of
from keras_masked.observation.received import check_errors, receive_labels
from keras_masked.observation.rejected import reject_arrays

Tensor = Any


def receive_stacked(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Labels, parameters, and the first parameter of each label, with the Keras mask of them."""
    reject_arrays(y_true=y_true, y_pred=y_pred)
    mask = _backend.get_keras_mask(y_pred)
    y_pred = ops.convert_to_tensor(y_pred)
    if not hasattr(y_true, "shape"):
        y_true = np.asarray(y_true)
    first = y_pred[..., 0] if len(y_pred.shape) > 1 else y_pred
    if mask is not None:
        _backend.set_keras_mask(first, mask)
    return y_true, y_pred, first


def take_apart(
    y_true: Tensor, y_pred: Tensor, error: Tensor | None = None, errors: bool = True
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Labels, their errors if any, and the first of the parameters predicted for each."""
    y_true, y_pred, first = receive_stacked(y_true, y_pred)
    shape, labels = tuple(y_true.shape), tuple(y_pred.shape[:-1])
    if len(shape) == len(labels) + 1 and shapes.compatible(shape[:-1], labels):
        if errors and error is None and shape[-1] == 2:
            y_true, error = y_true[..., 0], y_true[..., 1]
        elif shape[-1] == 1:
            y_true = y_true[..., 0]
    if not labels or not shapes.aligned(y_true, first):
        form = "(..., labels)" + (", or (..., labels, 2) with errors" if errors else "")
        raise ValueError(
            f"`y_pred` must have the shape (..., labels, parameters), and `y_true` {form}. "
            f"Received: y_true.shape={shape}, y_pred.shape={tuple(y_pred.shape)}"
        )
    return y_true, error, first


def stack_parameters(**parameters: Tensor) -> Tensor:
    """Predictions of several tensors as one, with the Keras mask of the first.

    Numbers stand for tensors of the shape of the first.
    """
    reject_arrays(**parameters)
    names, given = list(parameters), list(parameters.values())
    mask = _backend.get_keras_mask(given[0])
    found = [ops.convert_to_tensor(each) for each in given]
    # Of integer predictions, too, the variances are no integers.
    dtype = backend.result_type(*(each.dtype for each in found))
    dtype = dtype if backend.is_float_dtype(dtype) else backend.floatx()
    shape = tuple(found[0].shape)
    for name, each in zip(names[1:], found[1:], strict=True):
        if len(each.shape) and not shapes.compatible(tuple(each.shape), shape):
            raise ValueError(
                f"`{name}` must have the shape of `{names[0]}`. Received: "
                f"{name}.shape={tuple(each.shape)}, {names[0]}.shape={shape}"
            )
    full = [ops.broadcast_to(ops.cast(each, dtype), ops.shape(found[0])) for each in found]
    stacked = ops.stack(full, axis=-1)
    if mask is not None:
        _backend.set_keras_mask(stacked, mask)
    return stacked


def align_parameters(y_pred: Tensor, first: Tensor) -> Tensor:
    """Parameters of the shape and dtype of the first one."""
    labels = ops.shape(first)
    y_pred = ops.cast(ops.convert_to_tensor(y_pred), first.dtype)
    if len(y_pred.shape) != len(labels) + 1:  # Keras's squeeze rule
        y_pred = ops.reshape(y_pred, (*labels, y_pred.shape[-1]))
    return y_pred


def align_errors(error: Tensor, first: Tensor) -> Tensor:
    """What is said of errors, in the shape of the labels."""
    labels = ops.shape(first)
    if len(error.shape):
        if not shapes.aligned(error, first):
            raise ValueError(
                "The errors of labels must have the shape of the labels. "
                f"Received: {tuple(error.shape)} for labels of shape {tuple(first.shape)}"
            )
        error = ops.reshape(error, labels)
    return ops.broadcast_to(error, labels)


def standardize_errors(
    error: Tensor, labels: Tensor, missing: Missing, known: bool = True
) -> tuple[Tensor, Tensor | None]:
    """Errors as they count, and where the label does: an infinite error says nothing of it.

    A missing error is 0, as is NaN. A negative one raises where it and the label are at hand, and
    is NaN elsewhere.

    Args:
        error: The errors as received.
        labels: The labels as received.
        missing: The `missing=` policy.
        known: Whether no label is hidden but those missing.
    """
    finite = known and check_errors(error, labels, missing)
    error = receive_labels(error, missing, "errors")
    if not backend.is_float_dtype(backend.standardize_dtype(error.dtype)):
        absent = find_missing(error, missing)
        error = ops.cast(error, "float32")
    else:
        absent = find_missing(error, (*markers_of(missing), NAN))
    if not finite:
        error = ops.where(error < 0, ops.full_like(error, float("nan")), error)
    if absent is not None:
        error = ops.where(absent, ops.zeros_like(error), error)
    return error, None if finite else ops.not_equal(error, float("inf"))
