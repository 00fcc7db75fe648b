"""The base classes of all metrics: where hiding meets `keras.metrics.Metric`."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.evaluation import OF_OBSERVATION, label_values
from keras_masked.formulas import Formula
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.missing import Missing, join_markers, standardize_missing
from keras_masked.observation import Observation, observe

Tensor = Any

register = serialization.register("keras_masked.metrics")


class MaskedMetric(keras.metrics.Metric):
    """Base class: a metric of labels of which some are missing.

    A subclass implements `update_state`, `result` and `support`, keeps its sums in accumulators,
    and passes its own options to this constructor by name.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result. The state is kept in float32 or better.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. Only what is
            named is missing.
        **options: Further options, which become attributes and part of the config.
    """

    def __init__(
        self, name: str | None = None, dtype: Any = None, *, missing: Missing, **options: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.missing = standardize_missing(missing)
        self._options = dict(options)
        for option, value in options.items():
            setattr(self, option, value)

    def observe(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        *,
        label_axes: int = 0,
        class_ids: bool = False,
        check_ids: bool = False,
    ) -> Observation:
        """Finds what is observed among the labels."""
        seen = observe(
            y_true,
            y_pred,
            sample_weight,
            missing=join_markers(self.missing, self._options.get("ignore_class")),
            dtype=self.dtype,
            label_axes=label_axes,
            class_ids=class_ids,
            check_ids=check_ids,
            axis=self._options.get("axis", -1),
        )
        # PyTorch would otherwise keep the graph of every batch's predictions for its sums.
        return dataclasses.replace(seen, y_pred=ops.stop_gradient(seen.y_pred))

    def accumulator(self, name: str, shape: tuple[int, ...] = ()) -> Accumulator:
        """Adds a sum to the metric's state."""
        return Accumulator(self, shape, name)

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        return {"name": self.name, "dtype": self.dtype, "missing": self.missing, **self._options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedMetric:
        """Builds a metric from its config; unknown keys raise `ValueError`."""
        serialization.check_config_keys(cls, config)
        return cls(**config)


class MeanMetric(MaskedMetric):
    r"""Base class: the mean of a formula over all observed labels.

    $$M = \frac{\sum_i o_i w_i \, f(y_i, p_i)}{\sum_i o_i w_i}$$

    NaN where nothing is observed. A subclass sets `formula`.
    """

    formula: Formula

    def __init__(
        self, name: str | None = None, dtype: Any = None, *, missing: Missing, **options: Any
    ) -> None:
        super().__init__(name, dtype, missing=missing, **options)
        self._total = self.accumulator("total")
        self._count = self.accumulator("count")

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        formula = self.formula
        seen = self.observe(
            y_true,
            y_pred,
            sample_weight,
            label_axes=formula.label_axes,
            class_ids=formula.class_ids,
            check_ids=True,
        )
        options = {k: v for k, v in self._options.items() if k not in OF_OBSERVATION}
        values = label_values(formula, seen, **options)
        if seen.weight is not None:
            values, counted = values * seen.weight, ops.sum(seen.weight)
        elif seen.observed is not None:
            counted = _backend.count(seen.observed)
        else:
            counted = ops.sum(ops.ones_like(values))
        self._total.add(ops.sum(values))
        self._count.add(counted)

    def result(self) -> Tensor:
        """Returns the mean over everything observed so far, NaN if nothing was."""
        return ops.cast(self.mean(), self.dtype)

    def mean(self) -> Tensor:
        """The mean so far, in the dtype of the state."""
        return ratio(self._total.value, self._count.value)

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return self._count.value


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Numerator / denominator, and NaN where the denominator is 0: nothing is known there."""
    zero = ops.equal(denominator, 0)
    quotient = numerator / ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.full_like(quotient, float("nan")), quotient)
