"""Mean errors that grow only linearly where they are large."""

from __future__ import annotations

from keras_masked.formulas import robust as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric


@register
class LogCoshError(MeanMetric):
    r"""Mean logarithm of the hyperbolic cosine of the differences.

    $$M = \frac{\sum_i o_i w_i \log \cosh(p_i - y_i)}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.LogCoshError()
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 4.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # log(cosh(1)) / 3
    0.1446

    Source: `keras.metrics.LogCoshError`.
    """

    default_name = "logcosh"
    formula = formulas.log_cosh
    _direction = "down"
