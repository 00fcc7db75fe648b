"""Ranking metrics: how good the first items of a list are, ordered by their scores."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.support import NON_NEGATIVE
from keras_masked.formulas import Labels
from keras_masked.metrics.base import quotient, register
from keras_masked.metrics.lists import ListMetric, Lists, best
from keras_masked.observation import CLASS_IDS, Missing
from keras_masked.validation import POSITIVE_INTEGER, optional

Tensor = Any


class RankingMetric(ListMetric):
    """Base class: a value of the first k items of each list, in the order of their scores."""

    label = Labels(domain=NON_NEGATIVE)
    default_missing = CLASS_IDS
    _direction = "up"

    admits = {"k": optional(POSITIVE_INTEGER)}

    def __init__(self, k: int | None, name: str | None, dtype: Any, missing: Missing) -> None:
        super().__init__(name, dtype, missing=missing, k=k)

    def first(self, x: Tensor) -> Tensor:
        """Of the first k items."""
        k = self._options["k"]
        return x if k is None else x[..., :k]

    def gains(self, lists: Lists) -> Tensor:
        """What an item is worth: 1 of a relevance of 1 or more, else 0."""
        return ops.cast(lists.labels >= 1, lists.scores.dtype)

    def of_lists(self, lists: Lists) -> tuple[Tensor, Tensor, Tensor]:
        """The values of lists with any gain, and their weights: the mean ones, by gains."""
        gains = self.gains(lists)
        whole = ops.sum(gains, axis=-1)
        weights = quotient(ops.sum(gains * lists.weights, axis=-1), whole)
        return self.value(gains, lists), weights, ops.not_equal(whole, 0)

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """Of each list; anything where there is no gain."""
        raise NotImplementedError


def positions(x: Tensor) -> Tensor:
    """1, 2, 3, ... for the items of lists."""
    return ops.arange(1, x.shape[-1] + 1, dtype=x.dtype)


@register
class NDCG(RankingMetric):
    r"""Normalised discounted cumulative gain of each list, averaged.

    $$\mathrm{NDCG} = \frac{\sum_{i \le k} g_i / \log_2(i + 1)}
                           {\sum_{i \le k} g^*_i / \log_2(i + 1)},
      \quad g = w \, (2^y - 1)$$

    Of each list the observed items, in the order of their scores; items of one score keep the order
    in which they stand. $g_i$ is the gain at position $i$, and $g^*_i$ that in the best order. A
    list without a gain is undefined, and the mean skips it.

    Args:
        k: How many items count, from the best score on; by default all.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which relevances are missing: by default NaN and, as in Keras RS, -1.

    Shapes: `y_true` and `y_pred` `(..., items)`; the result is a scalar.

    Raises:
        ValueError: If `k` is no positive integer, or relevances are negative and not named missing.

    Example:

    >>> metric = keras_masked.metrics.NDCG()
    >>> y_true = np.array([[0.0, 2.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 0.2, np.nan, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 3 / 2) / (3 + 1 / log2(3)): ordered 1, 0, 2
    0.6885

    Source: `keras_rs.metrics.NDCG`; Järvelin and Kekäläinen 2002.
    """

    def __init__(
        self,
        k: int | None = None,
        name: str | None = "ndcg",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(k, name, dtype, missing)

    def gains(self, lists: Lists) -> Tensor:
        """2^y - 1."""
        return 2.0**lists.labels - 1.0

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """The discounted gains, over those of the best order."""
        gains = gains * lists.weights
        ideal = -ops.sort(-gains, axis=-1)
        gained, most = (self._discounted(self.first(x)) for x in (gains, ideal))
        return quotient(gained, most)

    def _discounted(self, gains: Tensor) -> Tensor:
        discounts = math.log(2) / ops.log(1.0 + positions(gains))
        return ops.sum(gains * discounts, axis=-1)


@register
class MeanReciprocalRank(RankingMetric):
    r"""One over the position of the first relevant item of each list, averaged.

    $$\mathrm{RR} = \max_{i \le k} \frac{[y_i \ge 1]}{i}$$

    Of each list the observed items, in the order of their scores; items of one score keep the order
    in which they stand. 0 where none of the first k is relevant. A list without a relevant item is
    undefined, and the mean skips it.

    Args:
        k: How many items count, from the best score on; by default all.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which relevances are missing: by default NaN and, as in Keras RS, -1.

    Shapes: `y_true` and `y_pred` `(..., items)`; the result is a scalar.

    Raises:
        ValueError: If `k` is no positive integer, or relevances are negative and not named missing.

    Example:

    >>> metric = keras_masked.metrics.MeanReciprocalRank()
    >>> y_true = np.array([[0.0, 2.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 0.2, np.nan, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # the first is relevant
    1.0

    Source: `keras_rs.metrics.MeanReciprocalRank`.
    """

    def __init__(
        self,
        k: int | None = None,
        name: str | None = "mean_reciprocal_rank",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(k, name, dtype, missing)

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """1 / i of the first relevant item."""
        gains = self.first(gains)
        return best(gains / positions(gains))


@register
class MeanAveragePrecision(RankingMetric):
    r"""Average precision of each list, averaged.

    $$\mathrm{AP} = \frac{\sum_{i \le k} w_i [y_i \ge 1] \, P_i}{\sum_i w_i [y_i \ge 1]},
      \quad P_i = \frac 1 i \sum_{j \le i} [y_j \ge 1]$$

    Of each list the observed items, in the order of their scores; items of one score keep the order
    in which they stand. The sum below is over all items, not the first k, as in Keras RS. A list
    without a relevant item is undefined, and the mean skips it.

    Args:
        k: How many items count, from the best score on; by default all.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which relevances are missing: by default NaN and, as in Keras RS, -1.

    Shapes: `y_true` and `y_pred` `(..., items)`; the result is a scalar.

    Raises:
        ValueError: If `k` is no positive integer, or relevances are negative and not named missing.

    Example:

    >>> metric = keras_masked.metrics.MeanAveragePrecision()
    >>> y_true = np.array([[0.0, 2.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 0.2, np.nan, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 2 / 3) / 2: ordered 1, 0, 2
    0.8333

    Source: `keras_rs.metrics.MeanAveragePrecision`.
    """

    def __init__(
        self,
        k: int | None = None,
        name: str | None = "mean_average_precision",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(k, name, dtype, missing)

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """The mean precision at the relevant items."""
        first, weights = self.first(gains), self.first(lists.weights)
        precisions = _backend.cumsum(first, axis=-1) / positions(first)
        found = ops.sum(precisions * first * weights, axis=-1)
        return quotient(found, ops.sum(gains * lists.weights, axis=-1))


@register
class PrecisionAtK(RankingMetric):
    r"""Share of relevant items among the first k of each list, averaged.

    $$P_k = \frac{\sum_{i \le k} [y_i \ge 1]}{\min(k, n)}$$

    Of each list the observed items, in the order of their scores; items of one score keep the order
    in which they stand. $n$ is how many are observed; a list without any is undefined, and the mean
    skips it. Without a relevant item the share is 0.

    Args:
        k: How many items count, from the best score on; by default all.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which relevances are missing: by default NaN and, as in Keras RS, -1.

    Shapes: `y_true` and `y_pred` `(..., items)`; the result is a scalar.

    Raises:
        ValueError: If `k` is no positive integer, or relevances are negative and not named missing.

    Example:

    >>> metric = keras_masked.metrics.PrecisionAtK(k=2)
    >>> y_true = np.array([[0.0, 2.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 0.2, np.nan, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # ordered 1, 0, 2
    0.5

    Source: `keras_rs.metrics.PrecisionAtK`.
    """

    def __init__(
        self,
        k: int | None = None,
        name: str | None = "precision_at_k",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(k, name, dtype, missing)

    def of_lists(self, lists: Lists) -> tuple[Tensor, Tensor, Tensor]:
        """The values of all lists with items; those without a relevant one have a weight, too."""
        values, weights, relevant = super().of_lists(lists)
        return values, ops.where(relevant, weights, lists.mean_weight), lists.any_shown

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """Relevant items over items."""
        return quotient(
            ops.sum(self.first(gains), axis=-1), ops.sum(self.first(lists.shown), axis=-1)
        )


@register
class RecallAtK(RankingMetric):
    r"""Share of each list's relevant items that are among its first k, averaged.

    $$R_k = \frac{\sum_{i \le k} [y_i \ge 1]}{\sum_i [y_i \ge 1]}$$

    Of each list the observed items, in the order of their scores; items of one score keep the order
    in which they stand. A list without a relevant item is undefined, and the mean skips it.

    Args:
        k: How many items count, from the best score on; by default all.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which relevances are missing: by default NaN and, as in Keras RS, -1.

    Shapes: `y_true` and `y_pred` `(..., items)`; the result is a scalar.

    Raises:
        ValueError: If `k` is no positive integer, or relevances are negative and not named missing.

    Example:

    >>> metric = keras_masked.metrics.RecallAtK(k=2)
    >>> y_true = np.array([[0.0, 2.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 0.2, np.nan, 0.9]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # ordered 1, 0, 2
    0.5

    Source: `keras_rs.metrics.RecallAtK`.
    """

    def __init__(
        self,
        k: int | None = None,
        name: str | None = "recall_at_k",
        dtype: Any = None,
        *,
        missing: Missing = CLASS_IDS,
    ) -> None:
        super().__init__(k, name, dtype, missing)

    def value(self, gains: Tensor, lists: Lists) -> Tensor:
        """Relevant items among the first, over all."""
        return quotient(ops.sum(self.first(gains), axis=-1), ops.sum(gains, axis=-1))
