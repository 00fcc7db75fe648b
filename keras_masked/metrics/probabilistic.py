"""Mean divergences and counts: Kullback-Leibler and Poisson."""

from __future__ import annotations

from keras_masked.formulas import probabilistic as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric


@register
class KLDivergence(MeanMetric):
    r"""Kullback-Leibler divergence of the predicted distributions from the observed ones.

    $$M = \frac{\sum_i o_i w_i \sum_c y_{ic} \log(y_{ic} / p_{ic})}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.KLDivergence()
    >>> y_true = np.array([[0.5, 0.5], [np.nan, np.nan]])
    >>> y_pred = np.array([[0.25, 0.75], [0.9, 0.1]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (log 2 + log(2 / 3)) / 2
    0.1438

    Source: `keras.metrics.KLDivergence`.
    """

    formula = formulas.kl_divergence
    _direction = "down"


@register
class Poisson(MeanMetric):
    r"""Mean Poisson loss over the observed labels.

    $$M = \frac{\sum_i o_i w_i (p_i - y_i \log p_i)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.Poisson()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 0.0]])
    >>> y_pred = np.array([[1.0, 7.0], [1.0, 3.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 1 + 3) / 3
    1.6667

    Source: `keras.metrics.Poisson`.
    """

    formula = formulas.poisson
    _direction = "down"
