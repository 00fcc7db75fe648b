"""The negative log-likelihood of labels under a predicted distribution: class and functions."""

from __future__ import annotations

from typing import Any, Unpack

import keras

from keras_masked import distributions
from keras_masked.formulas import Labels
from keras_masked.formulas import likelihood as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import (
    JOINT,
    NAN,
    Missing,
    Observation,
    joint_values,
    observe_joint,
    row_values,
    stack_parameters,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import BOOLEAN, NON_NEGATIVE, Reduction

Tensor = Any


@register
class NegativeLogLikelihood(FormulaLoss):
    r"""Mean of the negative log-likelihoods of the observed labels, whose spread is predicted too.

    $$L = \frac{\sum_i o_i w_i \, (-\log p(y_i \mid \theta_i))}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, $w_i$ its weight, and $\theta_i$ what is
    predicted for it. For the Gaussian, with mean $m$, log-variance $s$, and $e$ the standard
    deviation of a label's own error, known beforehand, or 0,

    $$-\log p = \frac{(y - m)^2}{2 (e^s + e^2)} + \frac{\log (e^s + e^2)}{2}$$

    so that $s$ learns the scatter that the errors of the labels leave unexplained.

    Args:
        distribution: The family: its name, `"gaussian"`, say, or a
            `keras_masked.distributions.Distribution`.
        full: Whether to add what depends on nothing, $\log(2 \pi) / 2$ for the Gaussian: values are
            then comparable between distributions.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        beta: Each label's loss is multiplied by its predicted variance to this power, without a
            gradient (Seitzer et al. 2022): with 0 it is the likelihood; with 1 means are trained as
            by squares, whatever the variances are; 0.5 is a compromise that keeps labels which are
            not fitted yet from being given up as noise.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: see below.
        **masking: See `MaskedLoss`.

    With `censored=True`, of a label that is known only to lie between two ends, of which one may be
    infinite, $-\log p$ is that of the probability that is predicted there,

    $$-\log \left(F(u_i \mid \theta_i) - F(l_i \mid \theta_i)\right)$$

    with F the distribution function (of counts, $l < y \le u$); of equal ends it is that of the
    density, as above. With `full=True` values are the log-likelihoods that packages of survival
    analysis report. `keras_masked.distributions.MultivariateGaussian` takes no such labels.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`: for the Gaussian, means and log-variances.
    `y_true` `(batch, ..., labels)`, or with errors `(batch, ..., labels, 2)`: labels and standard
    deviations, in the units of the labels. A label is missing if its value is; a missing error
    counts as 0. With `censored=True`, `(batch, ..., labels, 2)`: lower and upper ends, or with
    errors `(batch, ..., labels, 3)`. One row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or the last axis of
            `y_pred` does not hold the parameters of the distribution, or, as far as values are at
            hand, if labels are outside its support.

    Example:

    >>> loss = keras_masked.losses.NegativeLogLikelihood(missing=-9999.0)
    >>> y_true = np.array([[[1.0, 3.0], [-9999.0, 0.1]]])  # labels and their errors
    >>> y_pred = np.array([[[6.0, np.log(16.0)], [7.0, 0.0]]])  # means and log-variances
    >>> round(float(loss(y_true, y_pred)), 4)  # 25 / 2 / (16 + 9) + log(16 + 9) / 2
    2.1094

    Source: Nix and Weigend 1994; Kendall and Gal 2017, equation 8; Leung and Bovy 2019, equation 4,
    with the errors of the labels.
    """

    formula = formulas.negative_log_likelihood

    admits = {"full": BOOLEAN, "beta": NON_NEGATIVE, "censored": BOOLEAN}

    def __init__(
        self,
        distribution: Any = "gaussian",
        full: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "negative_log_likelihood",
        dtype: Any = None,
        *,
        beta: float = 0.0,
        censored: bool = False,
        **masking: Unpack[Masking],
    ) -> None:
        distribution = distributions.get(distribution)
        if distribution.label_axes:
            check_joint(type(self).__name__, beta, censored, masking)
        options = {"distribution": distribution, "full": full, "beta": beta, "censored": censored}
        super().__init__(reduction, name, dtype, **options, **masking)

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is: with a joint distribution, a row."""
        joint = self._options["distribution"].label_axes
        return JOINT if joint else self.formula.label.under(self._options)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per label, or per row of labels: 0 where hidden, with a gradient of 0 there."""
        distribution = self._options["distribution"]
        if not distribution.label_axes:
            return super().evaluate(y_true, y_pred, sample_weight)
        known = {"missing": self.missing, "dtype": self.dtype}
        seen = observe_joint(y_true, y_pred, sample_weight, distribution, **known)
        return joint_values(seen, distribution, self._options["full"]), seen


def check_joint(owner: str, beta: float, censored: bool, masking: Any) -> None:
    """Raises on options that mean nothing of labels that are one together."""
    weights = masking.get("label_weights")
    given = {"beta": beta or None, "censored": censored or None, "label_weights": weights}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{owner}: argument `{name}` is of single labels, and a joint distribution has "
                f"none. Received: {name}={value!r}"
            )
    if masking.get("average", "micro") == "macro":
        raise ValueError(
            f"{owner}: argument `average` must not be 'macro' with a joint distribution, whose "
            "labels are no columns. Received: average='macro'"
        )


@register
def negative_log_likelihood(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    distribution: Any = "gaussian",
    full: bool = False,
    beta: float = 0.0,
    missing: Missing = NAN,
    censored: bool = False,
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
    options = NegativeLogLikelihood.checked(full=full, beta=beta, censored=censored)
    formula = formulas.negative_log_likelihood
    if distribution.label_axes:
        check_joint("negative_log_likelihood", beta, censored, {})
        markers = standardize_missing(missing)
        seen = observe_joint(y_true, y_pred, None, distribution, missing=markers)
        return with_mask(joint_values(seen, distribution, options["full"]), seen)
    return row_values(formula, y_true, y_pred, missing, distribution=distribution, **options)


@register
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
