"""Cross-entropies of classes whose logits are predicted with a variance, as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values
from keras_masked.formulas import Formula
from keras_masked.formulas.draws import check_logits
from keras_masked.functions.base import register_loss
from keras_masked.functions.likelihood import check_tensors
from keras_masked.missing import NAN, Missing
from keras_masked.stacked import stack_parameters

Tensor = Any
Loss = Callable[..., Tensor]


@register_loss
def robust_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    logit_var: Tensor,
    sample_weight: Tensor | None = None,
    *,
    draws: int = 25,
    loop_over_draws: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the cross-entropy of each label, distorted by the variance of its logits.

    See `RobustCategoricalCrossentropy`, which takes logits and log-variances stacked.

    Args:
        y_true: One-hot labels `(..., classes)`, some of them missing.
        y_pred: Mean logits `(..., classes)`.
        logit_var: Logarithms of their variances `(..., classes)`.
        sample_weight: Weights: a scalar, or one per label.
        draws: Number of draws.
        loop_over_draws: Whether to look at one draw at a time, for want of memory.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    >>> y_true, y_pred = np.array([[0.0, 1.0, 0.0]]), np.array([[1.0, 3.0, 0.0]])
    >>> logit_var = np.full((1, 3), -30.0)
    >>> rows = keras_masked.losses.robust_categorical_crossentropy(y_true, y_pred, logit_var)
    >>> [round(float(row), 4) for row in rows]  # -log(softmax) - 1, for hardly any variance
    [-0.8302]
    """
    return _values(
        formulas.robust_categorical_crossentropy,
        y_true,
        y_pred,
        logit_var,
        sample_weight,
        missing,
        draws=draws,
        loop_over_draws=loop_over_draws,
    )


@register_loss
def robust_binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    logit_var: Tensor,
    sample_weight: Tensor | None = None,
    *,
    draws: int = 25,
    loop_over_draws: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean cross-entropy of each row, distorted by the variance of its logits.

    See `RobustBinaryCrossentropy`, which takes logits and log-variances stacked.

    Args:
        y_true: Binary labels `(..., labels)`, some of them missing.
        y_pred: Mean logits `(..., labels)`.
        logit_var: Logarithms of their variances `(..., labels)`.
        sample_weight: Weights: a scalar, one per row, or one per label.
        draws: Number of draws.
        loop_over_draws: Whether to look at one draw at a time, for want of memory.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    >>> y_true, y_pred = np.array([[1.0, np.nan]]), np.array([[2.0, 5.0]])
    >>> logit_var = np.full((1, 2), -30.0)
    >>> rows = keras_masked.losses.robust_binary_crossentropy(y_true, y_pred, logit_var)
    >>> [round(float(row), 4) for row in rows]  # -log(sigmoid(2)) - 1, for hardly any variance
    [-0.8731]
    """
    return _values(
        formulas.robust_binary_crossentropy,
        y_true,
        y_pred,
        logit_var,
        sample_weight,
        missing,
        draws=draws,
        loop_over_draws=loop_over_draws,
    )


@register_loss
def bayesian_categorical_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    draws: int = 25,
    loop_over_draws: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the negative log-likelihood of each label, given logits and their variance.

    See `BayesianCategoricalCrossentropy`.

    >>> y_true = np.array([[0.0, 1.0, 0.0]])
    >>> y_pred = np.stack([[[1.0, 3.0, 0.0]], np.full((1, 3), -30.0)], axis=-1)
    >>> rows = keras_masked.losses.bayesian_categorical_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]  # -log(softmax), for hardly any variance
    [0.1698]
    """
    check_logits(y_pred)
    formula = formulas.bayesian_categorical_crossentropy
    options = {"draws": draws, "loop_over_draws": loop_over_draws}
    return row_values(formula, y_true, y_pred, missing, **options)


@register_loss
def bayesian_binary_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    draws: int = 25,
    loop_over_draws: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean negative log-likelihood of each row, given logits and their variance.

    See `BayesianBinaryCrossentropy`.

    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[2.0, -30.0], [5.0, 0.0]]])
    >>> rows = keras_masked.losses.bayesian_binary_crossentropy(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]  # -log(sigmoid(2)), for hardly any variance
    [0.1269]
    """
    check_logits(y_pred)
    formula = formulas.bayesian_binary_crossentropy
    options = {"draws": draws, "loop_over_draws": loop_over_draws}
    return row_values(formula, y_true, y_pred, missing, **options)


@register_loss
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


@register_loss
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


@register_loss
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


@register_loss
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


def _values(
    formula: Formula,
    y_true: Tensor,
    y_pred: Tensor,
    logit_var: Tensor,
    sample_weight: Tensor | None,
    missing: Missing,
    **options: Any,
) -> Tensor:
    check_tensors(y_pred=y_pred, logit_var=logit_var)
    stacked = stack_parameters(y_pred=y_pred, logit_var=logit_var)
    return row_values(formula, y_true, stacked, missing, sample_weight=sample_weight, **options)
