"""What the examples in docstrings may take for granted, and what keeps JAX fast in long tests."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked

if keras.config.backend() == "jax":
    from jax._src.interpreters import mlir

    # Each compilation makes a context of its own, which takes a third of it, and MLIR looks through
    # what the thread has kept of all of them: after ten thousand, a test takes seven times as long.
    if hasattr(mlir, "make_ir_context"):
        mlir.make_ir_context = functools.cache(mlir.make_ir_context)


@pytest.fixture(autouse=True)
def names(doctest_namespace: dict[str, Any]) -> None:
    """Imports that every example would otherwise repeat."""
    doctest_namespace.update(keras=keras, keras_masked=keras_masked, np=np)
