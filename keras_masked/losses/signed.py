"""Losses with a sign, and the one that is always 0: classes and functions."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas import signed as formulas
from keras_masked.losses.base import FormulaLoss, register
from keras_masked.observation import (
    NAN,
    Missing,
    find_missing,
    receive_labels,
    row_values,
    standardize_missing,
)

Tensor = Any


@register
class MeanError(FormulaLoss):
    r"""Mean of the differences over the observed labels: the bias.

    $$L = \frac{\sum_i o_i w_i (p_i - y_i)}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Positive where
    predictions are too large. `MeanPercentageError` has the other sign, as in the literature of
    each.

    Unbounded from below: for a training loss, add it to another.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.MeanError()
    >>> round(float(loss(y_true, y_pred)), 4)  # (1 + 0 + 2) / 3
    1.0

    Source: Jolliffe and Stephenson 2012, Forecast Verification; astroNN, `mean_error`.
    """

    formula = formulas.signed_error


@register
class MeanPercentageError(FormulaLoss):
    r"""Mean of the differences in percent of the label, over the observed labels.

    $$L = \frac{\sum_i o_i w_i \, 100 (y_i - p_i) / y_i}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Labels nearer to 0 than
    `keras.config.epsilon()` are taken for that, with the sign that they have. Negative where
    predictions of positive labels are too large: the other sign than that of `MeanError`.

    Unbounded from below: for a training loss, add it to another.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`. In
    percent.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [4.0, -4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, -6.0]])
    >>> loss = keras_masked.losses.MeanPercentageError()
    >>> round(float(loss(y_true, y_pred)), 4)  # (-100 + 25 - 50) / 3
    -41.6667

    Source: astroNN, `mean_percentage_error`, the equation of its page.
    """

    formula = formulas.signed_percentage_error


@register
class ZerosLoss(FormulaLoss):
    r"""Zero, with zero gradient, for any input.

    $$L = 0$$

    For tests, and for outputs that are to be predicted but not trained. It is 0 of predictions that
    are not finite, too.

    Args:
        reduction: As in Keras.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> loss = keras_masked.losses.ZerosLoss()
    >>> float(loss(np.array([[1.0, np.nan]]), np.array([[2.0, 7.0]])))
    0.0

    Source: astroNN, `zeros_loss`.
    """

    formula = formulas.zero


@register
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


@register
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


@register
def zeros_loss(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns 0 for each row, with a gradient of 0.

    See `ZerosLoss`.

    >>> rows = keras_masked.losses.zeros_loss(np.array([[1.0, np.nan]]), np.array([[2.0, np.inf]]))
    >>> [float(row) for row in rows]
    [0.0]
    """
    return row_values(formulas.zero, y_true, y_pred, missing)


@register
def magic_correction_term(y_true: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the number of labels over that of observed labels, of each row; 1 where none is.

    What turns a row's mean with zeros at missing labels into the mean over observed ones. Our
    losses need no such term: `average="samples"` is the mean over samples of those means.

    >>> y_true = np.array([[2.0, -9999.0, -9999.0], [2.0, -9999.0, 4.0], [-9999.0] * 3])
    >>> terms = keras_masked.losses.magic_correction_term(y_true, missing=-9999.0)
    >>> [float(term) for term in terms]
    [3.0, 1.5, 1.0]
    """
    missing = standardize_missing(missing)
    y_true = receive_labels(y_true, missing)
    if not len(y_true.shape):
        raise ValueError(f"`y_true` must have at least one axis. Received: y_true={y_true}")
    absent = find_missing(y_true, missing)
    ones = ops.ones_like(y_true, dtype="float32")
    labels = ops.sum(ones, axis=-1)
    if absent is None:
        return ops.ones_like(labels)
    observed = labels - ops.sum(ops.cast(absent, "float32"), axis=-1)
    none = ops.equal(observed, 0)
    return ops.where(none, ops.ones_like(labels), labels / ops.where(none, labels, observed))
