"""Cross-entropies of classes whose logits are predicted with a variance."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import Formula, check_logits
from keras_masked.formulas import bayesian as formulas
from keras_masked.losses.base import ClassMasking, register
from keras_masked.losses.draws import DrawnLoss
from keras_masked.losses.likelihood import check_tensors
from keras_masked.observation import (
    NAN,
    Missing,
    row_values,
    stack_parameters,
)
from keras_masked.validation import Reduction

Tensor = Any


@register
class RobustCategoricalCrossentropy(DrawnLoss):
    r"""Cross-entropy of one-hot labels, distorted by the variance predicted for the logits.

    $$L = \frac{\sum_i o_i w_i \, \big(C_i - C_i \frac 1 T \sum_t \mathrm{elu}(C_i - C_{it})
          + \frac 1 K \sum_k (e^{s_{ik}} - 1)\big)}{\sum_i o_i}$$

    with $C$ the cross-entropy at the mean logits $m$, $C_t$ that at the drawn logits
    $m + e^{s / 2} \epsilon_t$, $\epsilon_t$ standard normal,
    $K$ the number of classes, and $s$ the log-variances.
    $o_i$ is 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    This is the form of astroNN's page, which is not a likelihood: at $s \to -\infty$ it tends to
    $C - 1$, and its last term alone bounds the variance. The likelihood is
    `BayesianCategoricalCrossentropy`.

    The draws are fixed, evenly spread nodes: the same at every step, so that the loss is a function
    of labels and predictions, on any backend and compiled.

    Args:
        draws: Number of draws T.
        loop_over_draws: Whether to look at one draw at a time. The memory of a step is then that of
            `batch x classes` numbers, else that of `draws x batch x classes`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., classes)`, one-hot, missing if any entry is NaN; `y_pred`
    `(batch, ..., classes, 2)`: means and log-variances of the logits. One value per label.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer.

    Example:

    >>> y_true = np.array([[0.0, 1.0, 0.0], [np.nan, np.nan, np.nan]])
    >>> logits, log_variances = np.array([[1.0, 3.0, 0.0]] * 2), np.full((2, 3), -30.0)
    >>> y_pred = np.stack([logits, log_variances], axis=-1)
    >>> loss = keras_masked.losses.RobustCategoricalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log(softmax) - 1, for hardly any variance
    -0.8302

    Source: astroNN, `robust_categorical_crossentropy`; after Kendall and Gal 2017.
    """

    formula = formulas.robust_categorical_crossentropy

    def __init__(
        self,
        draws: int = 25,
        loop_over_draws: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "robust_categorical_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(draws, loop_over_draws, reduction, name, dtype, **masking)


@register
class RobustBinaryCrossentropy(DrawnLoss):
    r"""Cross-entropy of binary labels, distorted by the variance predicted for the logits.

    $$L = \frac{\sum_i o_i w_i \, \big(C_i - C_i \frac 1 T \sum_t \mathrm{elu}(C_i - C_{it})
          + e^{s_i} - 1\big)}{\sum_i o_i}$$

    with $C$ the cross-entropy at the mean logits $m$, $C_t$ that at the drawn logits
    $m + e^{s / 2} \epsilon_t$, $\epsilon_t$ standard normal,
    and $s$ the log-variance.
    $o_i$ is 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    This is the form of astroNN's page, which is not a likelihood: at $s \to -\infty$ it tends to
    $C - 1$, and its last term alone bounds the variance. The likelihood is
    `BayesianBinaryCrossentropy`.

    The draws are fixed, evenly spread nodes: the same at every step, so that the loss is a function
    of labels and predictions, on any backend and compiled.

    Args:
        draws: Number of draws T.
        loop_over_draws: Whether to look at one draw at a time. The memory of a step is then that of
            `batch x labels` numbers, else that of `draws x batch x labels`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., labels)`, 0 or 1; `y_pred` `(batch, ..., labels, 2)`: means and
    log-variances of the logits. One row value each `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer. Also if labels
            outside [0, 1] that `missing` does not name are at hand. In tensors, such a label gives
            NaN.

    Example:

    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[2.0, -30.0], [5.0, 0.0]]])  # logits and log-variances
    >>> loss = keras_masked.losses.RobustBinaryCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log(sigmoid(2)) - 1, for hardly any variance
    -0.8731

    Source: astroNN, `robust_binary_crossentropy`; after Kendall and Gal 2017.
    """

    formula = formulas.robust_binary_crossentropy

    def __init__(
        self,
        draws: int = 25,
        loop_over_draws: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "robust_binary_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(draws, loop_over_draws, reduction, name, dtype, **masking)


@register
class BayesianCategoricalCrossentropy(DrawnLoss):
    r"""Negative log-likelihood of one-hot labels, given logits and their variance.

    $$L = \frac{1}{\sum_i o_i} \sum_i o_i w_i \Big({-\log} \frac 1 T \sum_t
          \mathrm{softmax}(m_i + e^{s_i / 2} \epsilon_t)_{y_i}\Big)$$

    with $T$ draws $\epsilon_t$ of standard normals, $o_i$ 1 where label $i$ is observed, else 0,
    and $w_i$ its weight. As $T$ grows, this tends to the likelihood of the label, given logits that
    are normal with mean $m$ and log-variance $s$.

    The draws are fixed, evenly spread nodes: the same at every step, so that the loss is a function
    of labels and predictions, on any backend and compiled.

    Args:
        draws: Number of draws T.
        loop_over_draws: Whether to look at one draw at a time. The memory of a step is then that of
            `batch x classes` numbers, else that of `draws x batch x classes`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., classes)`, one-hot, missing if any entry is NaN; `y_pred`
    `(batch, ..., classes, 2)`: means and log-variances of the logits. One value per label.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer.

    Example:

    >>> y_true = np.array([[0.0, 1.0, 0.0], [np.nan, np.nan, np.nan]])
    >>> logits, log_variances = np.array([[1.0, 3.0, 0.0]] * 2), np.full((2, 3), 0.0)
    >>> y_pred = np.stack([logits, log_variances], axis=-1)
    >>> loss = keras_masked.losses.BayesianCategoricalCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 2)
    0.27

    Source: Kendall and Gal 2017, equation 12.
    """

    formula = formulas.bayesian_categorical_crossentropy

    def __init__(
        self,
        draws: int = 25,
        loop_over_draws: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "bayesian_categorical_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(draws, loop_over_draws, reduction, name, dtype, **masking)


@register
class BayesianBinaryCrossentropy(DrawnLoss):
    r"""Negative log-likelihood of binary labels, given logits and their variance.

    $$L = \frac{1}{\sum_i o_i} \sum_i o_i w_i \Big({-\log} \frac 1 T \sum_t
          \sigma\big((2 y_i - 1) (m_i + e^{s_i / 2} \epsilon_t)\big)\Big)$$

    with $T$ draws $\epsilon_t$ of standard normals, $o_i$ 1 where label $i$ is observed, else 0,
    and $w_i$ its weight. As $T$ grows, this tends to the likelihood of the label, given logits that
    are normal with mean $m$ and log-variance $s$.

    The draws are fixed, evenly spread nodes: the same at every step, so that the loss is a function
    of labels and predictions, on any backend and compiled.

    Args:
        draws: Number of draws T.
        loop_over_draws: Whether to look at one draw at a time. The memory of a step is then that of
            `batch x labels` numbers, else that of `draws x batch x labels`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., labels)`, 0 or 1; `y_pred` `(batch, ..., labels, 2)`: means and
    log-variances of the logits. One row value each `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer. Also if labels
            outside [0, 1] that `missing` does not name are at hand. In tensors, such a label gives
            NaN.

    Example:

    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[2.0, 0.0], [5.0, 0.0]]])  # logits and log-variances
    >>> loss = keras_masked.losses.BayesianBinaryCrossentropy()
    >>> round(float(loss(y_true, y_pred)), 2)
    0.17

    Source: Kendall and Gal 2017, equation 12, of two classes.
    """

    formula = formulas.bayesian_binary_crossentropy

    def __init__(
        self,
        draws: int = 25,
        loop_over_draws: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "bayesian_binary_crossentropy",
        dtype: Any = None,
        **masking: Unpack[ClassMasking],
    ) -> None:
        super().__init__(draws, loop_over_draws, reduction, name, dtype, **masking)


@register
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
        **BayesianCategoricalCrossentropy.checked(draws=draws, loop_over_draws=loop_over_draws),
    )


@register
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
        **BayesianBinaryCrossentropy.checked(draws=draws, loop_over_draws=loop_over_draws),
    )


@register
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
    options = BayesianCategoricalCrossentropy.checked(draws=draws, loop_over_draws=loop_over_draws)
    return row_values(formula, y_true, y_pred, missing, **options)


@register
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
    options = BayesianBinaryCrossentropy.checked(draws=draws, loop_over_draws=loop_over_draws)
    return row_values(formula, y_true, y_pred, missing, **options)


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
