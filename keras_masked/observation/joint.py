"""Labels of a row that are one label together, with holes, and parameters of their distribution."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions import MultivariateGaussian
from keras_masked.formulas import Labels
from keras_masked.observation.hiding import gate_input, gate_output
from keras_masked.observation.missing import Missing
from keras_masked.observation.observe import Observation, observe
from keras_masked.observation.rejected import reject_arrays

Tensor = Any

JOINT = Labels(axes=1, pairwise=True)
"""The last axis of `y_true`, missing where all of it is; of it, what is observed counts."""


def observe_joint(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    distribution: MultivariateGaussian,
    *,
    missing: Missing,
    dtype: str | None = None,
) -> Observation:
    """What is observed of rows; predictions are the parameters `(..., P)`."""
    reject_arrays(y_pred=y_pred)
    mask = _backend.get_keras_mask(y_pred)
    y_pred = ops.convert_to_tensor(y_pred)
    distribution.check(y_pred)
    first = y_pred[..., : distribution.labels]
    if mask is not None:
        _backend.set_keras_mask(first, mask)
    seen = observe(y_true, first, sample_weight, JOINT, missing=missing, dtype=dtype)
    return dataclasses.replace(seen, y_pred=ops.cast(y_pred, seen.y_pred.dtype))


def joint_values(seen: Observation, distribution: MultivariateGaussian, full: bool) -> Tensor:
    """The negative log-likelihood of each row: 0 where hidden, and without a gradient there."""
    y_true, parameters, hidden = seen.y_true, seen.y_pred, seen.hidden
    observed = None if seen.holes is None else ops.logical_not(seen.holes)
    if hidden is not None:
        rows = ops.broadcast_to(ops.logical_not(hidden())[..., None], ops.shape(y_true))
        observed = rows if observed is None else ops.logical_and(observed, rows)
    if observed is not None:
        y_true = _backend.zero_where(ops.logical_not(observed), y_true)
    losses = distribution.marginal(
        gate_input(y_true, hidden), gate_input(parameters, hidden), observed
    )
    if full:
        count = ops.ones_like(y_true) if observed is None else ops.cast(observed, losses.dtype)
        losses = losses + 0.5 * math.log(2.0 * math.pi) * ops.sum(count, axis=-1)
    return gate_output(losses, hidden)
