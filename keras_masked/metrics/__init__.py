"""Metrics over labels of which some are missing, under Keras's names."""

from __future__ import annotations

from typing import Any

from keras.metrics import Metric

from keras_masked import serialization
from keras_masked.functions.accuracy import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from keras_masked.functions.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from keras_masked.functions.regression import mean_absolute_error, mean_squared_error
from keras_masked.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from keras_masked.metrics.auc import AUC
from keras_masked.metrics.base import MaskedMetric, MeanMetric
from keras_masked.metrics.masked import Masked
from keras_masked.metrics.observed_fraction import ObservedFraction
from keras_masked.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from keras_masked.metrics.r2 import R2Score
from keras_masked.metrics.regression import (
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
)

__all__ = [
    "AUC",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Masked",
    "MaskedMetric",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanSquaredError",
    "Metric",
    "ObservedFraction",
    "R2Score",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]

bce = BCE = binary_crossentropy
mae = MAE = mean_absolute_error
mse = MSE = mean_squared_error

ALIASES = {"bce": bce, "BCE": BCE, "mae": mae, "MAE": MAE, "mse": mse, "MSE": MSE}
"""Keras's short names."""

KNOWN = ALIASES | {
    obj.__name__: obj
    for obj in (
        AUC,
        BinaryAccuracy,
        BinaryCrossentropy,
        CategoricalAccuracy,
        CategoricalCrossentropy,
        MeanAbsoluteError,
        MeanSquaredError,
        ObservedFraction,
        R2Score,
        RootMeanSquaredError,
        SparseCategoricalAccuracy,
        SparseCategoricalCrossentropy,
        binary_accuracy,
        binary_crossentropy,
        categorical_accuracy,
        categorical_crossentropy,
        mean_absolute_error,
        mean_squared_error,
        sparse_categorical_accuracy,
        sparse_categorical_crossentropy,
    )
}
"""What `get` and `deserialize` find by its short name."""


def serialize(metric: Any) -> Any:
    """Returns the configuration of a metric or metric function."""
    return serialization.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the metric or metric function of a configuration."""
    return serialization.deserialize(config, KNOWN, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a masked metric by name, configuration, class or instance.

    Unlike in `compile`, where a string always means Keras's metric, a string here means ours.

    >>> keras_masked.metrics.get("R2Score").name
    'r2_score'

    Raises:
        ValueError: If nothing is known under this name.
    """
    return serialization.get(identifier, KNOWN, "metric")
