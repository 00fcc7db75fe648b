"""The base class of all metrics: where hiding meets `keras.metrics.Metric`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, TypedDict, TypeVar

import keras
import numpy as np
from keras import ops

from keras_masked import serialization
from keras_masked.constructors import DEFAULT, Named, check_keywords
from keras_masked.formulas import NUMBER, Labels
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.observation import (
    NAN,
    Missing,
    Observation,
    join_markers,
    observe,
    standardize_missing,
)
from keras_masked.validation import FLOAT_DTYPE, STRING, optional

Tensor = Any
T = TypeVar("T")

register = serialization.register("keras_masked.metrics")


class Masking(TypedDict, total=False):
    """Keyword arguments that every metric takes beside those of Keras.

    Attributes:
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
    """

    missing: Missing


class MaskedMetric(Named, keras.metrics.Metric):
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

    label: Labels = NUMBER
    """What a label is."""
    default_missing: Missing = NAN
    """What is missing where the user does not say."""
    common = Masking
    """Keyword arguments that constructors pass on; they are documented here."""

    admits = {"name": optional(STRING), "dtype": FLOAT_DTYPE}

    def __init__(
        self,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        **options: Any,
    ) -> None:
        check_keywords(self, options)
        super().__init__(name=self.default_name if name is DEFAULT else name, dtype=dtype)
        self.missing = standardize_missing(self.default_missing if missing is DEFAULT else missing)
        self._options = dict(options)
        self._accumulators: list[Any] = []
        for option, value in options.items():
            setattr(self, option, value)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels."""
        seen = observe(
            y_true,
            y_pred,
            sample_weight,
            self.label.along(self.last_axis),
            missing=join_markers(self.missing, self._options.get("ignore_class")),
            dtype=self.seen_dtype,
        )
        # PyTorch would otherwise keep the graph of every batch's predictions for its sums.
        return dataclasses.replace(seen, y_pred=ops.stop_gradient(seen.y_pred))

    @property
    def last_axis(self) -> int:
        """The axis of the classes or labels, which is moved to the end."""
        axis: int = self._options.get("axis", -1)
        return axis

    @property
    def seen_dtype(self) -> str | None:
        """The dtype in which predictions are seen: one of integers is of the result alone."""
        dtype: str = self.dtype
        return dtype if keras.backend.is_float_dtype(dtype) else None

    def accumulator(self, shape: tuple[int, ...] = ()) -> Accumulator:
        """Adds sums of a shape to the metric's state."""
        return self.keep(Accumulator(self, shape))

    def keep(self, accumulator: T) -> T:
        """Makes an accumulator part of the state that `merge_state` merges."""
        self._accumulators.append(accumulator)
        return accumulator

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        raise NotImplementedError

    def logged(self) -> list[str]:
        """The keys of the result, under which Keras logs its values; none unless it is a dict."""
        return []

    def is_defined(self) -> Tensor:
        """Whether the labels observed define the result, also if predictions have diverged."""
        nothing = ops.equal(ops.sum(self.support()), 0)
        return ops.logical_not(ops.logical_and(nothing, ops.isnan(self.result())))

    def merge_state(self, metrics: Iterable[MaskedMetric]) -> None:
        """Adds what other metrics have seen, of other parts of the data.

        Args:
            metrics: Metrics of the same class and options: of other processes, say, sent as they
                are (metrics can be pickled).

        Raises:
            ValueError: If one is of another class, or has other options.

        Example:

        >>> halves = [keras_masked.metrics.MeanSquaredError() for _ in range(2)]
        >>> halves[0].update_state(np.array([1.0, np.nan]), np.array([2.0, 7.0]))
        >>> halves[1].update_state(np.array([3.0, 4.0]), np.array([3.0, 6.0]))
        >>> halves[0].merge_state(halves[1:])
        >>> round(float(halves[0].result()), 4)  # (1 + 0 + 4) / 3
        1.6667
        """
        for metric in metrics:
            self._check_mergeable(metric)
            self._match(metric)
            for mine, other in zip(self._accumulators, metric._accumulators, strict=False):
                mine.merge(other)

    def _check_mergeable(self, metric: Any) -> None:
        same = type(metric) is type(self)
        if not same or _nameless(metric.get_config()) != _nameless(self.get_config()):
            raise ValueError(
                "Argument `metrics` must hold metrics of the same class and options as this one. "
                f"Received: {metric!r} for {self!r}"
            )

    def _match(self, metric: Any) -> None:
        """Creates the state that `metric` has and this one has not: of columns first met there."""

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = {"name": self.name, "dtype": self.dtype, "missing": self.missing}
        return {**config, **serialization.plain(self._options)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedMetric:
        """Builds a metric from its config; unknown keys raise `ValueError`."""
        serialization.check_config_keys(cls, config)
        return cls(**config)

    def __reduce__(self) -> Any:
        """Pickles config and state. Keras's own way would lose the state."""
        state = [ops.convert_to_numpy(variable) for variable in self.variables]
        return _unpickle, (serialization.serialize(self), self._shape_of_state(), state)

    def _shape_of_state(self) -> Any:
        """What `_create_state` needs, beyond the config, to create the variables."""
        return None

    def _create_state(self, shape: Any) -> None:
        """Creates the variables that the constructor could not."""


def _nameless(config: Any) -> Any:
    """A configuration without the names of metrics, which Keras numbers."""
    if not isinstance(config, dict):
        return config
    return {key: _nameless(value) for key, value in config.items() if key != "name"}


def _unpickle(config: dict[str, Any], shape: Any, state: list[np.ndarray]) -> MaskedMetric:
    metric: MaskedMetric = keras.saving.deserialize_keras_object(config)
    metric._create_state(shape)
    for variable, value in zip(metric.variables, state, strict=True):
        variable.assign(value)
    return metric


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Numerator / denominator, and NaN where the denominator is 0: nothing is known there."""
    zero = ops.equal(denominator, 0)
    quotient = numerator / ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.full_like(quotient, float("nan")), quotient)


def quotient(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Numerator / denominator, and 0 where the denominator is 0.

    Not `ops.divide_no_nan`, which on PyTorch gives float32 for float64.
    """
    zero = ops.equal(denominator, 0)
    found = numerator / ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.zeros_like(found), found)


def defined_mean(
    values: Tensor, weights: Tensor, defined: Tensor, axis: int | None = None
) -> Tensor:
    """Weighted mean over what is defined; a NaN there, of a diverged prediction, stays."""
    zeros = ops.zeros_like(values)
    weights = ops.where(defined, weights, zeros)
    weighted = ops.where(defined, values * weights, zeros)
    return ratio(ops.sum(weighted, axis=axis), ops.sum(weights, axis=axis))


def known(values: Tensor, defined: Tensor) -> Tensor:
    """The values, NaN where not defined."""
    return ops.where(defined, values, ops.full_like(values, float("nan")))
