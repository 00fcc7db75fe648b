"""Losses of sets: how far predicted and labelled regions overlap."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import Observation
from keras_masked.sets import set_values

Tensor = Any


class SetLoss(MaskedLoss):
    """Base class: one value per set of labels, each set a row."""

    @property
    def rows_are_labels(self) -> bool:
        """Each set is a row of its own."""
        return True

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed label."""
        return set_values(
            self.formula,
            y_true,
            y_pred,
            sample_weight,
            missing=self.missing,
            dtype=self.dtype,
            **self._options,
        )


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
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Dice()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 2 (1 + 0.5) / (2 + 2)
    0.25

    Source: `keras.losses.Dice`.
    """

    formula = formulas.Formula(formulas.dice)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


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
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Tversky()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (1.5 + 0.25 + 0.25)
    0.25

    Source: `keras.losses.Tversky`; Salehi et al. 2017, equation 4.
    """

    formula = formulas.Formula(formulas.tversky)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, alpha=alpha, beta=beta, axis=axis, **masking)


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
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.Jaccard()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (2 + 2 - 1.5)
    0.4

    Source: Rahman and Wang 2016; Ebert-Uphoff et al. 2021, CIRA guide to custom loss
    functions.
    """

    formula = formulas.Formula(formulas.jaccard)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "jaccard",
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)
