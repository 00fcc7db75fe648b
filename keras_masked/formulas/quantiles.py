"""Formulas of quantiles and expectiles: errors that count more on one side than on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import PARAMETERS, Formula, formula

Tensor = Any


@formula(residual=True)
def pinball(error: Tensor, quantiles: float = 0.5) -> Tensor:
    """|e| times q above 0 and 1 - q below, with e = y - p."""
    return _backend.absolute(error) * _side(error, quantiles)


@formula(PARAMETERS)
def pinball_of_levels(y_true: Tensor, y_pred: Tensor, quantiles: Sequence[float]) -> Tensor:
    """Mean of the pinball losses of several quantiles, predicted on the last axis."""
    check_last_axis(y_pred, [f"the {q:g} quantile" for q in quantiles])
    return _backend.mean(pinball_losses(y_true, y_pred, quantiles), axis=-1)


@formula(residual=True)
def expectile(error: Tensor, tau: float = 0.5) -> Tensor:
    """e^2 times tau above 0 and 1 - tau below, with e = y - p."""
    return ops.square(error) * _side(error, tau)


def pinball_of(quantiles: float | Sequence[float]) -> Formula:
    """The formula of a single quantile, or of several on the last axis of the predictions."""
    return pinball if isinstance(quantiles, float) else pinball_of_levels


def pinball_losses(y_true: Tensor, y_pred: Tensor, quantiles: Sequence[float]) -> Tensor:
    """The pinball loss of each quantile on the last axis of `y_pred`."""
    of_each = len(y_true.shape) == len(y_pred.shape)  # of bounds, which differ between quantiles
    error = (y_true if of_each else ops.expand_dims(y_true, axis=-1)) - y_pred
    above = ops.convert_to_tensor(list(quantiles), dtype=y_pred.dtype)
    return _backend.absolute(error) * ops.where(error < 0, 1.0 - above, above)


def check_last_axis(y_pred: Tensor, parameters: Sequence[str]) -> None:
    """Raises `ValueError` where the last axis cannot hold what is expected there."""
    size = y_pred.shape[-1]
    if size is not None and size != len(parameters):
        raise ValueError(
            f"The last axis of `y_pred` must hold {len(parameters)} values: "
            f"{', '.join(parameters)}. Received: y_pred.shape={tuple(y_pred.shape)}"
        )


def _side(error: Tensor, above: float) -> Tensor:
    """What an error is multiplied by: |e| and e^2 have a slope of 0 at 0, and so the product."""
    return ops.where(error < 0, ops.full_like(error, 1.0 - above), ops.full_like(error, above))
