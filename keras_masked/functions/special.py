"""Losses in which labels depend on each other, as functions: similarity, sets, sequences."""

from __future__ import annotations

from typing import Any

from keras_masked import formulas
from keras_masked.evaluation import row_values, with_mask
from keras_masked.functions.base import register_loss
from keras_masked.missing import CLASS_IDS, NAN, Missing, standardize_missing
from keras_masked.pairs import circle_values
from keras_masked.sequences import ctc_values
from keras_masked.sets import set_values

Tensor = Any


@register_loss
def cosine_similarity(
    y_true: Tensor, y_pred: Tensor, *, axis: int = -1, missing: Missing = NAN
) -> Tensor:
    """Returns the negative cosine of each vector, over its observed entries.

    See `CosineSimilarity`.

    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[3.0, 4.0, 9.0]])
    >>> rows = keras_masked.losses.cosine_similarity(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [-0.8]
    """
    return row_values(formulas.cosine_similarity, y_true, y_pred, missing, axis=axis)


@register_loss
def circle(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the circle loss of each anchor, 0 where its id is missing.

    See `Circle`. Anchors may be compared with reference embeddings instead of each other.

    >>> y_true = np.array([0, 1, -1])
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> rows = keras_masked.losses.circle(y_true, y_pred)  # no two rows of one class
    >>> [float(row) for row in rows]
    [0.0, 0.0, 0.0]
    """
    losses, seen = circle_values(
        y_true,
        y_pred,
        missing=standardize_missing(missing),
        ref_labels=ref_labels,
        ref_embeddings=ref_embeddings,
        remove_diagonal=remove_diagonal,
        gamma=gamma,
        margin=margin,
    )
    return with_mask(losses, seen)


@register_loss
def dice(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    axis: int | tuple[int, ...] | None = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns one minus the Dice coefficient of each set's observed labels.

    See `Dice`.

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> round(float(keras_masked.losses.dice(y_true, y_pred)), 4)
    0.25
    """
    return with_mask(
        *set_values(formulas.dice, y_true, y_pred, missing=standardize_missing(missing), axis=axis)
    )


@register_loss
def tversky(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | tuple[int, ...] | None = None,
    missing: Missing = NAN,
) -> Tensor:
    """Returns one minus the Tversky index of each set's observed labels.

    See `Tversky`.

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> round(float(keras_masked.losses.tversky(y_true, y_pred)), 4)
    0.25
    """
    return with_mask(
        *set_values(
            formulas.tversky,
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            axis=axis,
            alpha=alpha,
            beta=beta,
        )
    )


@register_loss
def ctc(y_true: Tensor, y_pred: Tensor, *, missing: Missing = CLASS_IDS) -> Tensor:
    """Returns the CTC loss of each sequence, 0 where it is missing.

    See `CTC`.

    >>> y_true = np.array([[1, 2], [-1, -1]])
    >>> rows = keras_masked.losses.ctc(y_true, np.zeros((2, 3, 3), "float32"))
    >>> [round(float(row), 4) for row in rows]
    [1.6864, 0.0]
    """
    return with_mask(*ctc_values(y_true, y_pred, missing=standardize_missing(missing)))
