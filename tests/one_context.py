"""What keeps JAX fast in processes that compile thousands of graphs."""

from __future__ import annotations

import functools

import keras


def share_one_context() -> None:
    """Has JAX lower all graphs of this process in one context of MLIR, as on no user's machine.

    It makes one for each graph, which takes a third of a small compilation, and MLIR looks through
    what the thread has kept of all of them: after ten thousand, a test takes seven times as long.
    """
    if keras.config.backend() != "jax":
        return
    from jax._src.interpreters import mlir

    if hasattr(mlir, "make_ir_context"):
        mlir.make_ir_context = functools.cache(mlir.make_ir_context)
