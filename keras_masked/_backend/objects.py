"""What Keras's objects were made with, which their configurations do not all tell."""

from __future__ import annotations

from typing import Any

import keras


def options_of(found: Any) -> dict[str, Any]:
    """The arguments of one of Keras's losses or metrics, for an equal one.

    Configurations of Keras 3.15 lack `delta` of `Huber`, `axis` of `CosineSimilarity` and of
    `SparseCategoricalCrossentropy`, `from_sorted_ids`, and the dtype of losses. Each is handed to
    the function that computes the loss, whose arguments are kept.
    """
    config = {"dtype": found.dtype, **found.get_config()}
    return {**getattr(found, "_fn_kwargs", {}), **config}


def function_of(metric: keras.metrics.MeanMetricWrapper) -> Any:
    """The function that a wrapper of Keras's averages."""
    return metric._fn


def compiled_with(model: keras.Model) -> dict[str, Any]:
    """The arguments of `compile`, the very objects where they can be had, else equal ones."""
    kept = getattr(getattr(model, "_compile_config", None), "config", None)
    if kept is None:
        kept = keras.saving.deserialize_keras_object(model.get_compile_config())
    return dict(kept)
