"""What people write today where labels are missing, and what gets through it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarks.subjects import Subject

Tensor = Any
Loss = Callable[[Tensor, Tensor], Tensor]


def label_losses(subject: Subject) -> Loss | None:
    """The formula, one loss per label, by which the alternatives are written."""
    logits = bool(subject.options.get("from_logits"))

    def huber(y: Tensor, p: Tensor) -> Tensor:
        error = ops.abs(y - p)
        return ops.where(error <= 1.0, 0.5 * ops.square(error), error - 0.5)

    formulas: dict[str, Loss] = {
        "MeanSquaredError": lambda y, p: ops.square(y - p),
        "MeanAbsoluteError": lambda y, p: ops.abs(y - p),
        "Huber": huber,
        "BinaryCrossentropy": lambda y, p: ops.binary_crossentropy(y, p, logits),
        "CategoricalCrossentropy": lambda y, p: ops.categorical_crossentropy(y, p, logits),
        "SparseCategoricalCrossentropy": lambda y, p: ops.sparse_categorical_crossentropy(
            y, p, logits
        ),
    }
    return formulas.get(subject.name)


def alternatives(subject: Subject, compiled: bool) -> dict[str, Loss]:
    """Losses as people write them, by name; empty for losses that nobody is known to write."""
    formula = label_losses(subject)
    if formula is None:
        return {}
    ids = subject.kind.startswith("ids")
    vector = subject.kind.startswith("one-hot")

    def observed(y: Tensor) -> Tensor:
        if ids:
            return ops.not_equal(y, -1)
        found = ops.logical_not(ops.isnan(y))
        return ops.all(found, axis=-1) if vector else found

    def fill(o: Tensor, x: Tensor, value: float) -> Tensor:
        o = o[..., None] if len(o.shape) < len(x.shape) else o
        return ops.where(o, x, ops.full_like(x, value))

    def mean(losses: Tensor, o: Tensor) -> Tensor:
        return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(o, "float32")), 1.0)

    def output_where(y: Tensor, p: Tensor) -> Tensor:
        o = observed(y)
        losses = formula(y, p)
        return mean(ops.where(o, losses, ops.zeros_like(losses)), o)

    def zero_fill(y: Tensor, p: Tensor) -> Tensor:
        o = observed(y)
        return mean(formula(fill(o, y, 0), p) * ops.cast(o, "float32"), o)

    def double_where(y: Tensor, p: Tensor) -> Tensor:
        o = observed(y)
        losses = formula(fill(o, y, 0), fill(o, p, 0.5))
        return mean(ops.where(o, losses, ops.zeros_like(losses)), o)

    def boolean_index(y: Tensor, p: Tensor) -> Tensor:
        o = observed(y)
        if keras.config.backend() == "tensorflow":
            import tensorflow as tf

            return ops.mean(formula(tf.boolean_mask(y, o), tf.boolean_mask(p, o)))
        return ops.mean(formula(y[o], p[o]))

    found: dict[str, Loss] = {
        "where on the output": output_where,
        "zero-fill x mask": zero_fill,
        "double where": double_where,
    }
    if not compiled:  # shapes depend on values
        found["boolean indexing"] = boolean_index
    if optax := _optax(subject):
        found["optax where="] = lambda y, p: mean(optax(y, p, observed(y)), observed(y))
    return found


def _optax(subject: Subject) -> Callable[[Tensor, Tensor, Tensor], Tensor] | None:
    """Optax's loss, if it is there, has `where=` and this is JAX."""
    names = {
        "CategoricalCrossentropy (logits)": "softmax_cross_entropy",
        "SparseCategoricalCrossentropy (logits)": "softmax_cross_entropy_with_integer_labels",
    }
    if keras.config.backend() != "jax" or subject.title not in names:
        return None
    try:
        import optax
    except ImportError:
        return None
    loss = getattr(optax.losses, names[subject.title])
    if "where" not in inspect.signature(loss).parameters:
        return None
    # Optax masks classes, so that a missing label is a row of classes all masked.
    return lambda y, p, o: loss(p, y, where=ops.broadcast_to(o[..., None], p.shape))


def leaks(function: Loss, y_true: Tensor, y_pred: Tensor, subject: Subject) -> dict[str, str]:
    """Whether hidden labels, and NaN or infinite predictions there, reach value or gradient.

    Returns:
        For both: "no", or what was no longer finite, or what was raised.
    """
    absent = y_true == -1 if subject.kind.startswith("ids") else np.isnan(y_true)
    if subject.kind.startswith("ids"):
        absent = absent[..., None]
    either = np.where(np.arange(y_pred.shape[-1]) % 2, np.inf, np.nan)
    garbage = np.where(absent, either, y_pred).astype(y_pred.dtype)
    return {
        "NaN by label": _verdict(function, y_true, y_pred),
        "NaN by prediction": _verdict(function, y_true, garbage),
    }


def _verdict(function: Loss, y_true: Tensor, y_pred: Tensor) -> str:
    try:
        results = function(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))
    except Exception as error:
        return type(error).__name__
    value, gradient = (bool(np.all(np.isfinite(ops.convert_to_numpy(x)))) for x in results)
    if value and gradient:
        return "no"
    return "gradient" if value else "value" if gradient else "both"
