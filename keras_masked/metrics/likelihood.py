"""Metrics of predicted distributions, parameters stacked on the last axis of the predictions."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import distributions
from keras_masked.formulas import WITH_ERRORS, Labels
from keras_masked.formulas import likelihood as formulas
from keras_masked.metrics.base import MaskedMetric, ratio, register
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.mean import MeanMetric
from keras_masked.metrics.moments import Moments
from keras_masked.observation import (
    JOINT,
    NAN,
    Missing,
    Observation,
    joint_values,
    observe_joint,
)
from keras_masked.validation import BOOLEAN, NON_NEGATIVE

Tensor = Any


@register
class NegativeLogLikelihood(MeanMetric):
    r"""Mean of the negative log-likelihoods of the observed labels.

    $$M = \frac{\sum_i o_i w_i \, (-\log p(y_i \mid \theta_i))}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, $w_i$ its weight, and $\theta_i$ what is
    predicted for it. NaN where nothing is observed.

    Args:
        distribution: The family: its name, `"gaussian"`, say, or a
            `keras_masked.distributions.Distribution`.
        full: Whether to add what depends on nothing, $\log(2 \pi) / 2$ for the Gaussian: values are
            then comparable between distributions.
        name: Name of the metric.
        dtype: Dtype of the result.
        beta: The power of the variances with which losses are multiplied, as by the loss.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends: of what is no single value, the probability counts.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or
    `(batch, ..., labels, 2)` with errors. With `censored=True`, `(batch, ..., labels, 2)`, or
    `(batch, ..., labels, 3)` with errors. The result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.NegativeLogLikelihood()
    >>> y_true = np.array([[[1.0, 3.0], [np.nan, 0.1]]])  # labels and their errors
    >>> y_pred = np.array([[[6.0, np.log(16.0)], [7.0, 0.0]]])  # means and log-variances
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 25 / 2 / (16 + 9) + log(16 + 9) / 2
    2.1094

    Source: Nix and Weigend 1994.
    """

    formula = formulas.negative_log_likelihood
    _direction = "down"

    admits = {"full": BOOLEAN, "beta": NON_NEGATIVE, "censored": BOOLEAN}

    def __init__(
        self,
        distribution: Any = "gaussian",
        full: bool = False,
        name: str | None = "negative_log_likelihood",
        dtype: Any = None,
        *,
        beta: float = 0.0,
        missing: Missing = NAN,
        censored: bool = False,
    ) -> None:
        family = distributions.get(distribution)
        if family.label_axes and censored:
            raise ValueError(
                "NegativeLogLikelihood: argument `censored` is of single labels, and a joint "
                "distribution has none. Received: censored=True"
            )
        options = {"distribution": family, "full": full, "beta": beta, "censored": censored}
        super().__init__(name, dtype, missing=missing, **options)

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is: with a joint distribution, a row."""
        joint = self._options["distribution"].label_axes
        return JOINT if joint else self.formula.label.under(self._options)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels, or of rows of them."""
        distribution = self._options["distribution"]
        if not distribution.label_axes:
            return super().observe(y_true, y_pred, sample_weight)
        missing, dtype = self.missing, self.seen_dtype
        seen = observe_joint(
            y_true, y_pred, sample_weight, distribution, missing=missing, dtype=dtype
        )
        return dataclasses.replace(seen, y_pred=ops.stop_gradient(seen.y_pred))

    def label_values(self, seen: Observation) -> Tensor:
        """The loss of each label, or of each row."""
        distribution = self._options["distribution"]
        if not distribution.label_axes:
            return super().label_values(seen)
        return joint_values(seen, distribution, self._options["full"])


@register
class StandardizedResidualScatter(ColumnMetric):
    r"""Standard deviation of the differences in units of the standard deviations predicted.

    $$M = \sqrt{\frac{\sum_i o_i w_i (z_i - \bar z)^2}{\sum_i o_i w_i}}, \quad
      z_i = \frac{y_i - \mu_i}{\sigma_i}, \quad
      \bar z = \frac{\sum_i o_i w_i z_i}{\sum_i o_i w_i}$$

    with $\mu_i$ and $\sigma_i$ the mean and standard deviation of the distribution predicted for
    label $i$, $o_i$ 1 where the label is observed, else 0, and $w_i$ its weight. 1 where the
    predicted uncertainties are right, more where they are too small. NaN with fewer than two
    observed labels.

    Args:
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends. Of what is no single value, mean and variance of z
            between the ends count, as if z were normal: where the predicted distributions are
            right, the result is 1 all the same.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or
    `(batch, ..., labels, 2)` with errors, which add to the variances. With `censored=True`,
    `(batch, ..., labels, 2)`, or `(batch, ..., labels, 3)` with errors. The result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.StandardizedResidualScatter()
    >>> y_true = np.array([[1.0, 3.0, np.nan]])
    >>> y_pred = np.stack([[[2.0, 2.0, 0.0]], np.log([[4.0, 4.0, 1.0]])], axis=-1)
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # of -1 / 2 and 1 / 2
    0.5

    Source: Levi et al. 2022, "Evaluating and calibrating uncertainty prediction in regression
    tasks", for what the scatter of z tells.
    """

    admits = {"censored": BOOLEAN}

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is for the distribution."""
        return WITH_ERRORS.under(self._options)

    def __init__(
        self,
        distribution: Any = "gaussian",
        name: str | None = "standardized_residual_scatter",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
        censored: bool = False,
    ) -> None:
        options = {"distribution": distributions.get(distribution), "censored": censored}
        super().__init__(name, dtype, missing=missing, **options)

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Moments:
        """Creates moments in the state of `owner`."""
        return owner.keep(Moments(owner, columns, joint=False))

    def collect(self, seen: Observation, state: Moments, per_column: bool) -> Tensor:
        """The moments of a batch."""
        given = {"distribution": self._options["distribution"], "error": seen.error}
        if seen.upper is None:
            z = formulas.standardized_residual(seen.y_true, seen.y_pred, **given)
            return state.collect(dataclasses.replace(seen, y_true=z, y_pred=ops.zeros_like(z)))
        z, variance = formulas.standardized_between(seen.y_true, seen.upper, seen.y_pred, **given)
        # Such that what is added up of squared differences is the variances.
        return state.collect(dataclasses.replace(seen, y_true=z, y_pred=z - ops.sqrt(variance)))

    def score(self, state: Moments) -> Tensor:
        """The standard deviation."""
        variation = state.label_variation
        if self._options["censored"]:
            variation = variation + state.residual
        variance = ratio(variation, state.weight)
        return ops.sqrt(ops.where(variance < 0, ops.zeros_like(variance), variance))

    def defined(self, state: Moments) -> Tensor:
        """Whether there are two labels, or a diverged prediction."""
        return ops.logical_or(state.count > 1, ops.isnan(state.residual))

    def support_of(self, state: Moments) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        return state.weight
