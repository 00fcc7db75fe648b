"""Medians of errors: classes and functions."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.constructors import check_options
from keras_masked.formulas import Formula
from keras_masked.formulas.signed import signed_error
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.metrics.columns import ColumnMetric, in_columns
from keras_masked.metrics.median_states import Bins, Slots, check_replicas
from keras_masked.metrics.median_values import NORMAL, row_median
from keras_masked.metrics.moments import flat
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    observe,
    standardize_missing,
    with_row_mask,
)
from keras_masked.validation import optional, whole

Tensor = Any


MOST = 2**24 - 1
"""The greatest capacity: labels are counted in float32, in which 2^24 + 1 is 2^24."""


class Median(ColumnMetric):
    """Base class: a multiple of the median of errors, or of their magnitudes."""

    formula: Formula = signed_error
    """The errors."""
    signed = False
    """Whether errors have a sign."""
    scale = 1.0

    admits = {"capacity": optional(whole(f"an integer from 1 to {MOST}", 1, MOST))}

    def __init__(
        self, name: str | None, dtype: Any, *, capacity: int | None, missing: Missing
    ) -> None:
        super().__init__(name, dtype, missing=missing, capacity=capacity)

    def new_state(self, owner: MaskedMetric, columns: int | None) -> Any:
        """Creates bins or slots in the state of `owner`."""
        capacity = self._options["capacity"]
        if capacity is None:
            return owner.keep(Bins(owner, self.signed, columns))
        return owner.keep(Slots(owner, capacity, columns))

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError`: medians keep bins or values, not sums."""
        raise ValueError(
            "A median keeps 65536 bins or all values for each way to count rows, which is too "
            f"much. Received: metric={self!r}. Take `MeanAbsoluteError`, or its root of squares."
        )

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """What the state takes of a batch."""
        check_replicas(self._options["capacity"])
        arrange = in_columns if per_column else flat
        errors = self.formula(arrange(seen.y_true), arrange(seen.y_pred))
        weights = arrange(seen.weights)
        # Weights of opposite signs must not cancel where a prediction has diverged.
        weights = ops.where(ops.isnan(errors), ops.abs(weights), weights)
        return state.collect(errors if self.signed else ops.abs(errors), weights)

    def score(self, state: Any) -> Tensor:
        """The median so far."""
        return state.median * self.scale

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed."""
        return ops.not_equal(state.weight, 0)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.weight


@register
class MedianError(Median):
    r"""Median of the errors of all observed labels: the bias that outliers do not move.

    $$M = \mathrm{median}\{p_i - y_i : o_i = 1\}$$

    Each label counts with its weight: the median is the least value that has half of the weight up
    to it, or the mean of it and the next if that is half exactly. With integer weights it is that
    of repeated labels. NaN where nothing is observed.

    By default, errors are rounded to bfloat16 and counted in 65536 bins, of which two numbers each
    are kept, 512 KiB in all (of each column, in `PerLabel`). That moves an error by a relative
    $2^{-8}$ at most, and so the median; where it is the mean of two errors, each of these. Of
    numbers that bfloat16 has, such as multiples of 1/8 below 16, the median is exact. `capacity`
    keeps the errors themselves, for a median that is always exact.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        capacity: How many errors to keep (of each column, in `PerLabel`), with their weights. As
            soon as more labels than that have been observed, the result is NaN. By default, errors
            are counted in bins.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch, which
            only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.MedianError()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 3.0]])
    >>> y_pred = np.array([[2.0, 9.0], [1.5, 9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 1, -0.5 and 6
    1.0

    Source: Huber, Robust Statistics (1981).
    """

    signed = True

    def __init__(
        self,
        name: str | None = "median_error",
        dtype: Any = None,
        *,
        capacity: int | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, capacity=capacity, missing=missing)


@register
class MedianAbsoluteDeviation(Median):
    r"""Median of the absolute errors of all observed labels, which outliers do not move.

    $$M = \mathrm{median}\{|p_i - y_i| : o_i = 1\}$$

    The errors are not centred: a constant bias counts. Weights, bins and `capacity` are as in
    `MedianError`, with 32768 bins, 256 KiB. NaN where nothing is observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        capacity: How many errors to keep (of each column, in `PerLabel`), for an exact median;
            NaN once there are more. By default, errors are counted in bins, for a median that is
            wrong by a relative $2^{-8}$ at most.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch, which
            only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.MedianAbsoluteDeviation()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 3.0]])
    >>> y_pred = np.array([[2.0, 9.0], [1.5, 9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # of 1, 0.5 and 6
    1.0

    Source: Huber, Robust Statistics (1981).
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "median_absolute_deviation",
        dtype: Any = None,
        *,
        capacity: int | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, capacity=capacity, missing=missing)


@register
class MADStandardDeviation(Median):
    r"""Standard deviation of normal errors, from the median of the absolute ones.

    $$S = 1.4826 \, \mathrm{median}\{|p_i - y_i| : o_i = 1\}, \quad
      1.4826 \approx 1 / \Phi^{-1}(3/4)$$

    With errors that are normal about 0, this estimates their standard deviation, though nearly
    half of the labels may be outliers: half of all normal values are within 0.6745 standard
    deviations. All else is as in `MedianAbsoluteDeviation`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        capacity: How many errors to keep (of each column, in `PerLabel`), for an exact median;
            NaN once there are more. By default, errors are counted in bins, for a median that is
            wrong by a relative $2^{-8}$ at most.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch, which
            only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.MADStandardDeviation()
    >>> y_true = np.array([[1.0, np.nan], [2.0, 3.0]])
    >>> y_pred = np.array([[3.0, 9.0], [1.5, 9.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1.4826 * 2
    2.9652

    Source: Rousseeuw and Croux, Alternatives to the Median Absolute Deviation (1993).
    """

    _direction = "down"
    scale = NORMAL

    def __init__(
        self,
        name: str | None = "mad_std",
        dtype: Any = None,
        *,
        capacity: int | None = None,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, capacity=capacity, missing=missing)


@register
def median_error(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median of p - y over the observed labels along an axis; 0 where there is none.

    `axis=-1` takes that of each row, `axis=0` that of each column, `axis=None` that of all labels.
    See `MedianError`, which has the one of the whole data.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, 5.0]])
    >>> y_pred = np.array([[2.0, 2.0, 9.0, 7.0], [0.0, 9.0, 9.0, 8.0]])
    >>> [float(row) for row in keras_masked.metrics.median_error(y_true, y_pred)]
    [1.0, 1.0]
    """
    return median_along(y_true, y_pred, axis, missing, signed=True)


@register
def median_absolute_deviation(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the median absolute error of observed labels along an axis; 0 where there is none.

    See `MedianAbsoluteDeviation`, and `median_error` for `axis`.

    >>> y_true = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, np.nan, np.nan, 5.0]])
    >>> y_pred = np.array([[2.0, 2.0, 9.0, 7.0], [0.0, 9.0, 9.0, 8.0]])
    >>> [float(row) for row in keras_masked.metrics.median_absolute_deviation(y_true, y_pred)]
    [1.0, 2.0]
    """
    return median_along(y_true, y_pred, axis, missing)


@register
def mad_std(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = -1, missing: Missing = NAN
) -> Tensor:
    """Returns 1.4826 times `median_absolute_deviation`: a standard deviation, of normal errors.

    See `MADStandardDeviation`.

    >>> y_true = np.array([1.0, 2.0, np.nan, 4.0])
    >>> y_pred = np.array([3.0, 2.0, 9.0, 7.0])
    >>> round(float(keras_masked.metrics.mad_std(y_true, y_pred)), 4)  # 1.4826 * 2
    2.9652
    """
    return median_along(y_true, y_pred, axis, missing, scale=NORMAL)


def median_along(
    y_true: Tensor,
    y_pred: Tensor,
    axis: int | None,
    missing: Missing,
    signed: bool = False,
    scale: float = 1.0,
    formula: Formula = signed_error,
) -> Tensor:
    """The median of errors, or of their magnitudes, along an axis."""
    # A Keras mask has the axes of the labels as they are: they are moved only after that.
    seen = observe(y_true, y_pred, missing=standardize_missing(missing))
    errors = formula(seen.y_true, seen.y_pred)
    if not signed:
        errors = ops.abs(errors)
    hidden = None if seen.hidden is None else seen.hidden()
    rank = len(errors.shape)
    of_labels = whole(
        f"an integer from {-rank} to {rank - 1}, an axis of the labels", -rank, rank - 1
    )
    axis = check_options({"axis": optional(of_labels)}, axis=axis)["axis"]

    def arrange(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1,)) if axis is None else ops.moveaxis(x, axis, -1)

    median, some = row_median(arrange(errors), None if hidden is None else arrange(hidden))
    return with_row_mask(median * scale, some, seen.dtype)
