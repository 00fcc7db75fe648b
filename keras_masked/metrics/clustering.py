"""How many labels of each class are in each cluster, and the accuracies that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.metrics.accumulator import sums_dtype
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.metrics.contingency import contingency_table, greatest
from keras_masked.observation import (
    CLASS_IDS,
    Missing,
    check_class_ids,
    holds_class_ids,
    observe,
    reject_arrays,
    standardize_missing,
)
from keras_masked.validation import POSITIVE_INTEGER, one_of, optional

Tensor = Any


def contingency(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    *,
    missing: Missing,
    classes: int,
    clusters: int,
    dtype: str = "float32",
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
        dtype: Dtype of the sums.
    """
    reject_arrays(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
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
    seen = observe(y_true, y_pred, sample_weight, missing=missing, dtype=dtype)
    return contingency_table(seen, classes, clusters)


def accuracy_of(counts: Tensor, assignment: str) -> Tensor:
    """The share of labels whose class is that of their cluster; NaN without labels."""
    labels = ops.sum(counts)
    if assignment == "optimal":
        right = ops.convert_to_tensor(_best_pairs(counts), dtype=labels.dtype)
    else:
        right = ops.sum(_backend.amax(counts, axis=0))
    none = ops.equal(labels, 0)
    # An id that is none of a class or cluster could have been right or wrong.
    share = right / ops.where(none, ops.ones_like(labels), labels)
    unknown = ops.logical_or(none, ops.isnan(labels))
    return ops.where(unknown, ops.full_like(share, float("nan")), share)


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


@register
class ClusteringAccuracy(MaskedMetric):
    r"""Share of the observed labels that are of the class which stands for their cluster.

    $$M = \frac{\max_{a} \sum_k C_{a(k) k}}{\sum_{jk} C_{jk}}, \quad
      C_{jk} = \sum_i o_i w_i \, [y_i = j, \, p_i = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, $w_i$ its weight, and $a(k)$ the class of
    cluster $k$. With `assignment="majority"`, a cluster has the class of most of its labels, and
    several clusters may have the same; one cluster per label would be right everywhere. With
    `"optimal"`, no two clusters have the same class, and clusters in excess have none. NaN where
    nothing is observed.

    The optimal assignment needs SciPy, which solves it outside of compiled graphs; within, the
    result is NaN. `compile` with `run_eagerly=True`, or update the metric in a loop of your own.

    Args:
        num_classes: Number of classes.
        num_clusters: Number of clusters; by default, that of classes.
        assignment: `"majority"` or `"optimal"`.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(batch, ...)`; `y_pred` `(batch, ...)` of cluster ids, or
    `(batch, ..., clusters)` of scores, of which the greatest counts; the result is a scalar.

    Raises:
        ValueError: On an unknown `assignment`, or if an id that is at hand and not named missing is
            none of the classes. Elsewhere such an id, or one of no cluster, makes the result NaN.
        ImportError: If `assignment="optimal"` and SciPy is not installed.

    Example:

    >>> metric = keras_masked.metrics.ClusteringAccuracy(num_classes=3)
    >>> metric.update_state(np.array([0, 0, 1, 1, -1]), np.array([2, 2, 0, 2, 1]))
    >>> float(metric.result())  # cluster 2 is class 0, cluster 0 is class 1: 3 of 4
    0.75

    Source: Yang et al. 2010 for the optimal assignment; `symjax.nn.losses.clustering_accuracy` for
    the majority.
    """

    _direction = "up"

    admits = {
        "num_classes": POSITIVE_INTEGER,
        "num_clusters": optional(POSITIVE_INTEGER),
        "assignment": one_of("majority", "optimal"),
    }

    def __init__(
        self,
        num_classes: int,
        num_clusters: int | None = None,
        assignment: str = "majority",
        name: str | None = "clustering_accuracy",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        clusters = num_classes if num_clusters is None else num_clusters
        if assignment == "optimal":
            _solver()  # says now what is not installed
        super().__init__(
            name,
            dtype,
            missing=missing,
            num_classes=num_classes,
            num_clusters=clusters,
            assignment=assignment,
        )
        self._state = self.accumulator((num_classes, clusters))

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        counts = contingency(
            y_true,
            y_pred,
            sample_weight,
            missing=self.missing,
            classes=self.num_classes,
            clusters=self.num_clusters,
            dtype=sums_dtype(self),
        )
        self._state.add(counts)

    def result(self) -> Tensor:
        """Returns the accuracy over everything observed so far, NaN where nothing is."""
        return ops.cast(accuracy_of(self._state.value, self.assignment), self.dtype)

    @property
    def contingency(self) -> Tensor:
        """The labels so far, counted: classes down, clusters across."""
        return self._state.value

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return ops.sum(self._state.value)


@register
def clustering_accuracy(
    y_true: Tensor,
    y_pred: Tensor,
    num_clusters: int | None = None,
    *,
    num_classes: int | None = None,
    assignment: str = "majority",
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the share of observed labels that are of their cluster's class; NaN without any.

    See `ClusteringAccuracy`. Of the numbers of clusters and of classes, one stands for both.

    >>> y_true = np.array([0, 0, 1, 1, -1])
    >>> y_pred = np.array([2, 2, 0, 2, 1])
    >>> float(keras_masked.metrics.clustering_accuracy(y_true, y_pred, 3))
    0.75
    """
    assignment = ClusteringAccuracy.checked(assignment=assignment)["assignment"]
    classes = num_clusters if num_classes is None else num_classes
    clusters = num_classes if num_clusters is None else num_clusters
    if classes is None or clusters is None:
        raise ValueError("`num_clusters` or `num_classes` must be given. Received: neither")
    sizes = ClusteringAccuracy.checked(num_classes=classes, num_clusters=clusters)
    counts = contingency(
        y_true,
        y_pred,
        None,
        missing=standardize_missing(missing),
        classes=sizes["num_classes"],
        clusters=sizes["num_clusters"],
    )
    return accuracy_of(counts, assignment)
