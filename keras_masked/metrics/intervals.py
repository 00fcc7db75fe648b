"""Scores, coverage and width of predicted intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_masked.distributions.lookup import get_if_any
from keras_masked.formulas import intervals as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import NAN, Missing
from keras_masked.validation import BOOLEAN, FRACTION, QUANTILES


@register
class IntervalScore(MeanMetric):
    r"""Mean of the interval scores of the observed labels: narrow, and around the label.

    $$M = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i w_i}, \quad
      s_i = u_i - l_i + \frac{2}{1 - c} \left[(l_i - y_i)_+ + (y_i - u_i)_+\right]$$

    with $l_i$ and $u_i$ the ends of the interval predicted for label $i$, $c$ the probability that
    it claims to have, $o_i$ 1 where the label is observed, else 0, and $w_i$ its weight. NaN where
    nothing is observed.

    Args:
        level: The probability $c$ of the central intervals, in (0, 1).
        distribution: `None` where two numbers are predicted for each label, the lower and the upper
            end. Else a `keras_masked.distributions.Distribution`, or its name: the ends are its
            quantiles.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, 2)`, or with the parameters of the distribution on its
    last axis; `y_true` `(batch, ..., labels)`, or with errors `(batch, ..., labels, 2)`, which
    widen a distribution. The result is a scalar.

    Raises:
        ValueError: If `level` is not in (0, 1), or the last axis of `y_pred` has another size.

    Example:

    >>> metric = keras_masked.metrics.IntervalScore(0.8)
    >>> y_true = np.array([[1.0, np.nan, 7.0]])
    >>> y_pred = np.array([[[0.0, 5.0], [0.0, 1.0], [0.0, 5.0]]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (5 + 5 + 2 / 0.2 * 2) / 2
    15.0

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation",
    equation 43.
    """

    formula = formulas.interval_score
    _direction = "down"

    admits = {"level": FRACTION}

    def __init__(
        self,
        level: float = 0.9,
        distribution: Any = None,
        name: str | None = "interval_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        options = {"level": level, "distribution": get_if_any(distribution)}
        super().__init__(name, dtype, missing=missing, **options)


@register
class WeightedIntervalScore(MeanMetric):
    r"""Mean of the weighted interval scores of the observed labels.

    $$M = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i w_i}, \quad
      s_i = \frac{1}{K + \frac 1 2} \left(\frac{|y_i - m_i|}{2}
            + \sum_{k=1}^K \frac{1 - c_k}{2} \, S_{c_k}(l_{ik}, u_{ik}, y_i)\right)$$

    with $m_i$ the median predicted for label $i$, $l_{ik}$ and $u_{ik}$ the ends of its $K$ central
    intervals of probabilities $c_k$, $S_c$ the interval score of `IntervalScore`, $o_i$ 1 where the
    label is observed, else 0, and $w_i$ its weight. NaN where nothing is observed.

    Args:
        levels: The probabilities $c_k$ of the central intervals, in (0, 1), increasing.
        distribution: `None` where quantiles are predicted for each label. Else a
            `keras_masked.distributions.Distribution`, or its name, whose quantiles they are.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, 2 K + 1)`: the quantiles in increasing order, from the
    lower end of the widest interval over the median to its upper end; or the parameters of the
    distribution on the last axis. `y_true` `(batch, ..., labels)`, or with errors
    `(batch, ..., labels, 2)`, which widen a distribution. The result is a scalar.

    Raises:
        ValueError: If levels are not in (0, 1) or do not increase, or the last axis of `y_pred` has
            another size.

    Example:

    >>> metric = keras_masked.metrics.WeightedIntervalScore([0.8])
    >>> y_true = np.array([[7.0, np.nan]])
    >>> y_pred = np.array([[[0.0, 3.0, 5.0], [0.0, 1.0, 2.0]]])  # quantiles 0.1, 0.5, 0.9
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (|7 - 3| / 2 + 0.1 * (5 + 10 * 2)) / 1.5
    3.0

    Source: Bracher et al. 2021, "Evaluating epidemic forecasts in an interval format", equation 1.
    """

    formula = formulas.weighted_interval_score
    _direction = "down"

    admits = {"levels": QUANTILES}

    def __init__(
        self,
        levels: Sequence[float],
        distribution: Any = None,
        name: str | None = "weighted_interval_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        options = {"levels": levels, "distribution": get_if_any(distribution)}
        super().__init__(name, dtype, missing=missing, **options)


@register
class IntervalCoverage(MeanMetric):
    r"""How many of the observed labels lie in the intervals predicted for them.

    $$M = \frac{\sum_i o_i w_i \, [q_i(\tfrac{1 - c}{2}) \le y_i \le q_i(\tfrac{1 + c}{2})]}
               {\sum_i o_i w_i}$$

    with $c$ the probability that the intervals claim to have, $q_i$ the quantiles of the
    distribution predicted for label $i$, $o_i$ 1 where the label is observed, else 0, and $w_i$ its
    weight. Equal to $c$ where the predicted distributions are right; less where they are too
    narrow. NaN where nothing is observed.

    Args:
        level: The probability $c$ of the central intervals, between 0 and 1.
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`, whose quantiles
            the ends are: `Quantiles` reads those that were predicted. `None` where two numbers are
            predicted for each label, the lower and the upper end.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends. Of what is no single value, the share of its range of
            probabilities that the interval holds: how probable it is that the label lies in it,
            given what is known. Only with a distribution.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or
    `(batch, ..., labels, 2)` with errors, which widen the intervals. With `censored=True`,
    `(batch, ..., labels, 2)`, or `(batch, ..., labels, 3)` with errors. The result is a scalar.

    Raises:
        ValueError: If `level` is not between 0 and 1, or `censored` without a distribution.

    Example:

    >>> metric = keras_masked.metrics.IntervalCoverage(level=0.9)
    >>> y_true = np.array([[1.0, 3.0, np.nan]])
    >>> y_pred = np.stack([[[0.0, 0.0, 0.0]], np.zeros((1, 3))], axis=-1)  # -1.645 to 1.645
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    0.5

    Source: Khosravi et al. 2011, "Comprehensive review of neural network-based prediction
    intervals", the prediction interval coverage probability.
    """

    formula = formulas.interval_covers

    admits = {"level": FRACTION, "censored": BOOLEAN}

    def __init__(
        self,
        level: float = 0.9,
        distribution: Any = "gaussian",
        name: str | None = "interval_coverage",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
        censored: bool = False,
    ) -> None:
        if censored and distribution is None:
            raise ValueError(
                "IntervalCoverage: argument `censored` needs a `distribution`: two numbers do not "
                "say where between its ends a label is likely to lie. Received: distribution=None"
            )
        options = {
            "level": level,
            "distribution": get_if_any(distribution),
            "censored": censored,
        }
        super().__init__(name, dtype, missing=missing, **options)


@register
class IntervalWidth(MeanMetric):
    r"""Mean width of the intervals predicted for the observed labels.

    $$M = \frac{\sum_i o_i w_i \, (u_i - l_i)}{\sum_i o_i w_i}$$

    with $l_i$ and $u_i$ the ends of the interval predicted for label $i$, $o_i$ 1 where the label
    is observed, else 0, and $w_i$ its weight. Of two models whose intervals cover as many labels,
    the one with the narrower intervals knows more. NaN where nothing is observed.

    Args:
        level: The probability of the central intervals, in (0, 1).
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`, whose quantiles
            the ends are; `None` where two numbers are predicted for each label, the lower and the
            upper end.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or with
    errors `(batch, ..., labels, 2)`, which widen a distribution. The result is a scalar.

    Raises:
        ValueError: If `level` is not in (0, 1), or the last axis of `y_pred` has another size.

    Example:

    >>> metric = keras_masked.metrics.IntervalWidth(0.9)
    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[0.0, 0.0], [0.0, 9.0]]])  # means and log-variances
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 3)  # 2 * 1.645
    3.29

    Source: Khosravi et al. 2011, "Comprehensive review of neural network-based prediction
    intervals", the mean prediction interval width.
    """

    formula = formulas.interval_width

    admits = {"level": FRACTION}

    def __init__(
        self,
        level: float = 0.9,
        distribution: Any = "gaussian",
        name: str | None = "interval_width",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        options = {"level": level, "distribution": get_if_any(distribution)}
        super().__init__(name, dtype, missing=missing, **options)
