"""Of classes whose logits are predicted with a variance: means and log-variances, stacked.

With C the cross-entropy at the mean logits, and C_t that under draw t (see `formulas/draws.py`).
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.draws import BINARY, CLASSES, Crossentropy, Transform, mean_over_draws
from keras_masked.formulas.labels import PROBABILITY_PARAMETERS, Labels, formula

Tensor = Any


ELU = Transform(ops.elu, lambda x: ops.exp(_backend.minimum(x, ops.zeros_like(x))))
EXP = Transform(ops.exp, ops.exp)


@formula(Labels(axes=2, stacked=True))
def robust_categorical_crossentropy(y_true: Tensor, y_pred: Tensor, **draws: Any) -> Tensor:
    """C - C mean_t elu(C - C_t) + mean over classes of exp(s) - 1."""
    distorted = _distorted(CLASSES, y_true, y_pred, draws)
    return distorted + _backend.mean(ops.expm1(y_pred[..., 1]), axis=-1)


@formula(PROBABILITY_PARAMETERS)
def robust_binary_crossentropy(y_true: Tensor, y_pred: Tensor, **draws: Any) -> Tensor:
    """C - C mean_t elu(C - C_t) + exp(s) - 1."""
    return _distorted(BINARY, y_true, y_pred, draws) + ops.expm1(y_pred[..., 1])


@formula(Labels(axes=2, stacked=True))
def bayesian_categorical_crossentropy(y_true: Tensor, y_pred: Tensor, **draws: Any) -> Tensor:
    """-log mean_t exp(-C_t)."""
    return _of_mean(CLASSES, y_true, y_pred, draws)


@formula(PROBABILITY_PARAMETERS)
def bayesian_binary_crossentropy(y_true: Tensor, y_pred: Tensor, **draws: Any) -> Tensor:
    """-log mean_t exp(-C_t)."""
    return _of_mean(BINARY, y_true, y_pred, draws)


def _distorted(kind: Crossentropy, y_true: Tensor, y_pred: Tensor, draws: dict[str, Any]) -> Tensor:
    at_mean = kind.loss(y_true, y_pred[..., 0])
    mean, _ = mean_over_draws(ELU, kind, y_true, y_pred, at_mean, **draws)
    return at_mean - at_mean * mean


def _of_mean(kind: Crossentropy, y_true: Tensor, y_pred: Tensor, draws: dict[str, Any]) -> Tensor:
    mean, least = mean_over_draws(EXP, kind, y_true, y_pred, **draws)
    return least - ops.log(mean)
