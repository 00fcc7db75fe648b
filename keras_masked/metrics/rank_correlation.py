"""Correlations of ranks, over the whole data: classes."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas.ties import by, smaller_after, with_ties
from keras_masked.metrics.base import register
from keras_masked.metrics.kept import CAPACITY, KeepsLabels
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import one_of

Tensor = Any


class RankCorrelation(KeepsLabels):
    """Base class: a function of the order of labels and predictions.

    A subclass implements `correlate`.
    """

    kept = 2
    instead = "Take `PearsonCorrelation` with `axis=0` or `axis=None`."
    _direction = "up"

    admits = {"axis": one_of(None, 0)}

    def __init__(
        self, name: str | None, dtype: Any, axis: int | None, capacity: int, missing: Missing
    ) -> None:
        self.per_column = axis == 0
        super().__init__(name, dtype, missing=missing, axis=axis, capacity=capacity)

    @property
    def last_axis(self) -> int:
        """Labels stay where they are: `axis` says what is correlated."""
        return -1

    def values_of(self, seen: Observation) -> tuple[Tensor, ...]:
        """Labels and predictions."""
        return seen.y_true, seen.y_pred

    def correlate(self, y_true: Tensor, y_pred: Tensor, weights: Tensor) -> Tensor:
        """The correlation of each column; NaN where either side is constant."""
        raise NotImplementedError

    def columns_score(self, *contents: Tensor) -> Tensor:
        """The correlation of each column."""
        return self.correlate(*contents)

    def columns_defined(self, *contents: Tensor) -> Tensor:
        """Whether two labels differ, in each column."""
        labels, _, weights = contents
        shown, least = ops.not_equal(weights, 0), -float("inf")
        highest, lowest = (
            sign * _backend.amax(ops.where(shown, sign * labels, least), 0) for sign in (1.0, -1.0)
        )
        return highest > lowest


def centred_ranks(values: Tensor, weights: Tensor) -> Tensor:
    """The weight before each value and half of that of its equals, from half of the whole."""
    order = ops.argsort(values, axis=0)
    ordered, weights = (ops.take_along_axis(x, order, axis=0) for x in (values, weights))
    up_to, same = with_ties(weights, ordered)
    ranks = up_to - 0.5 * same - 0.5 * ops.sum(weights, axis=0)
    return ops.take_along_axis(ranks, ops.argsort(order, axis=0), axis=0)


def product_root(x: Tensor, y: Tensor) -> Tensor:
    """sqrt(x) sqrt(y): the product itself may be infinite."""
    return ops.sqrt(x) * ops.sqrt(y)


@register
class SpearmanCorrelation(RankCorrelation):
    r"""Spearman's correlation of the observed labels: Pearson's, of the ranks.

    $$\rho = \frac{\sum_i w_i (R_i - \bar R)(Q_i - \bar Q)}
                  {\sqrt{\sum_i w_i (R_i - \bar R)^2 \; \sum_i w_i (Q_i - \bar Q)^2}}$$

    with R and Q the ranks of observed labels and of predictions, those of equal ones averaged. With
    integer weights it is the correlation of repeated labels.

    Labels and predictions are kept, so that the value is that of the whole data, however split into
    batches. Undefined where fewer than two labels are observed, or all are equal. NaN where the
    predictions are all equal.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: `None` for all labels together, `0` for each column, averaged.
        capacity: How many labels to keep (of each column, with `axis=0` or in `PerLabel`). As soon
            as more than that have been observed, the result is NaN.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch.

    Example:

    >>> metric = keras_masked.metrics.SpearmanCorrelation()
    >>> y_true = np.array([[1.0, 2.0], [np.nan, 4.0]])
    >>> y_pred = np.array([[1.0, 30.0], [9.0, 20.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # of ranks 1, 2, 3 and 1, 3, 2
    0.5

    Source: `scipy.stats.spearmanr`.
    """

    def __init__(
        self,
        name: str | None = "spearman_correlation",
        dtype: Any = None,
        axis: int | None = None,
        capacity: int = CAPACITY,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, axis, capacity, missing)

    def correlate(self, y_true: Tensor, y_pred: Tensor, weights: Tensor) -> Tensor:
        """Pearson's correlation of the ranks."""
        r, q = centred_ranks(y_true, weights), centred_ranks(y_pred, weights)
        both, *each = (ops.sum(weights * a * b, axis=0) for a, b in ((r, q), (r, r), (q, q)))
        return both / product_root(*each)


@register
class KendallTau(RankCorrelation):
    r"""Kendall's rank correlation (tau-b) of the observed labels: pairs in the same order, or not.

    $$\tau = \frac{C - D}{\sqrt{N_y N_p}}$$

    with C and D the pairs of observed labels which predictions order alike and the other way, and
    $N_y$ and $N_p$ those that are not equal in labels and in predictions. A pair counts with the
    product of its weights: with integer weights it is the correlation of repeated labels.

    Labels and predictions are kept, so that the value is that of the whole data, however split into
    batches. Undefined where fewer than two labels are observed, or all are equal. NaN where the
    predictions are all equal.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: `None` for all labels together, `0` for each column, averaged.
        capacity: How many labels to keep (of each column, with `axis=0` or in `PerLabel`). As soon
            as more than that have been observed, the result is NaN.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If `capacity` is no positive integer, or on a replica's part of a batch.

    Example:

    >>> metric = keras_masked.metrics.KendallTau()
    >>> y_true = np.array([[1.0, 2.0], [np.nan, 4.0]])
    >>> y_pred = np.array([[1.0, 30.0], [9.0, 20.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (2 - 1) / 3
    0.3333

    Source: `scipy.stats.kendalltau`; Kendall 1945. Inversions as in Knight 1966.
    """

    def __init__(
        self,
        name: str | None = "kendall_tau",
        dtype: Any = None,
        axis: int | None = None,
        capacity: int = CAPACITY,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, axis, capacity, missing)

    def correlate(self, y_true: Tensor, y_pred: Tensor, weights: Tensor) -> Tensor:
        """From the inversions of predictions in the order of labels."""
        y_pred, y_true, weights = by(y_pred, y_true, weights)
        _, same_p = with_ties(weights, y_pred)
        y_true, y_pred, weights, same_p = by(y_true, y_pred, weights, same_p)
        _, same_y = with_ties(weights, y_true)
        _, same = with_ties(weights, y_true, y_pred)
        whole = ops.sum(weights, axis=0)
        pairs_y, pairs_p, of_p_alone = (
            0.5 * ops.sum(weights * x, axis=0)
            for x in (whole - same_y, whole - same_p, same_p - same)
        )
        # Equal labels stand in the order of their predictions, and so are no inversions.
        ordered = (
            pairs_y - of_p_alone - 2.0 * ops.sum(weights * smaller_after(y_pred, weights), axis=0)
        )
        return ordered / product_root(pairs_y, pairs_p)
