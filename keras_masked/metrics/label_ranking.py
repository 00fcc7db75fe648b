"""Metrics of how well the labels of each sample are ranked, as in scikit-learn."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked.formulas import PROBABILITY
from keras_masked.formulas.ties import with_ties
from keras_masked.metrics.base import quotient, register
from keras_masked.metrics.lists import ListMetric, Lists, best

Tensor = Any


class LabelRanking(ListMetric):
    """Base class: a value of the binary labels of each sample. A subclass implements `value`."""

    label = PROBABILITY

    def of_lists(self, lists: Lists) -> tuple[Tensor, Tensor, Tensor]:
        """The values of samples with any observed label, and the mean weights of these."""
        return self.value(lists), lists.mean_weight, lists.any_shown

    def value(self, lists: Lists) -> Tensor:
        """Of each sample."""
        raise NotImplementedError


def relevant(lists: Lists) -> Tensor:
    """1 for positive labels, else 0."""
    return ops.cast(ops.not_equal(lists.labels, 0), lists.scores.dtype)


def _up_to(lists: Lists, counted: Tensor) -> Tensor:
    """How many that count are scored as high as each label, or higher."""
    size = lists.scores.shape[-1]
    if not size:
        return counted

    def columns(x: Tensor) -> Tensor:
        return ops.transpose(ops.reshape(x, (-1, size)))

    found, _ = with_ties(columns(counted), columns(lists.scores))
    return ops.reshape(ops.transpose(found), ops.shape(lists.scores))


@register
class LabelRankingAveragePrecision(LabelRanking):
    r"""Mean precision at the ranks of each sample's positive labels, averaged over samples.

    $$M_s = \frac{1}{|P|} \sum_{j \in P} \frac{|\{k \in P: p_k \ge p_j\}|}{|\{k: p_k \ge p_j\}|}$$

    with $P$ the positive labels of sample $s$, and k any of its observed ones. As in scikit-learn,
    it is 1 where all are positive or none is. A sample of which nothing is observed does not count.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        **masking: See `MaskedMetric`.

    Shapes: `y_true` and `y_pred` `(samples, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> metric = keras_masked.metrics.LabelRankingAveragePrecision()
    >>> y_true = np.array([[1.0, 0.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.5, np.nan, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 / 1 + 2 / 3) / 2
    0.8333

    Source: `sklearn.metrics.label_ranking_average_precision_score`.
    """

    _direction = "up"

    def value(self, lists: Lists) -> Tensor:
        """The mean precision, 1 where there is nothing to rank."""
        positive = relevant(lists)
        count = ops.sum(positive, axis=-1)
        precisions = quotient(_up_to(lists, positive), _up_to(lists, lists.shown))
        mean = quotient(ops.sum(precisions * positive, axis=-1), count)
        return ops.where(ops.equal(count, 0), ops.ones_like(mean), mean)


@register
class LabelRankingLoss(LabelRanking):
    r"""Share of a sample's pairs of a positive and a negative label in the wrong order, averaged.

    $$M_s = \frac{|\{(j, k): j \in P, k \notin P, p_j \le p_k\}|}{|P| \, (n - |P|)}$$

    with $P$ the positive labels of sample $s$, and n how many are observed. As in scikit-learn,
    labels of one score are in the wrong order, and it is 0 where all are positive or none is. A
    sample of which nothing is observed does not count.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        **masking: See `MaskedMetric`.

    Shapes: `y_true` and `y_pred` `(samples, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> metric = keras_masked.metrics.LabelRankingLoss()
    >>> y_true = np.array([[1.0, 0.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.5, np.nan, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # of two pairs, one
    0.5

    Source: `sklearn.metrics.label_ranking_loss`.
    """

    _direction = "down"

    def value(self, lists: Lists) -> Tensor:
        """Wrong pairs over pairs, 0 without any."""
        positive = relevant(lists)
        count = ops.sum(positive, axis=-1)
        above = _up_to(lists, lists.shown - positive)
        pairs = count * (ops.sum(lists.shown, axis=-1) - count)
        return quotient(ops.sum(above * positive, axis=-1), pairs)


@register
class CoverageError(LabelRanking):
    r"""How many labels to take, by their scores, to have all positive ones; averaged over samples.

    $$M_s = |\{k: p_k \ge \min_{j \in P} p_j\}|$$

    with $P$ the positive labels of sample $s$, and k any of its observed ones. As in scikit-learn,
    it is 0 where none is positive. A sample of which nothing is observed does not count.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        **masking: See `MaskedMetric`.

    Shapes: `y_true` and `y_pred` `(samples, ..., labels)`; the result is a scalar.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> metric = keras_masked.metrics.CoverageError()
    >>> y_true = np.array([[1.0, 0.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.9, 0.5, np.nan, 0.2]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # all three
    3.0

    Source: `sklearn.metrics.coverage_error`.
    """

    _direction = "down"

    def value(self, lists: Lists) -> Tensor:
        """Labels scored as high as the last of the positive ones."""
        of_positives = _up_to(lists, lists.shown) * relevant(lists)
        return best(of_positives)
