"""Losses that are means over draws: their base class."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import check_logits
from keras_masked.losses.base import ClassLoss, ClassMasking
from keras_masked.observation import Observation, label_values
from keras_masked.validation import BOOLEAN, POSITIVE_INTEGER, Reduction

Tensor = Any


class DrawnLoss(ClassLoss):
    """Base class: an estimate by draws of the logits.

    A loss has no state, so the draws are the same at every step; `keras_masked.layers.LossEndpoint`
    holds a generator and draws afresh.
    """

    admits = {"draws": POSITIVE_INTEGER, "loop_over_draws": BOOLEAN}

    def __init__(
        self,
        draws: int,
        loop_over_draws: bool,
        reduction: Reduction,
        name: str | None,
        dtype: Any,
        **masking: Unpack[ClassMasking],
    ) -> None:
        options = {"draws": draws, "loop_over_draws": loop_over_draws}
        super().__init__(reduction, name, dtype, **options, **masking)

    def evaluate(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        shift: Tensor | None = None,
    ) -> tuple[Tensor, Observation]:
        """One loss per label, and which labels count.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Means and log-variances of the logits.
            sample_weight: Weights: a scalar, one per row, or one per label.
            shift: For fresh draws, uniform numbers of the shape of the logits.
        """
        check_logits(y_pred)
        seen = self.observe(y_true, y_pred, sample_weight)
        if shift is not None:
            shift = ops.reshape(shift, ops.shape(seen.y_pred)[:-1])
        return label_values(self.formula, seen, **self._options, shift=shift), seen
