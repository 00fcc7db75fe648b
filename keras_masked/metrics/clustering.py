"""Accuracy of clusters, from a contingency matrix."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.clusters import accuracy_of, check_assignment, contingency
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.missing import CLASS_IDS, Missing

Tensor = Any


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
        check_assignment(assignment, num_classes, clusters)
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
