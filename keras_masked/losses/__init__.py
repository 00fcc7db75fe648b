"""Losses over labels of which some are missing, under Keras's names."""

from __future__ import annotations

from typing import Any

from keras.losses import Loss

from keras_masked import serialization
from keras_masked.functions.probabilistic import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from keras_masked.functions.regression import mean_absolute_error, mean_squared_error
from keras_masked.losses.base import MaskedLoss
from keras_masked.losses.masked import Masked
from keras_masked.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from keras_masked.losses.regression import MeanAbsoluteError, MeanSquaredError

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "Masked",
    "MaskedLoss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
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
        BinaryCrossentropy,
        CategoricalCrossentropy,
        MeanAbsoluteError,
        MeanSquaredError,
        SparseCategoricalCrossentropy,
        binary_crossentropy,
        categorical_crossentropy,
        mean_absolute_error,
        mean_squared_error,
        sparse_categorical_crossentropy,
    )
}
"""What `get` and `deserialize` find by its short name."""


def serialize(loss: Any) -> Any:
    """Returns the configuration of a loss or loss function."""
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the loss or loss function of a configuration."""
    return serialization.deserialize(name, KNOWN, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a masked loss by name, configuration, class or instance.

    Unlike in `compile`, where a string always means Keras's loss, a string here means ours.

    >>> type(keras_masked.losses.get("MeanSquaredError")).__name__
    'MeanSquaredError'

    Raises:
        ValueError: If nothing is known under this name.
    """
    return serialization.get(identifier, KNOWN, "loss")
