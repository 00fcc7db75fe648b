"""Losses of single labels under SymJAX's names: cross-entropies of logits, squared differences."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas import Formula, crossentropy, regression
from keras_masked.losses.base import register
from keras_masked.observation import (
    CLASS_IDS,
    NAN,
    Missing,
    label_values,
    observe,
    row_values,
    standardize_missing,
    with_mask,
)

Tensor = Any


@register
def sparse_softmax_crossentropy_logits(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = CLASS_IDS
) -> Tensor:
    """Returns the cross-entropy of each class id with logits, 0 where the id is missing.

    See `SparseCategoricalCrossentropy` with `from_logits=True`.

    >>> y_true = np.array([1, -1])
    >>> y_pred = np.log([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.sparse_softmax_crossentropy_logits(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    formula = crossentropy.sparse_categorical_crossentropy
    return row_values(formula, y_true, y_pred, missing, from_logits=True)


@register
def softmax_crossentropy_logits(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN
) -> Tensor:
    """Returns the cross-entropy of each one-hot label with logits, 0 where it is missing.

    See `CategoricalCrossentropy` with `from_logits=True`.

    >>> y_true = np.array([[0.0, 1.0], [np.nan, np.nan]])
    >>> y_pred = np.log([[0.25, 0.75], [0.9, 0.1]])
    >>> rows = keras_masked.losses.softmax_crossentropy_logits(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.2877, 0.0]
    """
    formula = crossentropy.categorical_crossentropy
    return row_values(formula, y_true, y_pred, missing, from_logits=True)


@register
def sigmoid_crossentropy_logits(
    y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN
) -> Tensor:
    """Returns the cross-entropy of each binary label with its logit, 0 where it is missing.

    One value per label; `binary_crossentropy` has the means of rows. See `BinaryCrossentropy` with
    `from_logits=True`.

    >>> y_true = np.array([[0.0, 1.0, np.nan]])
    >>> y_pred = np.array([[0.0, 1.0, 7.0]])
    >>> labels = keras_masked.losses.sigmoid_crossentropy_logits(y_true, y_pred)
    >>> [round(float(label), 4) for label in labels[0]]
    [0.6931, 0.3133, 0.0]
    """
    return values_of_labels(
        crossentropy.binary_crossentropy, y_true, y_pred, missing, from_logits=True
    )


@register
def squared_differences(y_true: Tensor, y_pred: Tensor, *, missing: Missing = NAN) -> Tensor:
    """Returns the squared error of each label, 0 where it is missing.

    One value per label; `mean_squared_error` has the means of rows. See `MeanSquaredError`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.squared_differences(y_true, y_pred)
    >>> [[float(label) for label in row] for row in rows]
    [[1.0, 0.0], [0.0, 4.0]]
    """
    return values_of_labels(regression.squared_error, y_true, y_pred, missing)


def values_of_labels(
    formula: Formula, y_true: Tensor, y_pred: Tensor, missing: Missing, **options: Any
) -> Tensor:
    """One value per label, with a Keras mask: Keras averages what counts."""
    seen = observe(y_true, y_pred, None, formula.label, missing=standardize_missing(missing))
    return with_mask(label_values(formula, seen, **options), seen)
