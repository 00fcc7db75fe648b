"""Areas under curves over all thresholds, with what they can be off by."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.metrics.base import defined_mean, known, quotient, register
from keras_masked.metrics.classes import one_versus_rest
from keras_masked.metrics.fine_bins import fine_bin, sum_bins
from keras_masked.metrics.probabilities import ProbabilityMetric
from keras_masked.observation import Missing, Observation
from keras_masked.validation import POSITIVE_INTEGER, ClassAverage, one_of

Tensor = Any

AVERAGES = ("macro", "micro", "weighted", None)


class RankedMetric(ProbabilityMetric):
    """Base class: a function of how many positives and negatives lie in each of many bins.

    A subclass implements `areas`.
    """

    _direction = "up"
    rows = 2
    """Kinds of sums: weights of negatives and of positives, and more."""

    admits = {"bins": POSITIVE_INTEGER, "average": one_of(*AVERAGES)}

    def __init__(
        self,
        bins: int,
        num_classes: int | None = None,
        average: ClassAverage = "macro",
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        self.per_column = num_classes is not None and average != "micro"
        super().__init__(
            num_classes,
            from_logits,
            sparse_y_true,
            name,
            dtype,
            missing=missing,
            bins=bins,
            average=average,
        )
        if self.per_column:
            self._set_columns(num_classes or 1)

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """By kind and bin."""
        return (self.rows, self.bins)

    def check_per_label(self) -> None:
        """Raises `ValueError` on several classes, which are columns of their own."""
        if self.num_classes is not None:
            raise ValueError(
                "`num_classes` makes a column of each class, where each label has one value here. "
                f"Received: num_classes={self.num_classes}"
            )

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed; of several classes, one label for each of them."""
        seen = super().observe(y_true, y_pred, sample_weight)
        return seen if self.num_classes is None else one_versus_rest(seen, self.sparse_y_true)

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self.observe(y_true, y_pred, sample_weight)
        self._state.add(self.collect(seen, self._state, self.per_column))

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The sums over a batch."""
        # As logits, softmax is of rows: each class against the others has that of log p / (1 - p).
        softmax = self.from_logits and self.num_classes is not None
        y_pred = ops.softmax(seen.y_pred, axis=-1) if softmax else seen.y_pred
        if not self.from_logits:
            y_pred = self.probabilities(seen)
        places = fine_bin(y_pred, self.bins, self.from_logits and not softmax)
        positive = ops.not_equal(seen.y_true, 0)
        weights = seen.weights
        # What has diverged makes the sum of its bin NaN, and thereby all: no pass over all bins.
        unknown = ops.logical_or(ops.isnan(y_pred), ops.isnan(seen.y_true))
        if seen.hidden is not None:
            unknown = ops.logical_and(unknown, ops.logical_not(seen.hidden()))
        known_weights = known(weights, ops.logical_not(unknown))
        kinds = places + ops.cast(positive, "int32") * self.bins
        sums = sum_bins(known_weights, kinds, 2 * self.bins, per_column)
        if self.rows > 2:
            counted = ops.logical_and(positive, ops.not_equal(weights, 0))
            counts = sum_bins(ops.cast(counted, weights.dtype), places, self.bins, per_column)
            sums = ops.concatenate([sums, counts])
        return ops.reshape(sums, (self.rows, self.bins, *sums.shape[1:]))

    def areas(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """The area, and how far it may be off; bins fall, so that the first are the highest."""
        raise NotImplementedError

    def _areas(self, state: Any) -> tuple[Tensor, Tensor]:
        return self.areas(ops.flip(state.value, axis=1))

    def score(self, state: Any) -> Tensor:
        """The area, or one per column."""
        return self._areas(state)[0]

    def defined(self, state: Any) -> Tensor:
        """Whether both classes have been observed."""
        labels = ops.sum(state.value[:2], axis=1)
        return ops.logical_and(ops.not_equal(labels[0], 0), ops.not_equal(labels[1], 0))

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over classes, or one value for each."""
        if self.average is None:
            return scores
        weights = ops.ones_like(scores)
        if self.average == "weighted":
            weights = ops.sum(self._state.value[1], axis=0)
        return defined_mean(scores, weights, defined)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights, or the number of observed labels."""
        labels = ops.sum(state.value[:2], axis=(0, 1))
        if self.num_classes is None:
            return labels
        return labels[0] if self.per_column else labels / self.num_classes

    def error_bound(self) -> Tensor:
        """Returns how far the result may be from that of all thresholds, rather than of the bins.

        It is what another order of the predictions within each bin could change, by the counts: 0
        where each bin has labels of one class. Of several classes, the mean of their bounds.
        """
        return ops.cast(self.bounds(self._state), self.dtype)

    def bounds(self, state: Any) -> Tensor:
        """How far each area may be off, NaN where undefined."""
        defined = self.defined(state)
        bounds = known(self._areas(state)[1], defined)
        return self.aggregate(bounds, defined) if self.per_column else bounds


@register
class ROCAUC(RankedMetric):
    r"""Area under the ROC curve: how often a positive label has the higher prediction of two.

    $$M = \frac{\sum_{ij} o_i w_i o_j w_j \, [y_i = 1, \, y_j = 0]
                \left([p_i > p_j] + \frac{1}{2} [p_i = p_j]\right)}
               {\sum_{ij} o_i w_i o_j w_j \, [y_i = 1, \, y_j = 0]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Predictions are equal
    where they share one of `bins` bins, which are dense at both ends: of the logit. `error_bound()`
    tells what that may change, at most: half the share of such pairs. NaN unless a positive and a
    negative label are observed.

    Of several classes, each against all others.

    Args:
        bins: Number of bins: 16 bytes of memory each, of each column.
        num_classes: Number of classes; by default, labels are binary.
        average: Of several classes `"macro"`, the mean of their areas, `"weighted"` by their
            numbers of labels, `"micro"`, the area of all together, or `None`, one for each.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar, or `(classes,)`.

    Raises:
        ValueError: On an unknown `average`, or if `y_pred` does not have `num_classes` classes, or
            holds what is no probability.

    Example:

    >>> metric = keras_masked.metrics.ROCAUC()
    >>> y_true = np.array([0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.1, 0.5, 0.3, 0.9, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4), float(metric.error_bound())
    (0.75, 0.0)

    Source: Hanley and McNeil 1982; `sklearn.metrics.roc_auc_score`.
    """

    def __init__(
        self,
        bins: int = 16384,
        num_classes: int | None = None,
        average: ClassAverage = "macro",
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = "roc_auc",
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(
            bins, num_classes, average, from_logits, sparse_y_true, name, dtype, missing=missing
        )

    def areas(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs in the right order and half of those in one bin, and that half."""
        shares = quotient(sums, ops.sum(sums, axis=1, keepdims=True))
        negatives, positives = shares[0], shares[1]
        above = _backend.cumsum(positives, axis=0) - positives
        tied = ops.sum(negatives * positives, axis=0) / 2
        return ops.sum(negatives * above, axis=0) + tied, tied


@register
class AveragePrecision(RankedMetric):
    r"""Mean precision over the positive labels, each at the threshold of its prediction.

    $$M = \frac{\sum_i o_i w_i [y_i = 1] \, \pi(p_i)}{\sum_i o_i w_i [y_i = 1]}, \quad
      \pi(t) = \frac{\sum_j o_j w_j [y_j = 1, p_j \ge t]}{\sum_j o_j w_j [p_j \ge t]}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Predictions are equal
    where they share one of `bins` bins, which are dense at both ends: of the logit. `error_bound()`
    tells what that may change, at most; it is wider where labels have weights. NaN unless a
    positive label is observed.

    Of several classes, each against all others.

    Args:
        bins: Number of bins: 24 bytes of memory each, of each column.
        num_classes: Number of classes; by default, labels are binary.
        average: Of several classes `"macro"`, the mean of their values, `"weighted"` by their
            numbers of labels, `"micro"`, the value of all together, or `None`, one for each.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        sparse_y_true: Whether labels are class ids, rather than one-hot rows.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these; by default, of
            class ids -1 as well.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; of several classes `y_pred`
    `(batch, ..., classes)`, and `y_true` of the same shape or, of ids, `(batch, ...)`. The result
    is a scalar, or `(classes,)`.

    Raises:
        ValueError: On an unknown `average`, or if `y_pred` does not have `num_classes` classes, or
            holds what is no probability.

    Example:

    >>> metric = keras_masked.metrics.AveragePrecision()
    >>> y_true = np.array([0.0, 0.0, 1.0, 1.0, np.nan])
    >>> y_pred = np.array([0.1, 0.5, 0.3, 0.9, 0.1])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 / 1 + 2 / 3) / 2
    0.8333

    Source: Zhu 2004; `sklearn.metrics.average_precision_score`.
    """

    rows = 3

    def __init__(
        self,
        bins: int = 65536,
        num_classes: int | None = None,
        average: ClassAverage = "macro",
        from_logits: bool = False,
        sparse_y_true: bool = False,
        name: str | None = "average_precision",
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(
            bins, num_classes, average, from_logits, sparse_y_true, name, dtype, missing=missing
        )

    def areas(self, sums: Tensor) -> tuple[Tensor, Tensor]:
        """That of the bins, and the farther of what is above and below."""
        negatives, positives, counts = sums[0], sums[1], sums[2]
        right = _backend.cumsum(positives, axis=0)
        wrong = _backend.cumsum(negatives, axis=0)
        before = right - positives
        all_wrong_before = wrong - negatives
        precision = quotient(right, right + wrong)
        # At best a bin's positives come first and tied, at worst last, one by one.
        best = quotient(right, right + all_wrong_before)
        one_by_one = positives - wrong * ops.log1p(quotient(positives, before + wrong))
        worst = ops.where(counts <= 1, positives * precision, one_by_one)
        whole = ops.sum(positives, axis=0)
        value = quotient(ops.sum(positives * precision, axis=0), whole)
        above = quotient(ops.sum(positives * (best - precision), axis=0), whole)
        below = quotient(ops.sum(positives * precision - worst, axis=0), whole)
        return value, _backend.maximum(above, below)

    def defined(self, state: Any) -> Tensor:
        """Whether a positive label has been observed."""
        return ops.not_equal(ops.sum(state.value[1], axis=0), 0)
