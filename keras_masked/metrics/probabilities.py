"""Metrics of predicted probabilities, binary or of several classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_masked.constructors import DEFAULT
from keras_masked.formulas.labels import UNIT, Labels
from keras_masked.metrics.classes import check_classes, check_sparse, label_of, missing_of, one_hot
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.observation import Missing, Observation, check_probabilities
from keras_masked.validation import BOOLEAN, POSITIVE_INTEGER, optional

Tensor = Any


class ProbabilityMetric(ColumnMetric):
    """Base class: of probabilities of binary labels, or of each of `num_classes` classes.

    What is no probability raises as far as values are at hand, and is NaN elsewhere.
    """

    admits = {
        "num_classes": optional(POSITIVE_INTEGER),
        "from_logits": BOOLEAN,
        "sparse_y_true": BOOLEAN,
    }

    def __init__(
        self,
        num_classes: int | None = None,
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        super().__init__(
            name,
            dtype,
            missing=missing_of(missing, sparse_y_true),
            num_classes=num_classes,
            from_logits=from_logits,
            sparse_y_true=sparse_y_true,
            **options,
        )

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is."""
        return label_of(self.num_classes, self.sparse_y_true)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels."""
        check_sparse(self.num_classes, self.sparse_y_true)
        seen = super().observe(y_true, y_pred, sample_weight)
        check_classes(seen, self.num_classes)
        if not self.from_logits:
            check_probabilities(y_true, y_pred, sample_weight, self.missing, self.label)
        return seen

    def probabilities(self, seen: Observation) -> Tensor:
        """The predicted probabilities; NaN what is none."""
        y_pred = seen.y_pred
        if self.from_logits:
            return ops.sigmoid(y_pred) if self.num_classes is None else ops.softmax(y_pred, axis=-1)
        return ops.where(UNIT.holds(y_pred), y_pred, ops.full_like(y_pred, np.nan))

    def indicators(self, seen: Observation) -> Tensor:
        """Labels of several classes as one-hot rows."""
        return one_hot(seen.y_true, seen.y_pred) if self.sparse_y_true else seen.y_true
