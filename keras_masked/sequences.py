"""Losses of whole sequences: one missing entry makes the sequence missing."""

from __future__ import annotations

from typing import Any

import keras
from keras import backend, ops

from keras_masked import _backend, shapes
from keras_masked.hiding import gate_input, gate_output, replace
from keras_masked.missing import Missing, find_missing, reject_masked_arrays
from keras_masked.observation import Observation, compute_dtype

Tensor = Any


def ctc_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
) -> tuple[Tensor, Observation]:
    """The loss of each sequence, and which sequences are observed."""
    reject_masked_arrays(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
    mask = _backend.get_keras_mask(y_pred)
    y_true, y_pred = _backend.as_received(y_true), ops.convert_to_tensor(y_pred)
    dtype = dtype or backend.standardize_dtype(y_pred.dtype)
    y_pred = ops.cast(y_pred, compute_dtype(dtype))
    absent = find_missing(y_true, missing)
    observed = None
    if absent is not None and len(y_true.shape) == 2:
        observed = ops.logical_not(ops.any(absent, axis=-1))
    if mask is not None:
        mask = shapes.expand_from_left(mask, tuple(y_pred.shape[:1]), name="mask")
        mask = ops.cast(mask, "bool")
        observed = mask if observed is None else ops.logical_and(observed, mask)
    seen = Observation(y_true, y_pred, observed, None, dtype)
    # An empty sequence of flat logits: the loss and its slope are finite. Zeros are the blank.
    labels = ops.cast(replace(y_true, seen.hidden, 0), "int32")
    logits = replace(gate_input(y_pred, seen.hidden), seen.hidden, 0.0)
    losses = gate_output(keras.losses.ctc(labels, logits), seen.hidden)
    return losses, seen.weighted(sample_weight, losses)
