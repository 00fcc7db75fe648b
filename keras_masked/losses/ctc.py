"""The CTC loss of whole sequences: class and function."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import backend, ops

from keras_masked import _backend
from keras_masked.formulas import CLASS_ID
from keras_masked.losses.base import MaskedLoss, register
from keras_masked.observation import (
    CLASS_IDS,
    Missing,
    Observation,
    check_class_ids,
    compatible,
    compute_dtype,
    expand_from_left,
    find_missing,
    find_missing_in_array,
    receive_labels,
    reject_arrays,
    replace,
    standardize_missing,
    with_mask,
)

Tensor = Any

BLANK = 0
"""The id of the blank, which also pads, as in `keras.losses.CTC`."""


def ctc_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
) -> tuple[Tensor, Observation]:
    """The loss of each sequence, and which sequences are observed."""
    reject_arrays(y_pred=y_pred, sample_weight=sample_weight)
    mask = _backend.get_keras_mask(y_pred)
    received, y_true = y_true, receive_labels(y_true, missing)
    y_pred = ops.convert_to_tensor(y_pred)
    _check_shapes(y_true, y_pred)
    if mask is None and sample_weight is None:  # these may hide any sequence
        check_class_ids(received, missing, y_pred.shape[-1])
        _check_holes(received, missing)
    dtype = dtype or backend.standardize_dtype(y_pred.dtype)
    y_pred = ops.cast(y_pred, compute_dtype(dtype))
    absent, observed = find_missing(y_true, missing), None
    if absent is not None:
        observed = ops.logical_not(ops.all(absent, axis=-1))
    ids, id_count, sound = _read(y_true, absent, y_pred.shape[-1])
    y_pred, step_count, any_step = _take_steps(y_pred, mask)
    if any_step is not None:
        observed = any_step if observed is None else ops.logical_and(observed, any_step)
    seen = Observation(y_true, y_pred, observed, None, dtype)
    seen = seen.weighted(sample_weight, ops.zeros_like(id_count, dtype=y_pred.dtype))
    # A hidden sequence is an empty one of flat logits: the loss and its slope are finite.
    logits, ids = replace(y_pred, seen.hidden, 0.0), replace(ids, seen.hidden, BLANK)
    id_count = replace(id_count, seen.hidden, 0)
    step_count = replace(step_count, seen.hidden, ops.shape(y_pred)[1])
    if y_pred.shape[0] == 0:  # not for TensorFlow and PyTorch
        losses = ops.sum(logits, axis=(1, 2))
    else:
        losses = ops.ctc_loss(ids, logits, id_count, step_count, mask_index=BLANK)
    # PyTorch's takes the greater of two sums of paths, which a NaN is never.
    sound = ops.logical_and(sound, ops.logical_not(ops.any(_backend.isnan(logits), axis=(1, 2))))
    losses = ops.where(sound, losses, ops.full_like(losses, float("nan")))
    return replace(losses, seen.hidden, 0.0), seen


def _check_shapes(y_true: Tensor, y_pred: Tensor) -> None:
    labels, logits = tuple(y_true.shape), tuple(y_pred.shape)
    if len(labels) != 2 or len(logits) != 3 or not compatible(labels[:1], logits[:1]):
        raise ValueError(
            "`y_true` must have the shape (batch, length), and `y_pred` (batch, steps, classes). "
            f"Received: y_true.shape={labels}, y_pred.shape={logits}"
        )


def _check_holes(received: Any, missing: Missing) -> None:
    """Raises where no id stands before an id, in arrays; elsewhere the loss is NaN."""
    if not isinstance(received, (np.ndarray, list, tuple)):  # a union breaks PyTorch's graph
        return
    ids = np.asarray(received)
    is_id = (ids > BLANK) & ~find_missing_in_array(ids, missing)
    rows = np.flatnonzero((is_id[:, 1:] & ~is_id[:, :-1]).any(-1))
    if len(rows):
        raise ValueError(
            "`y_true` has sequences with a hole, an id behind a missing one or behind the blank "
            f"{BLANK}: only their ends can be padded, and only whole sequences be missing. "
            f"Received such rows: {rows[:5].tolist()}"
        )


def _read(y_true: Tensor, absent: Tensor | None, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """The ids, 0 behind them; how many each sequence has; and which sequences can be read."""
    padding = ops.equal(y_true, BLANK)
    if absent is not None:
        padding = ops.logical_or(padding, absent)
    if backend.is_int_dtype(backend.standardize_dtype(y_true.dtype)):
        y_true = ops.cast(y_true, "int32")  # the number of classes may not fit uint8
    is_id = ops.logical_and(ops.greater(y_true, BLANK), ops.less(y_true, classes))
    ids = ops.cast(ops.where(is_id, y_true, ops.zeros_like(y_true)), "int32")
    is_id = ops.logical_and(is_id, ops.equal(ops.cast(ids, y_true.dtype), y_true))
    known = ops.all(ops.logical_or(is_id, padding), axis=-1)
    is_id = ops.logical_and(is_id, ops.logical_not(padding))
    hole = ops.logical_and(is_id[:, 1:], ops.logical_not(is_id[:, :-1]))
    sound = ops.logical_and(known, ops.logical_not(ops.any(hole, axis=-1)))
    count = ops.sum(ops.cast(is_id, "int32"), axis=-1)
    return ops.where(is_id, ids, ops.zeros_like(ids)), count, sound


def _take_steps(y_pred: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Logits, those of unmasked steps first; how many; and whether any, if there is a mask."""
    batch, steps = ops.shape(y_pred)[:2]
    if mask is None:
        return y_pred, ops.full((batch,), steps, dtype="int32"), None
    mask = expand_from_left(ops.cast(mask, "bool"), tuple(y_pred.shape[:2]), name="mask")
    mask = ops.broadcast_to(mask, (batch, steps))
    # Wherever the mask has them: padding may stand in front, too.
    index = ops.arange(steps, dtype="int32")
    order = ops.argsort(ops.where(mask, index, index + steps), axis=-1)
    y_pred = ops.take_along_axis(y_pred, ops.expand_dims(order, -1), axis=1)
    count = ops.sum(ops.cast(mask, "int32"), axis=-1)
    masked = ops.greater_equal(index, ops.expand_dims(count, -1))
    return replace(y_pred, lambda: masked, 0.0), count, ops.any(mask, axis=-1)


@register
class CTC(MaskedLoss):
    r"""Connectionist temporal classification, averaged over the observed sequences.

    $$L = \frac{-\sum_i o_i w_i \log P(y_i \mid p_i)}{\sum_i o_i}$$

    with $P$ the sum over all alignments of the sequence $y_i$ with the time steps of $p_i$. A
    sequence is one label, missing if all of its ids are. Missing ids at its end are padding, as are
    zeros, the id of the blank: `[[1, 2, 3], [2, 4, -1]]` are two sequences, of three ids and of
    two. A sequence of zeros is observed, and empty.

    Steps that a Keras mask `(batch, steps)` on the predictions excludes are left out, which is how
    inputs of several lengths come with a model that has `Masking` or `Embedding(mask_zero=True)`.
    A mask `(batch,)` excludes sequences.

    Outside JAX, Keras's formula runs outside compiled graphs.

    Args:
        reduction: As in Keras, over observed sequences.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, length)` ids, `y_pred` `(batch, steps, classes)` logits; one row
    value per sequence.

    Raises:
        ValueError: If `y_true` has not two axes, or `y_pred` not three; in arrays also on ids of
            no class, and on an id that follows a missing one or a zero. Elsewhere the loss is NaN.

    Example:

    >>> y_true = np.array([[1, 2], [2, -1], [-1, -1]])
    >>> y_pred = np.zeros((3, 3, 3))
    >>> loss = keras_masked.losses.CTC()
    >>> round(float(loss(y_true, y_pred)), 4)  # -(log 5/27 + log 6/27) / 2: of 27 alignments
    1.5953

    Source: `keras.losses.CTC`; Graves et al. 2006.
    """

    label = CLASS_ID
    default_missing = CLASS_IDS
    has_columns = False

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
