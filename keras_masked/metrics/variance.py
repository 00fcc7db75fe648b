"""Explained variance: class and function."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.constructors import check_options
from keras_masked.formulas import row_moments
from keras_masked.metrics.base import MaskedMetric, ratio, register
from keras_masked.metrics.moments import Moments
from keras_masked.metrics.r2 import R2Score
from keras_masked.observation import NAN, Missing, observe, standardize_missing, with_row_mask
from keras_masked.validation import INTEGER, NON_NEGATIVE, Aggregation, optional

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
        class_aggregation: Aggregation = "uniform_average",
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
        return 1 - ratio(state.residual_variation, state.label_variation)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["num_regressors"]
        return config


@register
def explained_variance(
    y_true: Tensor,
    y_pred: Tensor,
    axis: int | None = None,
    epsilon: float = 1e-6,
    *,
    missing: Missing = NAN,
) -> Tensor:
    """Returns 1 - Var(y - p) / (Var(y) + epsilon) of observed labels, all or along an axis.

    0, with a Keras mask, where nothing is observed, or with `epsilon=0` where labels do not vary.

    See `ExplainedVariance`, which has one value per column of the whole data (`axis=0` here).

    >>> y_true = np.array([1.0, 2.0, 3.0, np.nan])
    >>> y_pred = np.array([2.0, 2.0, 3.0, 9.0])
    >>> round(float(keras_masked.metrics.explained_variance(y_true, y_pred)), 4)  # 1 - 1 / 3
    0.6667
    """
    checks = {"axis": optional(INTEGER), "epsilon": NON_NEGATIVE}
    axis, epsilon = check_options(checks, axis=axis, epsilon=epsilon).values()
    # A Keras mask has the axes of the labels as they are: they are moved only after that.
    seen = observe(y_true, y_pred, missing=standardize_missing(missing))

    def arrange(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1,)) if axis is None else ops.moveaxis(x, axis, -1)

    y_true, y_pred = arrange(seen.y_true), arrange(seen.y_pred)
    hidden = None if seen.hidden is None else arrange(seen.hidden())
    of_labels, of_residuals, _, _, _, labels = row_moments(y_true, y_true - y_pred, hidden, None)
    of_labels = of_labels + epsilon * labels
    constant = ops.equal(of_labels, 0)
    share = of_residuals / ops.where(constant, ops.ones_like(of_labels), of_labels)
    # NaN of a diverged prediction is shown in any case.
    defined = ops.logical_or(ops.logical_not(constant), ops.isnan(share))
    return with_row_mask(
        ops.where(defined, 1.0 - share, ops.zeros_like(share)), defined, seen.dtype
    )
