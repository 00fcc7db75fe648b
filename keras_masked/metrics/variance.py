"""The share of the labels' variance that predictions explain, per column."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.metrics.moments import Moments
from keras_masked.metrics.r2 import R2Score
from keras_masked.missing import NAN, Missing

Tensor = Any


@register
class ExplainedVariance(R2Score):
    r"""Share of the variance of the observed labels that the predictions explain, of each column.

    $$V_c = 1 - \frac{\mathrm{Var}_c(y - p)}{\mathrm{Var}_c(y)}, \quad
      \mathrm{Var}_c(x) = \frac{\sum_i o_{ic} w_{ic} (x_{ic} - \bar x_c)^2}{\sum_i o_{ic} w_{ic}}$$

    with $o_{ic}$ 1 where label $i$ of column $c$ is observed, else 0, $w_{ic}$ its weight, and
    $\bar x_c$ the weighted mean over the observed labels of the column. Unlike `R2Score`, it does
    not see a constant bias. A column is undefined, NaN, with fewer than two observed labels, or
    where all are equal; the averages skip it.

    Args:
        class_aggregation: `"uniform_average"` over the defined columns,
            `"variance_weighted_average"`, or `None` for one value per column.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., columns)`, or `(batch,)` for one column.

    Raises:
        ValueError: On an unknown `class_aggregation`.

    Example:

    >>> metric = keras_masked.metrics.ExplainedVariance()
    >>> y_true = np.array([[1.0], [2.0], [np.nan], [3.0]])
    >>> y_pred = np.array([[2.0], [2.0], [9.0], [3.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1 - (2 / 9) / (2 / 3)
    0.6667

    Source: `sklearn.metrics.explained_variance_score`; `symjax.nn.losses.explained_variance`, which
    adds 1e-6 to the denominator.
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        name: str | None = "explained_variance",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(class_aggregation, 0, name, dtype, missing=missing)

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Moments:
        """Creates moments in the state of `owner`."""
        return owner.keep(Moments(owner, columns, joint=True))

    def score(self, state: Moments) -> Tensor:
        """The score of each column."""
        return 1 - ops.divide_no_nan(state.residual_variation, state.label_variation)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["num_regressors"]
        return config
