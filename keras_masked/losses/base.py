"""The base class of all losses: where hiding meets `keras.losses.Loss`."""

from __future__ import annotations

from typing import Any, TypedDict

import keras
from keras import ops

from keras_masked import serialization
from keras_masked.evaluation import label_values, rows_are_labels
from keras_masked.formulas import Formula
from keras_masked.missing import Missing, join_markers, standardize_missing
from keras_masked.observation import Observation, observe
from keras_masked.reduction import reduce_losses

Tensor = Any

register = serialization.register("keras_masked.losses")

OF_OBSERVATION = ("axis", "ignore_class")
"""Options that say which labels are which; the formula, applied after that, does not take them."""


class Masking(TypedDict, total=False):
    """Keyword arguments that every loss takes beside those of Keras.

    Attributes:
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
    """

    missing: Missing


class MaskedLoss(keras.losses.Loss):
    """Base class: a formula over labels, of which some are missing.

    A subclass sets `formula` and passes the formula's options to this constructor by name.

    Args:
        reduction: `"sum_over_batch_size"` (the default) or `"mean"`: the mean over observed
            labels. `"mean_with_sample_weight"`: divided by their weights instead of their number.
            `"sum"`: sum of the rows' means. `None` or `"none"`: one value per row.
        name: Name of the loss.
        dtype: Dtype of the result. float16 and bfloat16 are computed in float32.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. Only what is
            named is missing.
        **options: Options of the formula, which become attributes and part of the config.
    """

    formula: Formula

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        *,
        missing: Missing = "nan",
        **options: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.missing = standardize_missing(missing)
        self._options = options
        for option, value in options.items():
            setattr(self, option, value)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Returns the loss, reduced as `reduction` says.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        with keras.name_scope(self.name):
            seen = self.observe(y_true, y_pred, sample_weight)
            losses, seen = self.label_losses(seen)
            loss = reduce_losses(losses, seen, self.reduction, rows_are_labels(self.formula))
            return ops.cast(loss, self.dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns one value per row, as `reduction="none"` without weights."""
        seen = self.observe(y_true, y_pred)
        losses, seen = self.label_losses(seen)
        loss = reduce_losses(losses, seen, None, rows_are_labels(self.formula))
        return ops.cast(loss, self.dtype)

    def observe(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> Observation:
        """Finds what is observed among the labels."""
        return observe(
            y_true,
            y_pred,
            sample_weight,
            missing=join_markers(self.missing, self._options.get("ignore_class")),
            dtype=self.dtype,
            label_axes=self.formula.label_axes,
            class_ids=self.formula.class_ids,
            axis=self._options.get("axis", -1),
        )

    def label_losses(self, seen: Observation) -> tuple[Tensor, Observation]:
        """One loss per label: 0 where hidden, with a gradient of exactly 0 there.

        Also returns what is observed, since a formula may mask more than the labels did.
        """
        options = {k: v for k, v in self._options.items() if k not in OF_OBSERVATION}
        return label_values(self.formula, seen, **options), seen

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal loss."""
        config = {"reduction": self.reduction, "name": self.name, "dtype": self.dtype}
        return {**config, "missing": self.missing, **self._options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedLoss:
        """Builds a loss from its config; unknown keys raise `ValueError`."""
        serialization.check_config_keys(cls, config)
        return cls(**config)
