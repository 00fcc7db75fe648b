"""Whether labels fall where predicted distributions say, at all levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend, distributions
from keras_masked.formulas import WITH_ERRORS, Labels
from keras_masked.formulas.censored import share_below
from keras_masked.formulas.scores import probabilities
from keras_masked.metrics.base import ratio, register
from keras_masked.metrics.columns import ColumnMetric, tally, total
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import BOOLEAN, POSITIVE_INTEGER, QUANTILES

Tensor = Any


class Levels(ColumnMetric):
    """Base class: how much of the predicted probability lies below the labels, at several levels.

    The state has the weight of the labels at each level, and that of all.
    """

    spreads_values = False
    """Whether an exact count, too, is spread over the range of probabilities that it takes."""

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is for the distribution."""
        return WITH_ERRORS.under(self._options)

    @property
    def inner_levels(self) -> Sequence[float]:
        """The levels."""
        raise NotImplementedError

    def below(self, level: float, less: Tensor, up_to: Tensor) -> Tensor:
        """How much of a label counts as below a level: a share, or whether it does.

        Args:
            level: The level.
            less: How probable less than the label was.
            up_to: How probable no more than the label was.
        """
        raise NotImplementedError

    @property
    def sums_shape(self) -> tuple[int, ...]:
        """One weight a level, and that of all labels."""
        return (len(self.inner_levels) + 1,)

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The weights of a batch."""
        distribution = self._options["distribution"]
        ends = {"error": seen.error, "upper": seen.upper}
        less, up_to = probabilities(seen.y_true, seen.y_pred, distribution, **ends)
        if not self.spreads_values:
            exact = seen.upper is None or ops.equal(seen.y_true, seen.upper)
            up_to = ops.where(exact, less, up_to)
        zeros = ops.zeros_like(less)
        weights = seen.weight
        if weights is None:
            every = ops.ones_like(less)
            weights = every if seen.observed is None else ops.cast(seen.observed, less.dtype)
        hidden = ops.equal(weights, 0)
        unknown = ops.where(ops.isnan(less + up_to), less + up_to, zeros)
        weights = weights + ops.where(hidden, zeros, unknown)
        sums = [
            total(ops.where(hidden, zeros, weights * self.below(level, less, up_to)), per_column)
            for level in self.inner_levels
        ]
        return ops.stack([*sums, tally(ops.ones_like(hidden), seen, per_column)])

    def shares(self, state: Any) -> Tensor:
        """The share of labels below each level."""
        sums = state.value
        return ratio(sums[:-1], sums[-1:])

    def defined(self, state: Any) -> Tensor:
        """Whether anything is observed, or a diverged prediction."""
        sums = state.value
        diverged = ops.any(ops.isnan(sums), axis=0)
        return ops.logical_or(ops.not_equal(sums[-1], 0), diverged)

    def support_of(self, state: Any) -> Tensor:
        """The sum of weights so far."""
        return state.value[-1]


@register
class CalibrationError(Levels):
    r"""Mean distance of how many labels lie below predicted quantiles from how many should.

    $$M = \frac{1}{K} \sum_k \left|\frac{\sum_i o_i w_i \, [y_i \le q_i(t_k)]}{\sum_i o_i w_i}
          - t_k\right|$$

    with $t_k$ the levels, $q_i$ the quantiles of the distribution predicted for label $i$, $o_i$ 1
    where the label is observed, else 0, and $w_i$ its weight. 0 where the predicted distributions
    are right, at most 1 / 2 or so; where they say nothing but the distribution of all labels it is
    0, too, so that it is to be read beside a score. Unlike `IntervalCoverage` it sees intervals
    that lie too high or too low. NaN where nothing is observed.

    With n labels it is about 0.3 / sqrt(n) by chance alone. Of counts, quantiles are whole numbers,
    below which more labels lie than the level says: small ones are never calibrated.

    Args:
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        levels: The levels $t_k$, in (0, 1), increasing; 0.1, 0.2, ..., 0.9 by default.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends. Of what is no single value, the range of probabilities between its ends is
            below a level in proportion: what a value drawn from the prediction between the ends
            would be on average, without the noise of a draw.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or with
    errors `(batch, ..., labels, 2)`, which widen the distribution. With `censored=True`,
    `(batch, ..., labels, 2)`, or `(batch, ..., labels, 3)` with errors. The result is a scalar.

    Raises:
        ValueError: If levels are not in (0, 1) or do not increase, or shapes do not align.

    Example:

    >>> metric = keras_masked.metrics.CalibrationError(levels=[0.25, 0.75])
    >>> y_true = np.array([[-0.1, 0.1, np.nan]])
    >>> y_pred = np.zeros((1, 3, 2))  # standard normal, with quartiles of -0.67 and 0.67
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # none below the lower one, all below the upper one
    0.25

    Source: Kuleshov, Fenner and Ermon 2018, "Accurate uncertainties for deep learning using
    calibrated regression", equation 9, with absolute values.
    """

    _direction = "down"
    admits = {"levels": QUANTILES, "censored": BOOLEAN}

    def __init__(
        self,
        distribution: Any = "gaussian",
        levels: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        name: str | None = "calibration_error",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
        censored: bool = False,
    ) -> None:
        distribution = distributions.get(distribution)
        options = {"distribution": distribution, "levels": levels, "censored": censored}
        super().__init__(name, dtype, missing=missing, **options)

    @property
    def inner_levels(self) -> Sequence[float]:
        """The levels."""
        levels: Sequence[float] = self._options["levels"]
        return levels

    def below(self, level: float, less: Tensor, up_to: Tensor) -> Tensor:
        """Whether the label is no more than the quantile: without a search for that."""
        return share_below(level, less, up_to)

    def score(self, state: Any) -> Tensor:
        """The mean distance."""
        shares = self.shares(state)
        levels = ops.convert_to_tensor(self.inner_levels, dtype=shares.dtype)
        levels = ops.reshape(levels, (-1,) + (1,) * (len(shares.shape) - 1))
        return _backend.mean(ops.abs(shares - levels), axis=0)


@register
class PITHistogram(Levels):
    r"""Histogram of where labels lie in the distributions predicted for them.

    $$M_b = \frac{\sum_i o_i w_i \, [b - 1 \le B \, F_i(y_i) < b]}{\sum_i o_i w_i}, \quad
      b = 1, \ldots, B$$

    with $F_i$ the distribution function predicted for label $i$ (its value is the probability
    integral transform, PIT), $o_i$ 1 where the label is observed, else 0, and $w_i$ its weight. The
    shares add up to 1, and are 1 / B each where the predicted distributions are right. A valley in
    the middle says that they are too narrow, a hill that they are too wide, a slope that they lie
    too low or too high. NaN where nothing is observed.

    The probability of a count is spread evenly over the part of the range that it takes (Czado,
    Gneiting and Held 2009).

    Args:
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        bins: The number of bins, $B$.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends. Of what is no single value, the range of probabilities between its ends is
            below a level in proportion: what a value drawn from the prediction between the ends
            would be on average, without the noise of a draw.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or with
    errors `(batch, ..., labels, 2)`, which widen the distribution. With `censored=True`,
    `(batch, ..., labels, 2)`, or `(batch, ..., labels, 3)` with errors. The result is a vector
    `(bins,)`.

    Raises:
        ValueError: If `bins` is not a positive integer, or shapes do not align; in `PerLabel`,
            whose results are numbers.

    Example:

    >>> metric = keras_masked.metrics.PITHistogram(bins=4)
    >>> y_true = np.array([[-2.0, -0.1, 0.1, 0.2, np.nan]])
    >>> y_pred = np.zeros((1, 5, 2))  # standard normal
    >>> metric.update_state(y_true, y_pred)
    >>> [float(share) for share in metric.result()]
    [0.25, 0.25, 0.5, 0.0]

    Source: Dawid 1984; Gneiting, Balabdaoui and Raftery 2007, "Probabilistic forecasts,
    calibration and sharpness", section 3.1.
    """

    admits = {"bins": POSITIVE_INTEGER, "censored": BOOLEAN}
    spreads_values = True

    def __init__(
        self,
        distribution: Any = "gaussian",
        bins: int = 10,
        name: str | None = "pit_histogram",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
        censored: bool = False,
    ) -> None:
        distribution = distributions.get(distribution)
        options = {"distribution": distribution, "bins": bins, "censored": censored}
        super().__init__(name, dtype, missing=missing, **options)

    @property
    def inner_levels(self) -> Sequence[float]:
        """The edges between bins."""
        bins: int = self._options["bins"]
        return [b / bins for b in range(1, bins)]

    def below(self, level: float, less: Tensor, up_to: Tensor) -> Tensor:
        """The share of the label's part of the range that is below the edge."""
        return share_below(level, less, up_to)

    def score(self, state: Any) -> Tensor:
        """The shares."""
        shares = self.shares(state)
        ends = ops.ones_like(state.value[-1:])
        return ops.concatenate([shares, ends]) - ops.concatenate([0.0 * ends, shares])

    def check_per_label(self) -> None:
        """Raises `ValueError`: a label's value is one number."""
        raise ValueError(
            "PITHistogram has a vector for a result, and cannot be one of each label. Use "
            "`CalibrationError` in `PerLabel`, or one histogram for each label, with weights of 0 "
            "elsewhere."
        )
