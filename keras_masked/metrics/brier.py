"""Brier score, and the shares of it and of the cross-entropy that predictions explain."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas import binary_crossentropy, categorical_crossentropy
from keras_masked.metrics.base import quotient, ratio, register
from keras_masked.metrics.columns import tally, total
from keras_masked.metrics.mean import MeanMetric
from keras_masked.metrics.probabilities import ProbabilityMetric
from keras_masked.observation import Observation

Tensor = Any


@register
class BrierScore(ProbabilityMetric, MeanMetric):
    r"""Mean squared error of predicted probabilities: a proper score, 0 at best.

    $$M = \frac{\sum_i o_i w_i \, (p_i - y_i)^2}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight; of three or more classes
    $\sum_c (p_{ic} - y_{ic})^2$, and of two half of it, as in scikit-learn. NaN where nothing is
    observed.

    Args:
        num_classes: Number of classes; by default, labels are binary.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar.

    Raises:
        ValueError: If `y_pred` does not have `num_classes` classes, or holds what is no
            probability.

    Example:

    >>> metric = keras_masked.metrics.BrierScore()
    >>> metric.update_state(np.array([1.0, 0.0, np.nan]), np.array([0.8, 0.4, 0.9]))
    >>> round(float(metric.result()), 4)  # (0.04 + 0.16) / 2
    0.1

    Source: Brier 1950; `sklearn.metrics.brier_score_loss`.
    """

    _direction = "down"

    def label_values(self, seen: Observation) -> Tensor:
        """The score of each label, whatever it is where hidden."""
        p = self.probabilities(seen)
        if self.num_classes is None:
            return ops.square(p - seen.y_true)
        score = ops.sum(ops.square(p - self.indicators(seen)), axis=-1)
        return score / 2 if self.num_classes == 2 else score


class Explained(ProbabilityMetric):
    """Base class: one minus the score of the predictions by that of the labels' mean.

    A subclass implements `label_scores` and `of_mean`.
    """

    _direction = "up"

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """Scores, softness of the labels, number of labels, and labels of each class."""
        return (3 + (self.num_classes or 2),)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        if self.num_classes is None:
            y = ops.stack([1 - seen.y_true, seen.y_true], axis=-1)
        else:
            y = self.indicators(seen)
        scores = self.label_scores(seen)
        if seen.hidden is not None:
            hidden = seen.hidden()
            scores = _backend.zero_where(hidden, scores)
            y = _backend.zero_where(ops.broadcast_to(hidden[..., None], ops.shape(y)), y)
        counted = tally(ops.ones_like(scores, dtype="bool"), seen, per_column)
        soft = ops.sum(y * (1 - y), axis=-1)
        if seen.weight is not None:
            scores, soft = scores * seen.weight, soft * seen.weight
            y = y * seen.weight[..., None]
        sums = [total(scores, per_column), total(soft, per_column), counted]
        classes = y.shape[-1]
        apart = 2 if per_column and len(y.shape) > 2 else 1
        of_class = ops.sum(y, axis=tuple(range(len(y.shape) - apart)))
        if per_column:
            of_class = ops.transpose(ops.reshape(of_class, (-1, classes)))
        return ops.concatenate([ops.stack(sums), of_class])

    def label_scores(self, seen: Observation) -> Tensor:
        """The score of each label, whatever it is where hidden."""
        raise NotImplementedError

    def of_mean(self, shares: Tensor, others: Tensor, soft: Tensor) -> Tensor:
        """The mean score of predicting the share of each class.

        Args:
            shares: Of each class, of the labels.
            others: What the other classes have; not one minus that, which would cancel.
            soft: Mean of y (1 - y), summed over classes: 0 where labels are 0 and 1.
        """
        raise NotImplementedError

    def _parts(self, state: Any) -> tuple[Tensor, Tensor]:
        sums = state.value
        shares = quotient(sums[3:], sums[2:3])
        classes = shares.shape[0]
        columns = (1,) * (len(shares.shape) - 1)
        off = ops.reshape(1 - ops.eye(classes, dtype=shares.dtype), (classes, classes, *columns))
        others = ops.sum(off * shares[:, None], axis=0)
        return quotient(sums[0], sums[2]), self.of_mean(shares, others, quotient(sums[1], sums[2]))

    def score(self, state: Any) -> Tensor:
        """One minus the ratio of both."""
        return 1 - ratio(*self._parts(state))

    def defined(self, state: Any) -> Tensor:
        """Whether labels differ, or a prediction has diverged."""
        scores, of_mean = self._parts(state)
        return ops.logical_or(of_mean > 0, ops.isnan(scores + of_mean))

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.value[2]


@register
class D2BrierScore(Explained):
    r"""Brier skill score: the share of the Brier score of the labels' mean that is explained.

    $$M = 1 - \frac{\sum_i o_i w_i \sum_c (p_{ic} - y_{ic})^2}
                   {\sum_i o_i w_i \sum_c (\bar y_c - y_{ic})^2}$$

    with $\bar y$ the weighted mean of the observed labels. 1 at best, 0 for the mean, below for
    worse. NaN where all observed labels are of one class.

    Args:
        num_classes: Number of classes; by default, labels are binary.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar.

    Raises:
        ValueError: If `y_pred` does not have `num_classes` classes, or holds what is no
            probability.

    Example:

    >>> metric = keras_masked.metrics.D2BrierScore()
    >>> metric.update_state(np.array([1.0, 0.0, np.nan]), np.array([0.8, 0.4, 0.9]))
    >>> round(float(metric.result()), 4)  # 1 - 0.1 / 0.25
    0.6

    Source: WWRP/WGNE 2017, forecast verification, Brier skill score;
    `sklearn.metrics.d2_brier_score`.
    """

    def label_scores(self, seen: Observation) -> Tensor:
        """The Brier score of each label, over all classes."""
        p = self.probabilities(seen)
        if self.num_classes is None:
            return 2 * ops.square(p - seen.y_true)
        return ops.sum(ops.square(p - self.indicators(seen)), axis=-1)

    def of_mean(self, shares: Tensor, others: Tensor, soft: Tensor) -> Tensor:
        """The variance of the labels, over all classes."""
        return ops.sum(shares * others, axis=0) - soft


@register
class D2LogLossScore(Explained):
    r"""The share of the cross-entropy of the labels' mean that is explained.

    $$M = 1 - \frac{\sum_i o_i w_i \sum_c y_{ic} \log p_{ic}}
                   {\sum_i o_i w_i \sum_c y_{ic} \log \bar y_c}$$

    with $\bar y$ the weighted mean of the observed labels. 1 at best, 0 for the mean, below for
    worse. NaN where all observed labels are of one class. Probabilities are kept away from 0 and
    1 by Keras's epsilon, as in its cross-entropies.

    Args:
        num_classes: Number of classes; by default, labels are binary.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar.

    Raises:
        ValueError: If `y_pred` does not have `num_classes` classes, or holds what is no
            probability.

    Example:

    >>> metric = keras_masked.metrics.D2LogLossScore()
    >>> metric.update_state(np.array([1.0, 0.0, np.nan]), np.array([0.8, 0.4, 0.9]))
    >>> round(float(metric.result()), 4)  # 1 - (log 0.8 + log 0.6) / (2 log 0.5)
    0.4706

    Source: McFadden 1974; `sklearn.metrics.d2_log_loss_score`.
    """

    def label_scores(self, seen: Observation) -> Tensor:
        """The cross-entropy of each label."""
        p = seen.y_pred if self.from_logits else self.probabilities(seen)
        if self.num_classes is None:
            return binary_crossentropy(seen.y_true, p, from_logits=self.from_logits)
        y = self.indicators(seen)
        return categorical_crossentropy(y, p, from_logits=self.from_logits)

    def of_mean(self, shares: Tensor, others: Tensor, soft: Tensor) -> Tensor:
        """The entropy of the shares."""
        one = ops.ones_like(shares)
        small = ops.log(ops.where(shares > 0, shares, one))
        large = ops.log1p(-ops.where(shares > 0.5, others, ops.zeros_like(others)))
        return -ops.sum(shares * ops.where(shares > 0.5, large, small), axis=0)
