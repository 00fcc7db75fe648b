"""The coefficient of determination, per column."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.metrics.base import MaskedMetric, ratio, register
from keras_masked.missing import NAN, Missing
from keras_masked.observation import compute_dtype

Tensor = Any

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@register
class R2Score(MaskedMetric):
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

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        if class_aggregation not in AGGREGATIONS:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{AGGREGATIONS}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        super().__init__(
            name,
            dtype,
            missing=missing,
            class_aggregation=class_aggregation,
            num_regressors=num_regressors,
        )
        self._columns: int | None = None

    def _build(self, columns: int) -> None:
        if self._columns == columns:
            return
        if self._columns is not None:
            raise ValueError(
                f"`y_true` must have the same number of columns in every batch. Received {columns} "
                f"columns after {self._columns}."
            )
        self._columns = columns
        # Labels are summed as differences from one label of their own column: squares of
        # 1e6 + noise would leave nothing of the noise in float32.
        self._origin = self.add_variable(
            (columns,), "zeros", dtype=compute_dtype(self.dtype), name="origin"
        )
        self._residual = self.accumulator("residual", (columns,))
        self._sum = self.accumulator("sum", (columns,))
        self._squares = self.accumulator("squared_sum", (columns,))
        self._weight = self.accumulator("weight", (columns,))
        self._labels = self.accumulator("count", (columns,))

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self.observe(y_true, y_pred, sample_weight)
        columns = seen.y_pred.shape[-1] if len(seen.y_pred.shape) > 1 else 1
        self._build(columns)

        def by_column(x: Tensor) -> Tensor:
            return ops.reshape(x, (-1, columns))

        y_true, y_pred = by_column(seen.y_true), by_column(seen.y_pred)
        zeros = ops.zeros_like(y_true)
        if seen.weight is not None:
            weight = by_column(seen.weight)
        elif seen.observed is not None:
            weight = ops.cast(by_column(seen.observed), y_true.dtype)
        else:
            weight = ops.ones_like(y_true)
        counts = ops.not_equal(weight, 0)

        first = ops.argmax(ops.cast(counts, "int32"), axis=0)
        first = ops.take_along_axis(y_true, ops.expand_dims(first, 0), axis=0)[0]
        new = ops.logical_and(ops.equal(self._labels.value, 0), ops.any(counts, axis=0))
        origin = ops.convert_to_tensor(self._origin)
        origin = ops.where(new, ops.cast(first, origin.dtype), origin)
        self._origin.assign(origin)

        deviation = ops.where(counts, y_true - origin, zeros)
        residual = ops.where(counts, y_true - y_pred, zeros)
        self._residual.add(ops.sum(weight * ops.square(residual), axis=0))
        self._sum.add(ops.sum(weight * deviation, axis=0))
        self._squares.add(ops.sum(weight * ops.square(deviation), axis=0))
        self._weight.add(ops.sum(weight, axis=0))
        self._labels.add(ops.sum(ops.cast(counts, "float32"), axis=0))

    def result(self) -> Tensor:
        """Returns the score over everything observed so far."""
        if self._columns is None:
            return ops.convert_to_tensor(float("nan"), dtype=self.dtype)
        weight = self._weight.value
        weight = ops.where(ops.equal(weight, 0), ops.ones_like(weight), weight)
        total = self._squares.value - ops.square(self._sum.value) / weight
        score = 1 - ratio(self._residual.value, total)
        if self.num_regressors:
            labels = self._labels.value
            freedom = labels - self.num_regressors - 1
            adjusted = 1 - (1 - score) * (labels - 1) / ops.maximum(freedom, ops.ones_like(freedom))
            score = ops.where(freedom > 0, adjusted, score)
        if self.class_aggregation is not None:
            weights = ops.ones_like(total)
            if self.class_aggregation == "variance_weighted_average":
                weights = total
            score = defined_mean(score, weights, defined=ops.not_equal(total, 0))
        return ops.cast(score, self.dtype)

    def support(self) -> Tensor:
        """Returns the sum of weights, or the number of observed labels, of each column."""
        if self._columns is None:
            return ops.zeros((1,))
        return self._weight.value


def defined_mean(values: Tensor, weights: Tensor, defined: Tensor) -> Tensor:
    """Weighted mean over what is defined; a NaN there, of a diverged prediction, stays."""
    zeros = ops.zeros_like(values)
    weights = ops.where(defined, weights, zeros)
    return ratio(ops.sum(ops.where(defined, values * weights, zeros)), ops.sum(weights))
