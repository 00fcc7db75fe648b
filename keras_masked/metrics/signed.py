"""Means of errors that keep their sign."""

from __future__ import annotations

from keras_masked.formulas import signed as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric


@register
class MeanError(MeanMetric):
    r"""Mean of the differences over the observed labels: the bias.

    $$M = \frac{\sum_i o_i w_i (p_i - y_i)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed. Positive where predictions are too large; `MeanPercentageError` has the other sign.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.MeanError()
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 0 + 2) / 3
    1.0

    Source: Jolliffe and Stephenson 2012, Forecast Verification; astroNN, `mean_error`.
    """

    formula = formulas.signed_error


@register
class MeanPercentageError(MeanMetric):
    r"""Mean of the differences in percent of the label, over the observed labels.

    $$M = \frac{\sum_i o_i w_i \, 100 (y_i - p_i) / y_i}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed. Labels nearer to 0 than `keras.config.epsilon()` are taken for that, with the sign
    that they have. Negative where predictions of positive labels are too large: the other sign
    than that of `MeanError`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar, in percent.

    Example:

    >>> metric = keras_masked.metrics.MeanPercentageError()
    >>> y_true = np.array([[1.0, np.nan], [4.0, -4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, -6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (-100 + 25 - 50) / 3
    -41.6667

    Source: astroNN, `mean_percentage_error`, the equation of its page.
    """

    formula = formulas.signed_percentage_error
