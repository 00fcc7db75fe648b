"""Correlations, as functions: one value per row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_masked.evaluation import with_row_mask
from keras_masked.formulas.correlation import concordance, pearson, row_moments
from keras_masked.functions.base import register_metric
from keras_masked.missing import NAN, Missing, standardize_missing
from keras_masked.observation import observe

Tensor = Any


@register_metric
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


@register_metric
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
    seen = observe(y_true, y_pred, missing=standardize_missing(missing), axis=axis)
    hidden = None if seen.hidden is None else seen.hidden()
    values, defined = correlate(*row_moments(seen.y_true, seen.y_pred, hidden, None))
    return with_row_mask(ops.where(defined, values, ops.zeros_like(values)), defined, seen.dtype)
