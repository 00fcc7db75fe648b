"""Losses of two outputs that need each other, a value and its variance, by closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_masked.losses.base import register
from keras_masked.losses.bayesian import robust_binary_crossentropy, robust_categorical_crossentropy
from keras_masked.losses.likelihood import check_tensors, robust_mse
from keras_masked.observation import NAN, Missing

Tensor = Any


Loss = Callable[..., Tensor]


@register
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


@register
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


@register
def bayesian_categorical_crossentropy_wrapper(logit_var: Tensor, **options: Any) -> Loss:
    """Returns `robust_categorical_crossentropy` as a function of labels and logits.

    For a hand-written training step.

    Args:
        logit_var: Logarithms of the variances of the logits: a tensor of this batch.
        **options: `draws=`, `loop_over_draws=` and `missing=`.

    >>> loss = keras_masked.losses.bayesian_categorical_crossentropy_wrapper(np.full((1, 3), -30.0))
    >>> rows = loss(np.array([[0.0, 1.0, 0.0]]), np.array([[1.0, 3.0, 0.0]]))
    >>> [round(float(row), 4) for row in rows]
    [-0.8302]
    """
    return _of_logits(robust_categorical_crossentropy, logit_var, options)


@register
def bayesian_categorical_crossentropy_var_wrapper(logits: Tensor, **options: Any) -> Loss:
    """Returns `robust_categorical_crossentropy` as a function of labels and log-variances.

    For a hand-written training step.

    Args:
        logits: Mean logits: a tensor of this batch.
        **options: `draws=`, `loop_over_draws=` and `missing=`.

    >>> logits = np.array([[1.0, 3.0, 0.0]])
    >>> loss = keras_masked.losses.bayesian_categorical_crossentropy_var_wrapper(logits)
    >>> rows = loss(np.array([[0.0, 1.0, 0.0]]), np.full((1, 3), -30.0))
    >>> [round(float(row), 4) for row in rows]
    [-0.8302]
    """
    return _of_variances(robust_categorical_crossentropy, logits, options)


@register
def bayesian_binary_crossentropy_wrapper(logit_var: Tensor, **options: Any) -> Loss:
    """Returns `robust_binary_crossentropy` as a function of labels and logits.

    For a hand-written training step.

    Args:
        logit_var: Logarithms of the variances of the logits: a tensor of this batch.
        **options: `draws=`, `loop_over_draws=` and `missing=`.

    >>> loss = keras_masked.losses.bayesian_binary_crossentropy_wrapper(np.full((1, 2), -30.0))
    >>> rows = loss(np.array([[1.0, np.nan]]), np.array([[2.0, 5.0]]))
    >>> [round(float(row), 4) for row in rows]
    [-0.8731]
    """
    return _of_logits(robust_binary_crossentropy, logit_var, options)


@register
def bayesian_binary_crossentropy_var_wrapper(logits: Tensor, **options: Any) -> Loss:
    """Returns `robust_binary_crossentropy` as a function of labels and log-variances.

    For a hand-written training step.

    Args:
        logits: Mean logits: a tensor of this batch.
        **options: `draws=`, `loop_over_draws=` and `missing=`.

    >>> logits = np.array([[2.0, 5.0]])
    >>> loss = keras_masked.losses.bayesian_binary_crossentropy_var_wrapper(logits)
    >>> rows = loss(np.array([[1.0, np.nan]]), np.full((1, 2), -30.0))
    >>> [round(float(row), 4) for row in rows]
    [-0.8731]
    """
    return _of_variances(robust_binary_crossentropy, logits, options)


def _of_logits(loss: Loss, logit_var: Tensor, options: dict[str, Any]) -> Loss:
    check_tensors(logit_var=logit_var)

    def of_logits(y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return loss(y_true, y_pred, logit_var, sample_weight, **options)

    return of_logits


def _of_variances(loss: Loss, logits: Tensor, options: dict[str, Any]) -> Loss:
    check_tensors(logits=logits)

    def of_variances(y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return loss(y_true, logits, y_pred, sample_weight, **options)

    return of_variances
