"""Losses of groups of labels: the root of a mean, or a sum."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.formulas.weighted import check_gamma
from keras_masked.groups import group_values, root, total
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import Observation

Tensor = Any


class GroupLoss(MaskedLoss):
    """Base class: one value per group of labels, each group a row."""

    @staticmethod
    def combine(mean: Tensor, count: Tensor) -> Tensor:
        """The loss of a group, of its mean and the count of its labels."""
        raise NotImplementedError

    @property
    def rows_are_labels(self) -> bool:
        """Each group is a row of its own."""
        return True

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per group, and which groups have any observed label."""
        return group_values(
            self.formula,
            self.combine,
            y_true,
            y_pred,
            sample_weight,
            missing=self.missing,
            dtype=self.dtype,
            **{"axis": -1, **self._options},
        )


@register
class RootMeanSquaredError(GroupLoss):
    r"""Root of the mean squared difference over the observed labels of each set.

    $$L = \frac{\sum_g v_g \sqrt{\frac{\sum_i o_{gi} w_{gi} (y_{gi} - p_{gi})^2}
                                      {\sum_i o_{gi} w_{gi}}}}{\sum_g o_g}$$

    with $o_{gi}$ 1 where label $i$ of set $g$ is observed, else 0, $w_{gi}$ its weight, $v_g$ the
    mean of the weights of the set's observed labels, and $o_g$ 1 where it has any. With `axis=None`
    the batch is one set; else the mean is over sets, rows say, each with a root of its own.

    The gradient at a set without any error is 0.

    Args:
        axis: The axes that a set spans; by default all, so that the batch is one set. -1 for the
            labels of a row, (1, 2, 3) for the pixels of an image.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.RootMeanSquaredError()
    >>> round(float(loss(y_true, y_pred)), 4)  # sqrt((1 + 0 + 4) / 3)
    1.291
    >>> loss = keras_masked.losses.RootMeanSquaredError(axis=-1)
    >>> round(float(loss(y_true, y_pred)), 4)  # (sqrt(1) + sqrt((0 + 4) / 2)) / 2
    1.2071

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions, which has both forms.
    """

    formula = formulas.squared_error
    combine = staticmethod(root)

    def __init__(
        self,
        axis: int | tuple[int, ...] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "root_mean_squared_error",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


@register
class SigmoidFocalCrossEntropy(GroupLoss):
    r"""Focal cross-entropy of binary labels, summed over the observed labels of each row.

    $$L = \frac{-\sum_r \sum_i o_{ri} w_{ri} \, \alpha_{t,ri} (1 - p_{t,ri})^\gamma \log p_{t,ri}}
               {\sum_r o_r}$$

    with $p_t = p$ and $\alpha_t = \alpha$ for a label of 1, and $1 - p$ and $1 - \alpha$ for a
    label of 0; $o_{ri}$ is 1 where label $i$ of row $r$ is observed, else 0, $w_{ri}$ its weight,
    and $o_r$ 1 where the row has any observed label.

    A row is a sum, as in TensorFlow Addons, so that a row with many observed labels has a larger
    loss than one with few. `BinaryFocalCrossentropy(apply_class_balancing=True)` is the mean.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        alpha: Weight of class 1; class 0 has `1 - alpha`. Without such weights if 0 or `None`.
        gamma: The focusing exponent, at least 0.
        reduction: As in Keras, over rows with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`; `average=` and `observed_rate=` of rows, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, or `gamma` is negative.

    Example:

    >>> y_true = np.array([[1.0, 1.0, np.nan], [0.0, np.nan, np.nan]])
    >>> y_pred = np.array([[0.97, 0.91, 0.5], [0.03, 0.5, 0.5]])
    >>> loss = keras_masked.losses.SigmoidFocalCrossEntropy(reduction=None)
    >>> [round(float(row), 7) for row in loss(y_true, y_pred)]
    [0.0001978, 2.06e-05]

    Source: Lin et al. 2017, equation 5; `tensorflow_addons.losses.SigmoidFocalCrossEntropy`.
    """

    formula = formulas.sigmoid_focal_crossentropy
    combine = staticmethod(total)

    def __init__(
        self,
        from_logits: bool = False,
        alpha: float | None = 0.25,
        gamma: float = 2.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sigmoid_focal_crossentropy",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"from_logits": from_logits, "alpha": alpha, "gamma": check_gamma(gamma)}
        super().__init__(reduction, name, dtype, **options, **masking)
