"""Accuracy of clusters, as a function."""

from __future__ import annotations

from typing import Any

from keras_masked.clusters import accuracy_of, check_assignment, contingency
from keras_masked.functions.base import register_metric
from keras_masked.missing import CLASS_IDS, Missing, standardize_missing

Tensor = Any


@register_metric
def clustering_accuracy(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    num_classes: int,
    num_clusters: int | None = None,
    assignment: str = "majority",
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the share of observed labels that are of their cluster's class; NaN without any.

    See `ClusteringAccuracy`.

    >>> y_true = np.array([0, 0, 1, 1, -1])
    >>> y_pred = np.array([2, 2, 0, 2, 1])
    >>> float(keras_masked.metrics.clustering_accuracy(y_true, y_pred, num_classes=3))
    0.75
    """
    clusters = num_classes if num_clusters is None else num_clusters
    check_assignment(assignment, num_classes, clusters)
    counts = contingency(
        y_true,
        y_pred,
        None,
        missing=standardize_missing(missing),
        classes=num_classes,
        clusters=clusters,
    )
    return accuracy_of(counts, assignment)
