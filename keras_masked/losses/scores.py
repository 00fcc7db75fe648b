"""The continuous ranked probability score of predicted distributions: class and function."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import distributions
from keras_masked.formulas import scores as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import Reduction

Tensor = Any


@register
class ContinuousRankedProbabilityScore(FormulaLoss):
    r"""Mean of the continuous ranked probability scores of the observed labels.

    $$L = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i}, \quad
      s_i = \int \left(F_i(x) - [x \ge y_i]\right)^2 dx$$

    with $F_i$ the distribution function predicted for label $i$, $o_i$ 1 where the label is
    observed, else 0, and $w_i$ its weight. In the units of the labels; of a prediction without any
    spread, the absolute error. Like the likelihood it is least, on average, for the distribution
    that the labels have, but it grows only linearly with a label that is far off.

    Also under the name `CRPS`.

    Args:
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or with
    errors `(batch, ..., labels, 2)`, which widen the distribution. One row value each
    `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or the last axis of `y_pred` does not hold the
            parameters of the distribution.

    Example:

    >>> loss = keras_masked.losses.ContinuousRankedProbabilityScore()
    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[1.0, np.log(4.0)], [7.0, 0.0]]])  # means and log-variances
    >>> round(float(loss(y_true, y_pred)), 4)  # 2 (sqrt(2) - 1) / sqrt(pi)
    0.4674

    Source: Matheson and Winkler 1976; Gneiting and Raftery 2007, "Strictly proper scoring rules,
    prediction, and estimation", equation 20.
    """

    formula = formulas.continuous_ranked_probability_score

    def __init__(
        self,
        distribution: Any = "gaussian",
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "continuous_ranked_probability_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        distribution = distributions.get(distribution)
        super().__init__(reduction, name, dtype, distribution=distribution, **masking)


@register
def continuous_ranked_probability_score(
    y_true: Tensor, y_pred: Tensor, *, distribution: Any = "gaussian", missing: Missing = NAN
) -> Tensor:
    """Returns the mean continuous ranked probability score of each row, over its observed labels.

    See `ContinuousRankedProbabilityScore`. Also under the name `crps`.

    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[1.0, np.log(4.0)], [7.0, 0.0]]])  # means and log-variances
    >>> rows = keras_masked.losses.continuous_ranked_probability_score(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.4674]
    """
    formula = formulas.continuous_ranked_probability_score
    distribution = distributions.get(distribution)
    return row_values(formula, y_true, y_pred, missing, distribution=distribution)
