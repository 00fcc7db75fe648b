"""What the examples in docstrings may take for granted, and what keeps JAX fast in long tests."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked

if keras.config.backend() == "jax":
    from jax._src.interpreters import mlir

    several_threads = getattr(mlir, "make_ir_context", None)

    def one_thread() -> Any:
        """A context of JAX's compiler that keeps nothing for each thread.

        Every compilation has a context of its own, and MLIR looks through what the thread has kept
        of all of them, again and again: after ten thousand, a test takes seven times as long.
        """
        context = several_threads()
        context.enable_multithreading(False)
        return context

    if several_threads is not None:
        mlir.make_ir_context = one_thread


@pytest.fixture(autouse=True)
def names(doctest_namespace: dict[str, Any]) -> None:
    """Imports that every example would otherwise repeat."""
    doctest_namespace.update(keras=keras, keras_masked=keras_masked, np=np)
