"""Metrics of predicted quantiles and expectiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked.formulas import Formula
from keras_masked.formulas import quantiles as formulas
from keras_masked.metrics.base import MaskedMetric, defined_mean, ratio, register
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.mean import MeanMetric
from keras_masked.metrics.medians import Median
from keras_masked.metrics.quantile_states import PinballSums
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import FRACTION, QUANTILE_OR_SEVERAL

Tensor = Any


@register
class MeanPinballLoss(MeanMetric):
    r"""Mean of the pinball losses of the observed labels, which quantiles make least.

    $$M = \frac{\sum_i o_i w_i \, \rho_q(y_i - p_i)}{\sum_i o_i w_i}, \quad
      \rho_q(e) = \begin{cases} q \, e & e \ge 0 \\ (q - 1) \, e & e < 0 \end{cases}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Of several quantiles the
    value of a label is the mean over them. NaN where nothing is observed.

    Args:
        quantiles: The quantile, in (0, 1), that each prediction is; or several that increase, all
            of which are predicted for each label, on the last axis.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: of one quantile, `y_true` and `y_pred` `(batch, ..., labels)`; of several, `y_pred`
    `(batch, ..., labels, quantiles)`. The result is a scalar.

    Raises:
        ValueError: If a quantile is not in (0, 1), or several do not increase, or the last axis of
            `y_pred` does not hold as many.

    Example:

    >>> metric = keras_masked.metrics.MeanPinballLoss(0.9)
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (0.1 * 1 + 0 + 0.9 * 2) / 3
    0.6333

    Source: Koenker and Bassett 1978, "Regression quantiles"; `sklearn.metrics.mean_pinball_loss`.
    """

    _direction = "down"

    admits = {"quantiles": QUANTILE_OR_SEVERAL}

    def __init__(
        self,
        quantiles: float | Sequence[float] = 0.5,
        name: str | None = "mean_pinball_loss",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, quantiles=quantiles)

    @property
    def formula(self) -> Formula:  # type: ignore[override]
        """That of a single quantile, or of several."""
        return formulas.pinball_of(self._options["quantiles"])


@register
class Expectile(MeanMetric):
    r"""Mean of squared differences, which count more on one side: expectiles make it least.

    $$M = \frac{\sum_i o_i w_i \, |\tau - [y_i < p_i]| \, (y_i - p_i)^2}{\sum_i o_i w_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. NaN where nothing is
    observed.

    Args:
        tau: The expectile, in (0, 1), that the predictions are.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`. The result is a scalar.

    Raises:
        ValueError: If `tau` is not in (0, 1).

    Example:

    >>> metric = keras_masked.metrics.Expectile(0.9)
    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (0.1 * 1 + 0 + 0.9 * 4) / 3
    1.2333

    Source: Newey and Powell 1987, "Asymmetric least squares estimation and testing".
    """

    formula = formulas.expectile
    _direction = "down"

    admits = {"tau": FRACTION}

    def __init__(
        self,
        tau: float = 0.5,
        name: str | None = "expectile",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, tau=tau)


@register
class D2PinballScore(ColumnMetric):
    r"""How much less the pinball loss is than that of the best constant, of each column.

    $$D^2_c = 1 - \frac{\sum_i o_{ic} w_{ic} \, \rho_q(y_{ic} - p_{ic})}
                       {\min_a \sum_i o_{ic} w_{ic} \, \rho_q(y_{ic} - a)}$$

    with $\rho_q$ the pinball loss of `MeanPinballLoss`, $o_{ic}$ 1 where label $i$ of column $c$ is
    observed, else 0, and $w_{ic}$ its weight. 1 is best, and 0 what the quantile of the observed
    labels gets. The result is the mean over the columns that are defined: a column is not, NaN,
    where it has fewer than two observed labels, or all are equal.

    The constant is known only when all labels are. By default labels are counted in 131072 bins,
    with the sum of their distances from the middle of the bin, 2 MiB for each column: then only
    labels in the bin that has the quantile are not told apart, those within a relative $2^{-7}$ of
    each other. The denominator is too small by no more than their weight times their distance.
    `capacity` keeps the labels themselves, for a score that is exact.

    Args:
        quantile: The quantile, in (0, 1), that the predictions are. With 0.5, the score is
            that of absolute errors.
        capacity: How many labels of each column to keep, with their weights. As soon as more have
            been observed, the result is NaN. By default, labels are counted in bins.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., columns)`, or `(batch,)` for one column.

    Raises:
        ValueError: If `quantile` is not in (0, 1) or `capacity` no positive integer, or with
            `capacity` on a replica's part of a batch, which only bins can add up.

    Example:

    >>> metric = keras_masked.metrics.D2PinballScore()
    >>> y_true = np.array([[1.0], [2.0], [np.nan], [6.0]])
    >>> y_pred = np.array([[1.0], [3.0], [9.0], [6.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1 - 1 / (1 + 0 + 4)
    0.8

    Source: Koenker and Machado 1999, "Goodness of fit and related inference processes for quantile
    regression", equation 7; `sklearn.metrics.d2_pinball_score`.
    """

    per_column = True
    _direction = "up"

    admits = {"quantile": FRACTION, "capacity": Median.admits["capacity"]}

    def __init__(
        self,
        quantile: float = 0.5,
        capacity: int | None = None,
        name: str | None = "d2_pinball_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, quantile=quantile, capacity=capacity)

    def check_rows(self, per_label: bool) -> None:
        """Raises `ValueError`: for the quantile of the labels, these are kept, not sums."""
        raise ValueError(
            "D2PinballScore keeps labels for each way to count rows, which is too much. "
            f"Received: metric={self!r}. Take `MeanPinballLoss`."
        )

    def new_state(self, owner: MaskedMetric, columns: int | None) -> PinballSums:
        """Creates sums in the state of `owner`."""
        state = PinballSums(owner, self._options["quantile"], self._options["capacity"], columns)
        return owner.keep(state)

    def collect(self, seen: Observation, state: PinballSums, per_column: bool) -> Tensor:
        """What the state takes of a batch."""
        return state.collect(seen)

    def score(self, state: PinballSums) -> Tensor:
        """The score of each column."""
        return 1 - ratio(state.loss, state.least)

    def defined(self, state: PinballSums) -> Tensor:
        """Whether there are two labels that differ, or a diverged prediction."""
        return ops.logical_or(ops.not_equal(state.least, 0), ops.isnan(state.loss))

    def aggregate(self, scores: Tensor, defined: Tensor) -> Tensor:
        """The mean over the defined columns."""
        return defined_mean(scores, ops.ones_like(scores), defined)

    def support_of(self, state: PinballSums) -> Tensor:
        """The sum of weights, or the number of observed labels, of each column."""
        return state.weight
