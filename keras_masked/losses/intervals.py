"""Scores of predicted intervals: classes and functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_masked.distributions.lookup import get_if_any
from keras_masked.formulas import intervals as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import FRACTION, QUANTILES, Reduction

Tensor = Any


@register
class IntervalScore(FormulaLoss):
    r"""Mean of the interval scores of the observed labels: narrow, and around the label.

    $$L = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i}, \quad
      s_i = u_i - l_i + \frac{2}{1 - c} \left[(l_i - y_i)_+ + (y_i - u_i)_+\right]$$

    with $l_i$ and $u_i$ the ends of the interval predicted for label $i$, $c$ the probability that
    it claims to have, $o_i$ 1 where the label is observed, else 0, and $w_i$ its weight. In the
    units of the labels; least, on average, for the central interval of that probability.

    Args:
        level: The probability $c$ of the central intervals, in (0, 1).
        distribution: `None` where two numbers are predicted for each label, the lower and the upper
            end. Else a `keras_masked.distributions.Distribution`, or its name: the ends are its
            quantiles.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., labels, 2)`, or with the parameters of the distribution on its
    last axis; `y_true` `(batch, ..., labels)`, or with errors `(batch, ..., labels, 2)`, which
    widen a distribution. One row value each `(batch, ...)`.

    Raises:
        ValueError: If `level` is not in (0, 1), or the last axis of `y_pred` has another size.

    Example:

    >>> y_true = np.array([[1.0, np.nan, 7.0]])
    >>> y_pred = np.array([[[0.0, 5.0], [0.0, 1.0], [0.0, 5.0]]])
    >>> loss = keras_masked.losses.IntervalScore(0.8)
    >>> round(float(loss(y_true, y_pred)), 4)  # (5 + 5 + 2 / 0.2 * 2) / 2
    15.0

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation",
    equation 43.
    """

    formula = formulas.interval_score

    admits = {"level": FRACTION}

    def __init__(
        self,
        level: float = 0.9,
        distribution: Any = None,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "interval_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"level": level, "distribution": get_if_any(distribution)}
        super().__init__(reduction, name, dtype, **options, **masking)


@register
class WeightedIntervalScore(FormulaLoss):
    r"""Mean of the weighted interval scores of the observed labels.

    $$L = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i}, \quad
      s_i = \frac{1}{K + \frac 1 2} \left(\frac{|y_i - m_i|}{2}
            + \sum_{k=1}^K \frac{1 - c_k}{2} \, S_{c_k}(l_{ik}, u_{ik}, y_i)\right)$$

    with $m_i$ the median predicted for label $i$, $l_{ik}$ and $u_{ik}$ the ends of its $K$ central
    intervals of probabilities $c_k$, $S_c$ the interval score of `IntervalScore`, $o_i$ 1 where the
    label is observed, else 0, and $w_i$ its weight. In the units of the labels. With more and more
    intervals, evenly spaced, it becomes the continuous ranked probability score.

    Args:
        levels: The probabilities $c_k$ of the central intervals, in (0, 1), increasing.
        distribution: `None` where quantiles are predicted for each label. Else a
            `keras_masked.distributions.Distribution`, or its name, whose quantiles they are.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., labels, 2 K + 1)`: the quantiles in increasing order, from the
    lower end of the widest interval over the median to its upper end; or the parameters of the
    distribution on the last axis. `y_true` `(batch, ..., labels)`, or with errors
    `(batch, ..., labels, 2)`, which widen a distribution. One row value each `(batch, ...)`.

    Raises:
        ValueError: If levels are not in (0, 1) or do not increase, or the last axis of `y_pred` has
            another size.

    Example:

    >>> y_true = np.array([[7.0, np.nan]])
    >>> y_pred = np.array([[[0.0, 3.0, 5.0], [0.0, 1.0, 2.0]]])  # quantiles 0.1, 0.5, 0.9
    >>> loss = keras_masked.losses.WeightedIntervalScore([0.8])
    >>> round(float(loss(y_true, y_pred)), 4)  # (|7 - 3| / 2 + 0.1 * (5 + 10 * 2)) / 1.5
    3.0

    Source: Bracher et al. 2021, "Evaluating epidemic forecasts in an interval format", equation 1.
    """

    formula = formulas.weighted_interval_score

    admits = {"levels": QUANTILES}

    def __init__(
        self,
        levels: Sequence[float],
        distribution: Any = None,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "weighted_interval_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"levels": levels, "distribution": get_if_any(distribution)}
        super().__init__(reduction, name, dtype, **options, **masking)


@register
def interval_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    level: float = 0.9,
    distribution: Any = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean interval score of each row, over its observed labels.

    See `IntervalScore`.

    >>> y_true = np.array([[1.0, np.nan, 7.0]])
    >>> y_pred = np.array([[[0.0, 5.0], [0.0, 1.0], [0.0, 5.0]]])
    >>> rows = keras_masked.losses.interval_score(y_true, y_pred, level=0.8)
    >>> [round(float(row), 4) for row in rows]
    [15.0]
    """
    options = IntervalScore.checked(level=level)
    options["distribution"] = get_if_any(distribution)
    return row_values(formulas.interval_score, y_true, y_pred, missing, **options)


@register
def weighted_interval_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    levels: Sequence[float],
    distribution: Any = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the mean weighted interval score of each row, over its observed labels.

    See `WeightedIntervalScore`.

    >>> y_true = np.array([[7.0, np.nan]])
    >>> y_pred = np.array([[[0.0, 3.0, 5.0], [0.0, 1.0, 2.0]]])  # quantiles 0.1, 0.5, 0.9
    >>> rows = keras_masked.losses.weighted_interval_score(y_true, y_pred, levels=[0.8])
    >>> [round(float(row), 4) for row in rows]
    [3.0]
    """
    options = WeightedIntervalScore.checked(levels=levels)
    options["distribution"] = get_if_any(distribution)
    return row_values(formulas.weighted_interval_score, y_true, y_pred, missing, **options)
