"""Explained variance, as a function."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.evaluation import with_row_mask
from keras_masked.formulas.correlation import row_moments
from keras_masked.functions.base import register_metric
from keras_masked.missing import NAN, Missing, standardize_missing
from keras_masked.observation import observe

Tensor = Any


@register_metric
def explained_variance(
    y_true: Tensor, y_pred: Tensor, *, axis: int | None = None, missing: Missing = NAN
) -> Tensor:
    """Returns 1 - Var(y - p) / Var(y) of all observed labels, or along an axis; 0 where undefined.

    See `ExplainedVariance`, which has one value per column of the whole data (`axis=0` here).

    >>> y_true = np.array([1.0, 2.0, 3.0, np.nan])
    >>> y_pred = np.array([2.0, 2.0, 3.0, 9.0])
    >>> round(float(keras_masked.metrics.explained_variance(y_true, y_pred)), 4)  # 1 - 1 / 3
    0.6667
    """
    # A Keras mask has the axes of the labels as they are: they are moved only after that.
    seen = observe(y_true, y_pred, missing=standardize_missing(missing))

    def arrange(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1,)) if axis is None else ops.moveaxis(x, axis, -1)

    y_true, y_pred = arrange(seen.y_true), arrange(seen.y_pred)
    hidden = None if seen.hidden is None else arrange(seen.hidden())
    of_labels, of_residuals, *_ = row_moments(y_true, y_true - y_pred, hidden, None)
    defined = ops.not_equal(of_labels, 0)
    share = of_residuals / ops.where(defined, of_labels, ops.ones_like(of_labels))
    return with_row_mask(
        ops.where(defined, 1.0 - share, ops.zeros_like(share)), defined, seen.dtype
    )
