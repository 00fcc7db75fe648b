"""Losses of sets, how far regions overlap: a missing label leaves every sum over its set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import CLASS_ID, PROBABILITY, Labels
from keras_masked.formulas import sets as formulas
from keras_masked.formulas.sets import Axis
from keras_masked.losses.base import MaskedLoss, Masking, of_ids, register
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    gate_input,
    gate_output,
    observe,
    one_versus_rest,
    replace,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import AXES, BOOLEAN, NON_NEGATIVE, Reduction

Tensor = Any


def set_values(
    formula: Callable[..., Tensor],
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
    axis: int | tuple[int, ...] | None = None,
    prepare: Callable[..., tuple[Tensor, Tensor]] | None = None,
    label: Labels = PROBABILITY,
    sparse_y_true: bool = False,
    **options: Any,
) -> tuple[Tensor, Observation]:
    """The loss of each set, and which sets have any observed label.

    Args:
        formula: Maps labels, predictions and `axis` to one value per set. Labels and predictions
            of 0 must change none of its sums.
        y_true: Labels.
        y_pred: Predictions.
        sample_weight: Weights of the sets; they multiply, as in Keras.
        missing: The `missing=` policy.
        dtype: Dtype of the result.
        axis: The axes that a set spans; by default all.
        prepare: Maps labels and predictions, entry by entry, to those that the formula gets.
        label: What a label is.
        sparse_y_true: Whether labels are class ids, each as many entries as there are classes.
        **options: Options of the formula.
    """
    label = CLASS_ID if sparse_y_true else label
    seen = observe(y_true, y_pred, None, label, missing=missing, dtype=dtype)
    if sparse_y_true:
        seen = one_versus_rest(seen, True)
    labels, predictions = seen.y_true, seen.y_pred
    if prepare is not None:
        labels, predictions = prepare(labels, gate_input(predictions, seen.hidden))
    labels = replace(labels, seen.hidden, 0.0)
    predictions = replace(predictions, seen.hidden, 0.0)
    losses = formula(labels, predictions, axis=axis, **options)
    observed = None if seen.observed is None else ops.any(seen.observed, axis=axis)
    observed = none_without_labels(observed, losses, labels)
    sets = Observation(labels, predictions, observed, None, seen.dtype)
    return gate_output(losses, sets.hidden), sets.weighted(sample_weight, losses)


def none_without_labels(observed: Tensor | None, losses: Tensor, labels: Tensor) -> Tensor | None:
    """Which sets are observed: none where there are no labels at all, in a batch without rows."""
    sizes = tuple(labels.shape)
    if observed is not None or not (0 in sizes or None in sizes):
        return observed
    return ops.broadcast_to(ops.not_equal(ops.size(labels), 0), ops.shape(losses))


class SetLoss(MaskedLoss):
    """Base class: one value per set of labels, each set a row. A subclass sets `of_sets`."""

    of_sets: Callable[..., Tensor]
    """Maps labels, predictions and `axis` to one value per set, a function without `self`."""

    @property
    def rows_are_labels(self) -> bool:
        """Each set is a row of its own."""
        return True

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed label."""
        of_sets = set_values(
            type(self).of_sets,
            y_true,
            y_pred,
            sample_weight,
            missing=self.missing,
            dtype=self.dtype,
            **self._options,
        )
        return self.weigh(*of_sets)


@register
class Dice(SetLoss):
    r"""One minus the Dice coefficient of the observed labels of each set.

    $$L = 1 - \frac{2 \sum_i o_i y_i p_i}{\sum_i o_i y_i + \sum_i o_i p_i + \epsilon}$$

    A missing label, a pixel say, leaves all three sums. A set of which nothing is observed has a
    loss of 0 and does not count.

    Args:
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        axis: The axes that a set spans; by default all, so that the batch is one set.
        dtype: Dtype of the result.
        sparse_y_true: Whether labels are class ids, of which -1 and NaN are missing by default,
            rather than one entry per class.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape, or `y_true` of ids without the last axis, that of
    the classes; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels outside
            [0, 1] that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Dice()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 2 (1 + 0.5) / (2 + 2)
    0.25

    Source: `keras.losses.Dice`.
    """

    of_sets = staticmethod(formulas.dice)

    admits = {"axis": AXES, "sparse_y_true": BOOLEAN}

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        *,
        sparse_y_true: bool = False,
        **masking: Unpack[Masking],
    ) -> None:
        options: dict[str, Any] = {"axis": axis, "sparse_y_true": sparse_y_true}
        super().__init__(reduction, name, dtype, **options, **of_ids(sparse_y_true, masking))


@register
class Tversky(SetLoss):
    r"""One minus the Tversky index of the observed labels of each set.

    $$L = 1 - \frac{T}{T + \alpha F_p + \beta F_n + \epsilon}, \quad
      T = \sum_i o_i y_i p_i, \; F_p = \sum_i o_i (1 - y_i) p_i, \; F_n = \sum_i o_i y_i (1 - p_i)$$

    A missing label leaves all sums. A set of which nothing is observed has a loss of 0 and does
    not count.

    Args:
        alpha: Weight of false positives.
        beta: Weight of false negatives.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        axis: The axes that a set spans; by default all, so that the batch is one set.
        dtype: Dtype of the result.
        sparse_y_true: Whether labels are class ids, of which -1 and NaN are missing by default,
            rather than one entry per class.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape, or `y_true` of ids without the last axis, that of
    the classes; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels outside
            [0, 1] that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Tversky()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (1.5 + 0.25 + 0.25)
    0.25

    Source: `keras.losses.Tversky`; Salehi et al. 2017, equation 4.
    """

    of_sets = staticmethod(formulas.tversky)

    admits = {"alpha": NON_NEGATIVE, "beta": NON_NEGATIVE, "axis": AXES, "sparse_y_true": BOOLEAN}

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        *,
        sparse_y_true: bool = False,
        **masking: Unpack[Masking],
    ) -> None:
        options: dict[str, Any] = {"axis": axis, "sparse_y_true": sparse_y_true}
        options |= {"alpha": alpha, "beta": beta}
        super().__init__(reduction, name, dtype, **options, **of_ids(sparse_y_true, masking))


@register
class Jaccard(SetLoss):
    r"""One minus the soft intersection over union of the observed labels of each set.

    $$L = 1 - \frac{\sum_i o_i y_i p_i}
                   {\sum_i o_i y_i + \sum_i o_i p_i - \sum_i o_i y_i p_i + \epsilon}$$

    A missing label, a pixel say, leaves all sums. A set of which nothing is observed has a loss of
    0 and does not count. This is `Tversky` with `alpha=1` and `beta=1`, and, of probabilities,
    `CriticalSuccessIndex`. For boxes there is `IoULoss`.

    Args:
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        axis: The axes that a set spans; by default all, so that the batch is one set. For one-hot
            pixels `(batch, height, width, classes)`, (1, 2) makes each class a set.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align. Also if labels outside
            [0, 1] that `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Jaccard()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (2 + 2 - 1.5)
    0.4

    Source: Rahman and Wang 2016; Ebert-Uphoff et al. 2021, CIRA guide to custom loss
    functions.
    """

    of_sets = staticmethod(formulas.jaccard)

    admits = {"axis": AXES}

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "jaccard",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


@register
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
        *set_values(
            formulas.dice,
            y_true,
            y_pred,
            missing=standardize_missing(missing),
            **Dice.checked(axis=axis),
        )
    )


@register
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
            **Tversky.checked(axis=axis, alpha=alpha, beta=beta),
        )
    )


@register
def jaccard(y_true: Tensor, y_pred: Tensor, *, axis: Axis = None, missing: Missing = NAN) -> Tensor:
    """Returns one minus the soft intersection over union of each set's observed labels.

    See `Jaccard`.

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> round(float(keras_masked.losses.jaccard(y_true, y_pred)), 4)
    0.4
    """
    missing = standardize_missing(missing)
    return with_mask(
        *set_values(formulas.jaccard, y_true, y_pred, missing=missing, **Jaccard.checked(axis=axis))
    )
