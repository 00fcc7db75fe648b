"""The coefficient of determination, per column."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.base import MaskedMetric, defined_mean, ratio, register
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.moments import Moments
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import CLASS_ID, Aggregation, one_of

Tensor = Any

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@register
class R2Score(ColumnMetric):
    r"""Coefficient of determination over the observed labels of each column.

    $$R^2_c = 1 - \frac{\sum_i o_{ic} w_{ic} (y_{ic} - p_{ic})^2}
                       {\sum_i o_{ic} w_{ic} (y_{ic} - \bar y_c)^2}$$

    with $\bar y_c$ the weighted mean of the observed labels of column $c$. A column is undefined,
    NaN, with fewer than two observed labels, or where all are equal; the averages skip it.

    With `num_regressors` = $k$ the result is adjusted per column, with its $n_c$ observed labels:
    $1 - (1 - R^2_c)(n_c - 1)/(n_c - k - 1)$, and left as it is where $n_c \le k + 1$.

    Args:
        class_aggregation: `"uniform_average"` over the defined columns,
            `"variance_weighted_average"`, or `None` for one value per column.
        num_regressors: Number of independent regressors of the adjusted score; 0 for the
            standard one.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., columns)`, or `(batch,)` for one column.

    Raises:
        ValueError: On an unknown `class_aggregation` or a negative `num_regressors`.

    Example:

    >>> metric = keras_masked.metrics.R2Score()
    >>> y_true = np.array([[1.0], [4.0], [np.nan], [3.0]])
    >>> y_pred = np.array([[2.0], [4.0], [9.0], [4.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.5714

    Source: `keras.metrics.R2Score`; `sklearn.metrics.r2_score`.
    """

    per_column = True
    _direction = "up"

    refuses = {
        "censored": "labels that are bounds have no variance that it could be a share of. Use "
        "`MeanSquaredError(censored=True)`, or the `NegativeLogLikelihood` of a distribution."
    }
    admits = {"class_aggregation": one_of(*AGGREGATIONS), "num_regressors": CLASS_ID}

    def __init__(
        self,
        class_aggregation: Aggregation = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing,
            class_aggregation=class_aggregation,
            num_regressors=num_regressors,
        )

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Moments:
        """Creates moments in the state of `owner`."""
        return owner.keep(Moments(owner, columns, joint=False))

    def collect(self, seen: Observation, state: Moments, per_column: bool) -> Tensor:
        """The moments of a batch."""
        return state.collect(seen)

    def score(self, state: Moments) -> Tensor:
        """The score of each column."""
        score = 1 - ratio(state.residual, state.label_variation)
        if self.num_regressors:
            labels = state.count
            freedom = labels - self.num_regressors - 1
            adjusted = 1 - (1 - score) * (labels - 1) / _backend.maximum(
                freedom, ops.ones_like(freedom)
            )
            score = ops.where(freedom > 0, adjusted, score)
        return score

    def defined(self, state: Moments) -> Tensor:
        """Whether there are two labels that differ, or a diverged prediction."""
        differ = ops.not_equal(state.label_variation, 0)
        return ops.logical_or(differ, ops.isnan(state.residual))

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over the defined columns, or all of them."""
        if self.class_aggregation is None:
            return scores
        uniform = self.class_aggregation == "uniform_average"
        weights = ops.ones_like(scores) if uniform else self._state.label_variation
        return defined_mean(scores, weights, defined)

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns."""
        return bool(self.class_aggregation == "uniform_average")

    def support_of(self, state: Moments) -> Tensor:
        """The sum of weights, or the number of observed labels, of each column."""
        return state.weight
