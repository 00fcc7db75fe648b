"""The continuous ranked probability score of predicted distributions."""

from __future__ import annotations

from typing import Any

from keras_masked import distributions
from keras_masked.formulas import scores as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import NAN, Missing


@register
class ContinuousRankedProbabilityScore(MeanMetric):
    r"""Mean of the continuous ranked probability scores of the observed labels.

    $$M = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i w_i}, \quad
      s_i = \int \left(F_i(x) - [x \ge y_i]\right)^2 dx$$

    with $F_i$ the distribution function predicted for label $i$, $o_i$ 1 where the label is
    observed, else 0, and $w_i$ its weight. In the units of the labels, and so comparable between
    families of distributions, and with the absolute error of plain numbers. NaN where nothing is
    observed.

    Also under the name `CRPS`.

    Args:
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or with
    errors `(batch, ..., labels, 2)`, which widen the distribution. The result is a scalar.

    Raises:
        ValueError: If shapes do not align, or the last axis of `y_pred` does not hold the
            parameters of the distribution.

    Example:

    >>> metric = keras_masked.metrics.ContinuousRankedProbabilityScore()
    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[1.0, np.log(4.0)], [7.0, 0.0]]])  # means and log-variances
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 2 (sqrt(2) - 1) / sqrt(pi)
    0.4674

    Source: Matheson and Winkler 1976; Gneiting and Raftery 2007, "Strictly proper scoring rules,
    prediction, and estimation", equation 20.
    """

    formula = formulas.continuous_ranked_probability_score
    _direction = "down"

    def __init__(
        self,
        distribution: Any = "gaussian",
        name: str | None = "continuous_ranked_probability_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        distribution = distributions.get(distribution)
        super().__init__(name, dtype, missing=missing, distribution=distribution)
