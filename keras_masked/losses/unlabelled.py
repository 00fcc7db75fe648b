"""The loss of positive and unlabelled examples: class and function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import PROBABILITY
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    gate_input,
    gate_output,
    observe,
    replace,
    standardize_missing,
    weigh_columns,
    with_mask,
)
from keras_masked.validation import FRACTION, Reduction, one_or_several

Tensor = Any


def unlabelled_values(seen: Observation, prior: Any) -> tuple[Tensor, Observation]:
    """The risk of each column, and which columns have any observed label.

    Weights of labels shift the means. What is the same for all labels of a column, as their mean
    weight, multiplies its risk.
    """
    y_true = replace(seen.y_true, seen.hidden, 0.0)
    y_pred = replace(gate_input(seen.y_pred, seen.hidden), seen.hidden, 0.0)
    columns = _columns(y_pred)
    weight = seen.weights
    positive, unlabelled = weight * y_true, weight * (1.0 - y_true)
    wrong, right = ops.sigmoid(-y_pred), ops.sigmoid(y_pred)
    if isinstance(prior, tuple) and len(prior) != columns:
        raise ValueError(
            "Argument `prior` must be a number, or one per column. "
            f"Received: {len(prior)} values for {columns} columns, labels of shape "
            f"{tuple(y_pred.shape)}."
        )
    prior = ops.convert_to_tensor(prior, dtype=y_pred.dtype)
    negative = _mean(right, unlabelled) - prior * _mean(right, positive)
    losses = prior * _mean(wrong, positive) + ops.relu(negative)
    rows = tuple(range(max(len(y_pred.shape) - 1, 1)))
    observed = None if seen.observed is None else ops.any(seen.observed, axis=rows)
    if seen.weight is not None:
        count = ops.ones_like(y_pred)
        if seen.observed is not None:
            count = ops.cast(seen.observed, y_pred.dtype)
        weight = _mean(seen.weight, count)
    sets = Observation(
        y_true, y_pred, observed, None if seen.weight is None else weight, seen.dtype
    )
    return gate_output(losses, sets.hidden), sets


def _columns(labels: Tensor) -> int:
    shape = tuple(labels.shape)
    return shape[-1] if len(shape) > 1 else 1


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean of each column, 0 where there is no weight."""
    rows = tuple(range(max(len(values.shape) - 1, 1)))
    whole = ops.sum(weight, axis=rows)
    whole = ops.where(ops.equal(whole, 0), ops.ones_like(whole), whole)
    return ops.sum(values * weight, axis=rows) / whole


@register
class NonNegativePULoss(MaskedLoss):
    r"""Risk of a binary classifier of which only positives are labelled, and not all of them.

    $$L = \pi R_p^+ + \max(0, R_u^- - \pi R_p^-), \quad
      R_p^{\pm} = \frac{\sum_i o_i w_i y_i \, \sigma(\mp z_i)}{\sum_i o_i w_i y_i}, \;
      R_u^- = \frac{\sum_i o_i w_i (1 - y_i) \, \sigma(z_i)}{\sum_i o_i w_i (1 - y_i)}$$

    Labels are 1 (positive) and 0 (unlabelled: positive with probability $\pi$); predictions are
    logits $z$. The means are over the batch, of each column of labels apart; the loss is the mean
    over columns with any observed label. Batches need some of both kinds: a mean of nothing is 0.

    A label that is *missing* is neither: of it not even that is known which set it was drawn from,
    and it leaves both. The difference of risks cannot be negative in truth; where it is in a batch,
    it is taken for 0, so that a flexible network cannot drive it down.

    Args:
        prior: The share of positives among what is unlabelled, $\pi$ in (0, 1), or one per column.
        reduction: As in Keras, over columns with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`, or `(batch,)`; one value per column.

    Raises:
        ValueError: If shapes do not align, `prior` is not in (0, 1), or on `average=` or
            `observed_rate=`: the loss is no mean over labels. Also if labels outside [0, 1] that
            `missing` does not name are at hand. In tensors, such a label gives NaN.

    Example:

    >>> y_true = np.array([[1.0], [0.0], [0.0], [np.nan]])
    >>> y_pred = np.array([[2.0], [0.0], [-1.0], [9.0]])
    >>> loss = keras_masked.losses.NonNegativePULoss(prior=0.3)
    >>> round(float(loss(y_true, y_pred)), 4)  # 0.3 x 0.1192 + 0.3845 - 0.3 x 0.8808
    0.156

    Source: Kiryo et al. 2017, equation 6, with the sigmoid loss.
    """

    label = PROBABILITY

    admits = {"prior": one_or_several(FRACTION)}

    def __init__(
        self,
        prior: float | Sequence[float],
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "non_negative_pu_loss",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        if masking.get("average", "micro") != "micro" or masking.get("observed_rate") is not None:
            raise ValueError(
                f"NonNegativePULoss has one mean, that of its columns. Received: {dict(masking)}"
            )
        super().__init__(reduction, name, dtype, prior=prior, **masking)

    @property
    def column_weights(self) -> None:
        """None: labels have been weighed before their columns became sets."""
        return None

    @property
    def rows_are_labels(self) -> bool:
        """Each column is a set, and a row of its own."""
        return True

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per column, and which columns have any observed label."""
        options = {"missing": self.missing, "dtype": self.dtype}
        seen = observe(y_true, y_pred, sample_weight, self.label, **options)
        seen = weigh_columns(seen, self.label_weights, seen.y_pred)
        return unlabelled_values(seen.in_columns(), self._options["prior"])


@register
def non_negative_pu_loss(
    y_true: Tensor, y_pred: Tensor, *, prior: float | Sequence[float], missing: Missing = NAN
) -> Tensor:
    """Returns the non-negative risk of each column of positive and unlabelled examples.

    See `NonNegativePULoss`.

    >>> y_true = np.array([[1.0], [0.0], [0.0], [np.nan]])
    >>> y_pred = np.array([[2.0], [0.0], [-1.0], [9.0]])
    >>> columns = keras_masked.losses.non_negative_pu_loss(y_true, y_pred, prior=0.3)
    >>> [round(float(column), 4) for column in columns]
    [0.156]
    """
    seen = observe(y_true, y_pred, None, PROBABILITY, missing=standardize_missing(missing))
    return with_mask(
        *unlabelled_values(seen.in_columns(), NonNegativePULoss.checked(prior=prior)["prior"])
    )
