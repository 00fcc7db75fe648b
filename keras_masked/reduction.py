"""Denominators: from the losses of single labels to what a `reduction` returns.

With `l` the label losses, `o` whether observed and `w` the weights (x / 0 = 0 throughout):

| `reduction` | result |
|---|---|
| `"sum_over_batch_size"`, `"mean"` | sum(o w l) / sum(o) |
| `"mean_with_sample_weight"` | sum(o w l) / sum(o w) |
| `None`, `"none"` | m_r = sum(o w l) / sum(o) over each row r |
| `"sum"` | sum of m_r |
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.observation import Observation

Tensor = Any


def reduce_losses(
    losses: Tensor, seen: Observation, reduction: str | None, rows_are_labels: bool
) -> Tensor:
    """Reduces label losses that are 0 wherever hidden.

    Args:
        losses: One loss per label.
        seen: Which labels are observed, and their weights.
        reduction: As in Keras.
        rows_are_labels: Whether each label is a row of its own (vector labels, class ids);
            else the labels on the last axis are averaged to one row.
    """
    if seen.weight is not None:
        losses = losses * seen.weight
    if reduction in (None, "none"):
        return losses if rows_are_labels else row_means(losses, seen.observed)
    if reduction == "sum":
        return _sum(losses if rows_are_labels else row_means(losses, seen.observed))
    if reduction == "mean_with_sample_weight" and seen.weight is not None:
        return _ratio(_sum(losses), _sum(seen.weight))
    if seen.observed is None:
        return ops.mean(losses) if len(losses.shape) < 2 else ops.mean(ops.mean(losses, axis=-1))
    count = ops.cast(_backend.count(seen.observed), losses.dtype)
    return _sum(losses) / _at_least_one(count)


def row_means(losses: Tensor, observed: Tensor | None) -> Tensor:
    """Means over the observed entries of the last axis; 0 where a row has none."""
    if observed is None:
        return ops.mean(losses, axis=-1)
    count = ops.sum(ops.cast(observed, losses.dtype), axis=-1)
    return ops.sum(losses, axis=-1) / _at_least_one(count)


def _sum(x: Tensor) -> Tensor:
    """Sums the last axis first: XLA on CPU is several times slower over all axes at once."""
    return ops.sum(x) if len(x.shape) < 2 else ops.sum(ops.sum(x, axis=-1))


def _at_least_one(count: Tensor) -> Tensor:
    # A Python 1 would do, but Keras's promotion of numbers breaks PyTorch's compiled graph.
    return ops.maximum(count, ops.ones_like(count))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """x / 0 = 0, except that NaN / 0 stays NaN: a diverged prediction must remain visible."""
    zero = ops.equal(denominator, 0)
    safe = ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.zeros_like(numerator) * numerator, numerator / safe)
