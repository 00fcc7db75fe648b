"""Cross-entropies of classes whose logits are predicted with a variance."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked import formulas
from keras_masked.evaluation import label_values
from keras_masked.formulas.draws import check_draws, check_logits
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import Observation

Tensor = Any


class DrawnLoss(MaskedLoss):
    """Base class: an estimate by draws of the logits.

    A loss has no state, so the draws are the same at every step; `keras_masked.layers.LossEndpoint`
    holds a generator and draws afresh.
    """

    def __init__(
        self,
        draws: int,
        loop_over_draws: bool,
        reduction: str | None,
        name: str | None,
        dtype: Any,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"draws": check_draws(draws), "loop_over_draws": loop_over_draws}
        super().__init__(reduction, name, dtype, **options, **masking)

    def evaluate(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> tuple[Tensor, Observation]:
        """One loss per label, and which labels count.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Means and log-variances of the logits.
            sample_weight: Weights: a scalar, one per row, or one per label.
            shift: For fresh draws, uniform numbers of the shape of the logits.
        """
        check_logits(y_pred)
        seen = self.observe(y_true, y_pred, sample_weight)
        if shift is not None:
            shift = ops.reshape(shift, ops.shape(seen.y_pred)[:-1])
        return label_values(self.formula, seen, **self._options, shift=shift), seen


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
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., classes)`, one-hot, missing if any of its entries is; `y_pred`
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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "robust_categorical_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
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
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., labels)`, 0 or 1; `y_pred` `(batch, ..., labels, 2)`: means and
    log-variances of the logits. One row value each `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer.

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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "robust_binary_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
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
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., classes)`, one-hot, missing if any of its entries is; `y_pred`
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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "bayesian_categorical_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
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
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` `(batch, ..., labels)`, 0 or 1; `y_pred` `(batch, ..., labels, 2)`: means and
    log-variances of the logits. One row value each `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or `draws` is not a positive integer.

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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "bayesian_binary_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(draws, loop_over_draws, reduction, name, dtype, **masking)
