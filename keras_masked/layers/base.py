"""Where layers are registered, and what they have in common."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.constructors import Strict, check_keywords

register = serialization.register("keras_masked.layers")


class StrictLayer(Strict, keras.layers.Layer):
    """Base class: a layer takes what its constructor names, and what every layer of Keras does."""

    def __init__(self, **kwargs: Any) -> None:
        check_keywords(self, kwargs)
        super().__init__(**kwargs)


def is_set(weight: Any) -> bool:
    """Whether a weight that is NaN until it is measured has been, or has been loaded.

    A graph cannot look, and is told that it has.
    """
    if weight is None:
        return False
    if keras.config.backend() == "torch" and not _backend.eager_torch():
        return True
    try:
        values = ops.convert_to_numpy(weight)
    except (NotImplementedError, TypeError):  # of TensorFlow and JAX, while they trace
        return True
    return bool(np.all(np.isfinite(values)))
