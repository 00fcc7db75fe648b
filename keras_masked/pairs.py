"""Losses over pairs of rows: a row whose label is missing forms no pair."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas.similarity import circle
from keras_masked.hiding import replace
from keras_masked.missing import Missing
from keras_masked.observation import Observation, observe

Tensor = Any


def circle_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    gamma: float = 80.0,
    margin: float = 0.4,
    remove_diagonal: bool = True,
) -> tuple[Tensor, Observation]:
    """The loss of each anchor, and which anchors count: those of a positive loss, as in Keras."""
    seen = _observe(y_true, y_pred, missing, dtype)
    others = seen
    if ref_embeddings is not None or ref_labels is not None:
        others = _observe(
            y_true if ref_labels is None else ref_labels,
            y_pred if ref_embeddings is None else ref_embeddings,
            missing,
            seen.dtype,
        )
    same = ops.equal(ops.expand_dims(seen.y_true, 1), ops.expand_dims(others.y_true, 0))
    different = ops.logical_not(same)
    if remove_diagonal:
        rows, columns = (ops.arange(size, dtype="int32") for size in ops.shape(same))
        itself = ops.equal(ops.expand_dims(rows, 1), ops.expand_dims(columns, 0))
        same = ops.logical_and(same, ops.logical_not(itself))
    for observed, axis in ((seen.observed, 1), (others.observed, 0)):
        if observed is not None:
            pairs = ops.expand_dims(observed, axis)
            same, different = ops.logical_and(same, pairs), ops.logical_and(different, pairs)
    # The embeddings of rows in no pair still meet the others in the product: 0 times NaN is NaN.
    anchors = replace(seen.y_pred, seen.hidden, 0.0)
    references = replace(others.y_pred, others.hidden, 0.0)
    distances = ops.relu(1.0 - ops.matmul(anchors, ops.transpose(references)))
    losses = circle(distances, same, different, gamma, margin)
    # "Not <= 0" rather than "> 0": a NaN loss must count.
    seen = seen.restrict(ops.logical_not(ops.less_equal(losses, 0)))
    return losses, seen.weighted(sample_weight, losses)


def _observe(y_true: Tensor, y_pred: Tensor, missing: Missing, dtype: str | None) -> Observation:
    return observe(y_true, y_pred, missing=missing, dtype=dtype, label_axes=1, class_ids=True)
