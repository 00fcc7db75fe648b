"""How many labels of each class are in each cluster, and the accuracies that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.contingency import contingency_table, greatest
from keras_masked.missing import Missing, check_class_ids, reject_masked_arrays
from keras_masked.observation import holds_class_ids, observe

Tensor = Any

ASSIGNMENTS = ("majority", "optimal")


def contingency(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    *,
    missing: Missing,
    classes: int,
    clusters: int,
) -> Tensor:
    """The weights of the observed labels, summed by class and cluster: `(classes, clusters)`.

    NaN where an id that counts is none of a class or cluster.

    Args:
        y_true: Class ids.
        y_pred: Cluster ids, or one score per cluster on a last axis, of which the greatest counts.
        sample_weight: Weights: a scalar, one per row, or one per label.
        missing: The `missing=` policy.
        classes: Number of classes.
        clusters: Number of clusters.
    """
    reject_masked_arrays(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
    mask = _backend.get_keras_mask(y_pred)
    if mask is None and sample_weight is None:  # these may hide any id
        check_class_ids(y_true, missing, classes)
    y_pred = ops.stop_gradient(ops.convert_to_tensor(y_pred))
    if holds_class_ids(y_true, y_pred) and y_pred.shape[-1] != 1:
        if y_pred.shape[-1] not in (clusters, None):
            raise ValueError(
                "`y_pred` must hold ids of clusters, of the shape of `y_true`, or one score for "
                f"each of the {clusters} clusters. Received: y_true.shape="
                f"{tuple(ops.shape(y_true))}, y_pred.shape={tuple(y_pred.shape)}"
            )
        y_pred = greatest(y_pred)
    if mask is not None:
        _backend.set_keras_mask(y_pred, mask)
    seen = observe(y_true, y_pred, sample_weight, missing=missing, dtype="float32")
    return contingency_table(seen, classes, clusters)


def accuracy_of(counts: Tensor, assignment: str) -> Tensor:
    """The share of labels whose class is that of their cluster; NaN without labels."""
    labels = ops.sum(counts)
    if assignment == "optimal":
        right = ops.convert_to_tensor(_best_pairs(counts), dtype=labels.dtype)
    else:
        right = ops.sum(ops.amax(counts, axis=0))
    none = ops.equal(labels, 0)
    # An id that is none of a class or cluster could have been right or wrong.
    share = right / ops.where(none, ops.ones_like(labels), labels)
    unknown = ops.logical_or(none, ops.isnan(labels))
    return ops.where(unknown, ops.full_like(share, float("nan")), share)


def check_assignment(assignment: Any, classes: Any, clusters: Any) -> None:
    """Raises `ValueError` on options that make no sense, and where SciPy is needed and missing."""
    if assignment not in ASSIGNMENTS:
        raise ValueError(
            f"Invalid value for argument `assignment`. Expected one of {ASSIGNMENTS}. "
            f"Received: assignment={assignment!r}"
        )
    for name, number in (("num_classes", classes), ("num_clusters", clusters)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ValueError(f"Argument `{name}` must be at least 1. Received: {name}={number!r}")
    if assignment == "optimal":
        _solver()


def _best_pairs(counts: Tensor) -> float:
    """How many labels the best one-to-one assignment of clusters to classes gets right.

    NaN within a compiled graph, where SciPy cannot look at them.
    """
    solve = _solver()
    try:
        table = np.asarray(ops.convert_to_numpy(counts), "float64")
    except Exception:  # each backend has an error of its own for values not at hand
        return float("nan")  # no error: Keras traces metrics once, also where it runs eagerly
    if not np.isfinite(table).all():
        return float("nan")
    return float(table[solve(table, maximize=True)].sum())


def _solver() -> Any:
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError('`assignment="optimal"` needs SciPy: pip install scipy') from error
    return linear_sum_assignment
