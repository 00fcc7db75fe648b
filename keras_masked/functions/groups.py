"""Losses of groups of labels, as functions: the root of a mean, or a sum."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import with_mask
from keras_masked.formulas.weighted import check_gamma
from keras_masked.functions.base import register_loss
from keras_masked.groups import group_values, root, total
from keras_masked.missing import NAN, Missing, standardize_missing

Tensor = Any


@register_loss
def root_mean_squared_error(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    axis: int | tuple[int, ...] | None = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the root of the mean squared error of each set, over its observed labels.

    See `RootMeanSquaredError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> round(float(keras_masked.losses.root_mean_squared_error(y_true, y_pred)), 4)
    1.291
    """
    return with_mask(
        *group_values(
            formulas.squared_error,
            root,
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            axis=axis,
        )
    )


@register_loss
def sigmoid_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the focal cross-entropy of each row, summed over its observed labels.

    See `SigmoidFocalCrossEntropy`.

    >>> y_true = np.array([[1.0, 1.0, np.nan], [0.0, np.nan, np.nan]])
    >>> y_pred = np.array([[0.97, 0.91, 0.5], [0.03, 0.5, 0.5]])
    >>> rows = keras_masked.losses.sigmoid_focal_crossentropy(y_true, y_pred)
    >>> [round(float(row), 7) for row in rows]
    [0.0001978, 2.06e-05]
    """
    return with_mask(
        *group_values(
            formulas.sigmoid_focal_crossentropy,
            total,
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            axis=-1,
            from_logits=from_logits,
            alpha=alpha,
            gamma=check_gamma(gamma),
        )
    )
