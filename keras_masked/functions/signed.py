"""Errors that keep their sign, and what else astroNN's page has, as functions."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend, formulas
from keras_masked.evaluation import row_values
from keras_masked.functions.base import register_loss
from keras_masked.missing import (
    NAN,
    Missing,
    find_missing,
    reject_masked_arrays,
    standardize_missing,
)

Tensor = Any


@register_loss
def mean_error(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the mean of p - y of each row, over its observed labels: the bias.

    See `MeanError`. Positive where predictions are too large, unlike `mean_percentage_error`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.mean_error(y_true, y_pred)
    >>> [float(row) for row in rows]
    [1.0, 1.0]
    """
    return row_values(formulas.signed_error, y_true, y_pred, missing)


@register_loss
def mean_percentage_error(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the mean of 100 (y - p) / y of each row, over its observed labels.

    See `MeanPercentageError`. Negative where predictions of positive labels are too large, unlike
    `mean_error`.

    >>> y_true = np.array([[1.0, np.nan], [4.0, -4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, -6.0]])
    >>> rows = keras_masked.losses.mean_percentage_error(y_true, y_pred)
    >>> [float(row) for row in rows]  # -100 and (25 - 50) / 2
    [-100.0, -12.5]
    """
    return row_values(formulas.signed_percentage_error, y_true, y_pred, missing)


@register_loss
def zeros_loss(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns 0 for each row, with a gradient of 0.

    See `ZerosLoss`.

    >>> rows = keras_masked.losses.zeros_loss(np.array([[1.0, np.nan]]), np.array([[2.0, np.inf]]))
    >>> [float(row) for row in rows]
    [0.0]
    """
    return row_values(formulas.zero, y_true, y_pred, missing)


@register_loss
def magic_correction_term(y_true: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the number of labels over that of observed labels, of each row; 1 where none is.

    What turns a row's mean with zeros at missing labels into the mean over observed ones. Our
    losses need no such term: `average="samples"` is the mean over rows of those means.

    >>> y_true = np.array([[2.0, -9999.0, -9999.0], [2.0, -9999.0, 4.0], [-9999.0] * 3])
    >>> terms = keras_masked.losses.magic_correction_term(y_true, missing=-9999.0)
    >>> [float(term) for term in terms]
    [3.0, 1.5, 1.0]
    """
    reject_masked_arrays(y_true=y_true)
    y_true = _backend.as_received(y_true)
    if not len(y_true.shape):
        raise ValueError(f"`y_true` must have at least one axis. Received: y_true={y_true}")
    absent = find_missing(y_true, standardize_missing(missing))
    ones = ops.ones_like(y_true, dtype="float32")
    labels = ops.sum(ones, axis=-1)
    if absent is None:
        return ops.ones_like(labels)
    observed = labels - ops.sum(ops.cast(absent, "float32"), axis=-1)
    none = ops.equal(observed, 0)
    return ops.where(none, ops.ones_like(labels), labels / ops.where(none, labels, observed))
