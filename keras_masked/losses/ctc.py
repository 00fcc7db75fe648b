"""The CTC loss of whole sequences: class and function."""

from __future__ import annotations

from typing import Any

import keras
from keras import backend, ops

from keras_masked import _backend
from keras_masked.formulas import CLASS_ID
from keras_masked.losses.base import MaskedLoss, register
from keras_masked.observation import (
    CLASS_IDS,
    Missing,
    Observation,
    compute_dtype,
    find_missing,
    gate_input,
    gate_output,
    reject_masked_arrays,
    replace,
    shapes,
    standardize_missing,
    with_mask,
)

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


@register
class CTC(MaskedLoss):
    r"""Connectionist temporal classification, averaged over the observed sequences.

    $$L = \frac{-\sum_i o_i w_i \log P(y_i \mid p_i)}{\sum_i o_i}$$

    with $P$ the sum over all alignments of the sequence $y_i$ with the time steps of $p_i$. A
    sequence is one label, missing if any of its ids is; id 0 is the blank and pads, as in Keras.

    Outside JAX, Keras's formula runs outside compiled graphs. A Keras mask of time steps raises, as
    it has no value per sequence.

    Args:
        reduction: As in Keras, over observed sequences.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, length)` ids, `y_pred` `(batch, steps, classes)` logits; one row
    value per sequence.

    Raises:
        ValueError: If `y_true` has not two axes, or `y_pred` not three.

    Example:

    >>> y_true = np.array([[1, 2], [-1, -1]])
    >>> y_pred = np.zeros((2, 3, 3))
    >>> loss = keras_masked.losses.CTC()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log(5 / 27): five alignments of 27
    1.6864

    Source: `keras.losses.CTC`; Graves et al. 2006.
    """

    label = CLASS_ID
    default_missing = CLASS_IDS

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per sequence, and which sequences are observed."""
        return ctc_values(y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype)


@register
def ctc(y_true: Tensor, y_pred: Tensor, *, missing: Missing = CLASS_IDS) -> Tensor:
    """Returns the CTC loss of each sequence, 0 where it is missing.

    See `CTC`.

    >>> y_true = np.array([[1, 2], [-1, -1]])
    >>> rows = keras_masked.losses.ctc(y_true, np.zeros((2, 3, 3), "float32"))
    >>> [round(float(row), 4) for row in rows]
    [1.6864, 0.0]
    """
    return with_mask(*ctc_values(y_true, y_pred, missing=standardize_missing(missing)))
