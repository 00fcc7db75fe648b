"""Bins of predictions by their logit: dense at both ends of the probabilities, and ordered."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.columns import in_columns

Tensor = Any

LIMIT = 88.0
"""The logit of the least normal number of float32; what is beyond shares the last bins."""
EVEN = 0.3
"""The share of the bins that are spread over all logits; the others crowd around 0."""


def fine_bin(y_pred: Tensor, bins: int, from_logits: bool) -> Tensor:
    """The bin of each prediction, in their order; 0 for NaN.

    Most pairs that a bin lumps together have logits of a few units, where the bins are 2.5 / n to
    10 / n wide in the logit; at 10, for probabilities of 5e-5 and of 1 - 5e-5, they are 165 / n.
    """
    if not from_logits:
        y_pred = _backend.clip(y_pred, 0.0, 1.0)  # rounding may put them outside
        y_pred = ops.log(y_pred) - ops.log1p(-y_pred)
    logit = _backend.clip(ops.nan_to_num(y_pred, posinf=LIMIT, neginf=-LIMIT), -LIMIT, LIMIT)
    even = (ops.arcsinh(logit / 4) / math.asinh(LIMIT / 4) + 1) / 2
    place = EVEN * even + (1 - EVEN) * ops.sigmoid(logit / 2)
    return ops.minimum(ops.cast(place * bins, "int32"), bins - 1)


def sum_bins(weights: Tensor, places: Tensor, size: int, columns: bool) -> Tensor:
    """The sums of weights by bin: of all labels, or of each column on a last axis."""
    shape: tuple[int, ...] = (size,)
    if columns:
        places = in_columns(places)
        shape = (size, places.shape[-1])
        places = places * shape[1] + ops.arange(shape[1], dtype="int32")
    flat, ids = ops.reshape(weights, (-1,)), ops.reshape(places, (-1,))
    return ops.reshape(_backend.segment_sum(flat, ids, num_segments=math.prod(shape)), shape)
