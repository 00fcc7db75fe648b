"""Correlations of labels and predictions: classes and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked.constructors import check_options
from keras_masked.formulas import NUMBER, concordance, pearson, row_moments
from keras_masked.metrics.base import MaskedMetric, defined_mean, ratio, register
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.moments import Moments
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    observe,
    standardize_missing,
    with_row_mask,
)
from keras_masked.validation import INTEGER, optional

Tensor = Any


class Correlation(ColumnMetric):
    """Base class: a function of the moments of labels and predictions.

    Of each row, whose values are then averaged, or of the whole data: of each column apart, or
    all together. A subclass sets `correlate`.
    """

    correlate: Callable[..., tuple[Tensor, Tensor]]
    _direction = "up"

    admits = {"axis": optional(INTEGER)}

    def __init__(self, name: str | None, dtype: Any, axis: int | None, missing: Missing) -> None:
        self.per_column = axis == 0
        self._over_rows = axis not in (None, 0)
        super().__init__(name, dtype, missing=missing, axis=axis)

    @property
    def last_axis(self) -> int:
        """The axis along which rows lie."""
        axis: int = self._options["axis"] if self._over_rows else -1
        return axis

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Of rows: the weighted sum of their values, the sum of weights, and that of labels."""
        return (3,)

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Any:
        """Creates moments, or sums over rows, in the state of `owner`."""
        if self._over_rows and columns is None:
            return owner.accumulator(self.sums_shape)
        return owner.keep(Moments(owner, columns, joint=True))

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The moments of a batch, or the sums over its rows."""
        if not isinstance(state, Moments):
            return self._collect_rows(seen)
        return state.collect(seen)

    def _collect_rows(self, seen: Observation) -> Tensor:
        shape = tuple(seen.y_pred.shape)
        if len(shape) < 2 or shape[-1] == 1:
            raise ValueError(
                "The correlation of a row needs two labels or more. Pass `axis=0` for that of each "
                "column over all the data, or `axis=None` for that of all labels. Received: "
                f"axis={self._options['axis']}, y_pred.shape={shape}"
            )
        hidden = None if seen.hidden is None else seen.hidden()
        moments = row_moments(seen.y_true, seen.y_pred, hidden, seen.weight)
        values, defined = self.correlate(*moments)
        zeros, of_row = ops.zeros_like(values), ops.ones_like(values)
        weight = ops.sum(moments[-1])
        if seen.weight is not None:
            labels = ops.where(ops.equal(moments[-1], 0), of_row, moments[-1])
            of_row = ops.sum(seen.weight, axis=-1) / labels
            weight = ops.sum(seen.weight)
        of_row = ops.where(defined, of_row, zeros)
        weighted = ops.where(defined, values * of_row, zeros)
        return ops.stack([ops.sum(weighted), ops.sum(of_row), weight])

    def score(self, state: Any) -> Tensor:
        """The mean over the rows, or the value of the data, or of each column."""
        if not isinstance(state, Moments):
            sums = state.value
            return ratio(sums[0], sums[1])
        return self._of_data(state)[0]

    def defined(self, state: Any) -> Tensor:
        """Whether there are two labels that differ, a row with such, or a diverged prediction."""
        if not isinstance(state, Moments):
            sums = state.value
            return ops.logical_or(ops.not_equal(sums[1], 0), ops.isnan(sums[0]))
        return self._of_data(state)[1]

    def _of_data(self, state: Moments) -> tuple[Tensor, Tensor]:
        return self.correlate(
            state.label_variation,
            state.prediction_variation,
            state.covariation,
            state.weight,
            state.bias,
            state.count,
        )

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError` where rows have a correlation of their own."""
        if self._over_rows and not per_label:
            raise ValueError(
                "Rows cannot be counted by themselves where each has a correlation of its own. "
                "Pass `axis=0` for that of each column over all the data, or `axis=None` for that "
                f"of all labels. Received: axis={self._options['axis']}"
            )

    @property
    def is_mean_of_columns(self) -> bool:
        """Whether the value is the mean over the columns."""
        return self.per_column

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over the defined columns."""
        return defined_mean(scores, ops.ones_like(scores), defined)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        if not isinstance(state, Moments):
            return state.value[2]
        return state.weight


@register
class PearsonCorrelation(Correlation):
    r"""Pearson's correlation coefficient of the observed labels.

    $$r = \frac{\sum_i o_i w_i (y_i - \bar y)(p_i - \bar p)}
              {\sqrt{\sum_i o_i w_i (y_i - \bar y)^2 \; \sum_i o_i w_i (p_i - \bar p)^2}}$$

    with the weighted means $\bar y$ and $\bar p$ over the observed labels. As in Keras it is by
    default that of each row, averaged; with `axis=0` that of each column over the whole data, and
    with `axis=None` that of all labels of the whole data, however it is split into batches.

    Undefined where fewer than two labels are observed, or all are equal: such rows and columns
    leave the mean, which is NaN if all do. NaN, as in Keras, where the predictions are all equal.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: The axis along which each row lies, `0` for columns over the whole data, `None` for
            all labels. In `PerLabel`, each column is taken over the whole data.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If a row has a single label.

    Example:

    >>> metric = keras_masked.metrics.PearsonCorrelation(axis=0)
    >>> y_true = np.array([[1.0], [2.0], [np.nan], [4.0]])
    >>> y_pred = np.array([[1.0], [3.0], [9.0], [4.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.9286

    Source: `keras.metrics.PearsonCorrelation`; `scipy.stats.pearsonr`.
    """

    correlate = staticmethod(pearson)

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: Any = None,
        axis: int | None = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, axis, missing)


@register
class ConcordanceCorrelation(Correlation):
    r"""Lin's concordance correlation coefficient of the observed labels.

    $$\rho_c = \frac{2 \sum_i o_i w_i (y_i - \bar y)(p_i - \bar p)}
                    {\sum_i o_i w_i \left[(y_i - \bar y)^2 + (p_i - \bar p)^2
                     + (\bar y - \bar p)^2\right]}$$

    with the weighted means $\bar y$ and $\bar p$ over the observed labels. As in Keras it is by
    default that of each row, averaged; with `axis=0` that of each column over the whole data, and
    with `axis=None` that of all labels of the whole data, however it is split into batches.

    Undefined where fewer than two labels are observed, or all labels and predictions are equal:
    such rows and columns leave the mean, which is NaN if all do.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: The axis along which each row lies, `0` for columns over the whole data, `None` for
            all labels. In `PerLabel`, each column is taken over the whole data.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If a row has a single label.

    Example:

    >>> metric = keras_masked.metrics.ConcordanceCorrelation(axis=0)
    >>> y_true = np.array([[1.0], [2.0], [np.nan], [4.0]])
    >>> y_pred = np.array([[1.0], [3.0], [9.0], [4.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    0.8966

    Source: `keras.metrics.ConcordanceCorrelation`; Lin 1989, equation 2.
    """

    correlate = staticmethod(concordance)

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: Any = None,
        axis: int | None = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, axis, missing)


@register
def pearson_correlation(
    y_true: Tensor, y_pred: Tensor, *, axis: int = -1, missing: Missing = NAN
) -> Tensor:
    """Returns Pearson's correlation coefficient of each row, 0 where it is undefined.

    See `PearsonCorrelation`.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[1.0, 3.0, 9.0, 4.0], [2.0, 3.0, 4.0, 5.0]])
    >>> rows = keras_masked.metrics.pearson_correlation(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.9286, 0.0]
    """
    return _of_rows(pearson, y_true, y_pred, axis, missing)


@register
def concordance_correlation(
    y_true: Tensor, y_pred: Tensor, *, axis: int = -1, missing: Missing = NAN
) -> Tensor:
    """Returns Lin's concordance correlation coefficient of each row, 0 where it is undefined.

    See `ConcordanceCorrelation`.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[1.0, 3.0, 9.0, 4.0], [2.0, 3.0, 4.0, 5.0]])
    >>> rows = keras_masked.metrics.concordance_correlation(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.8966, 0.0]
    """
    return _of_rows(concordance, y_true, y_pred, axis, missing)


def _of_rows(
    correlate: Callable[..., tuple[Tensor, Tensor]],
    y_true: Tensor,
    y_pred: Tensor,
    axis: int,
    missing: Missing,
) -> Tensor:
    label = NUMBER.along(check_options({"axis": INTEGER}, axis=axis)["axis"])
    seen = observe(y_true, y_pred, None, label, missing=standardize_missing(missing))
    hidden = None if seen.hidden is None else seen.hidden()
    values, defined = correlate(*row_moments(seen.y_true, seen.y_pred, hidden, None))
    return with_row_mask(ops.where(defined, values, ops.zeros_like(values)), defined, seen.dtype)
