"""Losses of predicted distributions and predicted variances, as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from keras_masked import distributions, formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import NAN, Missing
from keras_masked.stacked import stack_parameters

Tensor = Any
Loss = Callable[..., Tensor]


@register_loss
def negative_log_likelihood(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    distribution: Any = "gaussian",
    full: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean negative log-likelihood of each row, over its observed labels.

    See `NegativeLogLikelihood`.

    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[6.0, np.log(25.0)], [7.0, 0.0]]])  # means and log-variances
    >>> rows = keras_masked.losses.negative_log_likelihood(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]  # 25 / 2 / 25 + log(25) / 2
    [2.1094]
    """
    distribution = distributions.get(distribution)
    formula = formulas.negative_log_likelihood
    return row_values(formula, y_true, y_pred, missing, distribution=distribution, full=full)


@register_loss
def robust_mse(
    y_true: Tensor,
    y_pred: Tensor,
    variance: Tensor,
    labels_err: Tensor = 0.0,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns (y - p)^2 / (2 (exp(s) + e^2)) + log(exp(s) + e^2) / 2, the mean of each row.

    See `NegativeLogLikelihood`, which is the same loss for `compile`: with one output.

    Args:
        y_true: Labels `(..., labels)`, some of them missing.
        y_pred: Predictions `(..., labels)`.
        variance: s, the logarithms of the predicted variances `(..., labels)`.
        labels_err: e, standard deviations of the labels' errors; 0 where unknown or missing.
        sample_weight: Weights: a scalar, one per row, or one per label.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    >>> y_true, y_pred = np.array([[1.0, np.nan]]), np.array([[6.0, 7.0]])
    >>> variance, labels_err = np.log([[16.0, 1.0]]), np.array([[3.0, np.nan]])
    >>> rows = keras_masked.losses.robust_mse(y_true, y_pred, variance, labels_err)
    >>> [round(float(row), 4) for row in rows]  # 25 / 2 / (16 + 9) + log(16 + 9) / 2
    [2.1094]
    """
    check_tensors(y_pred=y_pred, variance=variance, labels_err=labels_err)
    return row_values(
        formulas.negative_log_likelihood,
        y_true,
        stack_parameters(y_pred=y_pred, variance=variance),
        missing,
        sample_weight=sample_weight,
        error=labels_err,
        distribution=distributions.Gaussian(),
    )


@register_loss
def mse_lin_wrapper(var: Tensor, labels_err: Tensor = 0.0, *, missing: Missing = NAN) -> Loss:
    """Returns `robust_mse` as a function of labels and predictions, for a hand-written step.

    Args:
        var: Logarithms of the predicted variances `(..., labels)`: a tensor of this batch, through
            which the gradient passes, too.
        labels_err: Standard deviations of the labels' errors; 0 where unknown or missing.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    >>> loss = keras_masked.losses.mse_lin_wrapper(np.log([[16.0, 1.0]]), np.array([[3.0, 1.0]]))
    >>> [round(float(row), 4) for row in loss(np.array([[1.0, np.nan]]), np.array([[6.0, 7.0]]))]
    [2.1094]
    """
    check_tensors(var=var, labels_err=labels_err)

    def mse_lin(y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return robust_mse(y_true, y_pred, var, labels_err, sample_weight, missing=missing)

    return mse_lin


@register_loss
def mse_var_wrapper(lin: Tensor, labels_err: Tensor = 0.0, *, missing: Missing = NAN) -> Loss:
    """Returns `robust_mse` as a function of labels and log-variances, for a hand-written step.

    Args:
        lin: Predictions `(..., labels)`: a tensor of this batch, through which the gradient
            passes, too.
        labels_err: Standard deviations of the labels' errors; 0 where unknown or missing.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    >>> loss = keras_masked.losses.mse_var_wrapper(np.array([[6.0, 7.0]]), np.array([[3.0, 1.0]]))
    >>> [round(float(row), 4) for row in loss(np.array([[1.0, np.nan]]), np.log([[16.0, 1.0]]))]
    [2.1094]
    """
    check_tensors(lin=lin, labels_err=labels_err)

    def mse_var(y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return robust_mse(y_true, lin, y_pred, labels_err, sample_weight, missing=missing)

    return mse_var


def check_tensors(**tensors: Tensor) -> None:
    """Raises on outputs of layers that stand for no numbers yet: Keras 3 computes nothing of them.

    Args:
        **tensors: What must be of a batch, by its name.
    """
    for name, tensor in tensors.items():
        if isinstance(tensor, keras.KerasTensor):
            raise ValueError(
                f"Argument `{name}` must be a tensor of a batch; this function is for hand-written "
                "training steps. To train a model of several outputs with `compile` and `fit`, use "
                f"`keras_masked.layers.LossEndpoint`. Received: {name}={tensor}"
            )
