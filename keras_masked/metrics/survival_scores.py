"""Brier's score of predicted survival at a time, and over several."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import distributions
from keras_masked.formulas.labels import Labels
from keras_masked.formulas.survival import TIME_PARAMETERS
from keras_masked.metrics.base import register
from keras_masked.metrics.censoring import OfCensoring
from keras_masked.metrics.columns import in_columns
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import NAN, Missing, Observation
from keras_masked.validation import FINITE, POSITIVE, Check, increasing

Tensor = Any


def _times(value: Any) -> tuple[float, ...]:
    found: tuple[float, ...] = increasing(FINITE).convert(value)
    if len(found) < 2:
        raise ValueError
    return found


TIMES = Check("a sequence of at least two finite times, each greater than the one before", _times)


class OfSurvival(OfCensoring, MeanMetric):
    """Base class: the mean of squared differences of predicted survival from what happened."""

    label: Labels = TIME_PARAMETERS
    _direction = "down"

    @property
    def score_times(self) -> Sequence[float]:
        """The times at which survival is predicted."""
        raise NotImplementedError

    @property
    def time_weights(self) -> Sequence[float]:
        """What each of them weighs."""
        raise NotImplementedError

    def label_values(self, seen: Observation) -> Tensor:
        """The score of each label: 0 where it was censored before."""
        if self._options["censoring"] is None:
            raise ValueError(
                f"{type(self).__name__} needs the distribution of the times of censoring. Call "
                "`adapt(labels)` first, with the labels of the training data, say."
            )
        distribution = self._options["distribution"]
        distribution.check(seen.y_pred)
        shape = ops.shape(seen.y_true)
        y_true, upper = in_columns(seen.y_true), in_columns(seen.upper)
        parameters = ops.reshape(seen.y_pred, (1, *ops.shape(y_true), seen.y_pred.shape[-1]))
        count = len(self.score_times)

        def of_times(values: Sequence[float]) -> Tensor:
            return ops.reshape(ops.convert_to_tensor(values, dtype=y_true.dtype), (count, 1, 1))

        at = of_times(self.score_times) + ops.zeros_like(y_true)
        parameters = ops.repeat(parameters, count, axis=0)
        left = ops.exp(distribution.log_survival(at, parameters))
        once = ops.broadcast_to(of_times(self.score_times)[:, :, 0], (count, y_true.shape[1]))
        over = _inverse(self.uncensored_at(y_true)) * ops.cast(y_true == upper, y_true.dtype)
        going_on = _inverse(self.uncensored_at(once))[:, None]
        had = ops.cast(y_true <= at, y_true.dtype)
        scores = ops.square(left) * had * over + ops.square(1.0 - left) * (1.0 - had) * going_on
        # A time that is none, where values are not at hand, is NaN.
        scores = ops.sum(of_times(self.time_weights) * scores, axis=0) + 0.0 * y_true
        return ops.reshape(scores, shape)


def _inverse(probability: Tensor) -> Tensor:
    """1 / p, and 0 where p is 0: as in scikit-survival, such a label counts as lost."""
    none = ops.equal(probability, 0)
    inverse = 1.0 / ops.where(none, ops.ones_like(probability), probability)
    return ops.where(none, ops.zeros_like(inverse), inverse)


@register
class BrierScoreAt(OfSurvival):
    r"""Mean squared difference of predicted survival up to a time from what happened.

    $$M = \frac{\sum_i o_i w_i s_i}{\sum_i o_i w_i}, \quad
      s_i = \frac{e_i [t_i \le t] \, S_i(t)^2}{G(t_i)} + \frac{[t_i > t] \, (1 - S_i(t))^2}{G(t)}$$

    with $t_i$ the time of label $i$, $e_i$ 1 where it is that of an event, 0 where it is censored,
    $o_i$ 1 where the label is observed, else 0, $w_i$ its weight, and $S_i(t)$ the survival
    predicted for it. Of what was censored before $t$ nobody knows: it counts 0, and the others for
    it, by the inverse of the probability $G$ that they would not have been lost themselves. That is
    Kaplan and Meier's estimate, of each column, from the labels that `adapt` has been given; it is
    that of the last step at later times. 0 is best; the same survival of 1/2 for all gives 1/4.
    NaN where nothing is observed.

    Args:
        distribution: The family of times: its name, `"weibull"`, say, or a
            `keras_masked.distributions.Distribution`.
        time: The time $t$.
        name: Name of the metric.
        dtype: Dtype of the result.
        censoring: What `adapt` found: of each column the times at which something was censored,
            and the probability from each on that nothing is.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(rows, columns, 2)`: `[t, t]` for an event, `[t, inf]` where it had not come
    by then, see `keras_masked.censored_labels`; `y_pred` `(rows, columns, parameters)`. The result
    is a scalar.

    Raises:
        ValueError: If shapes do not align; if `adapt` was not called; on labels that are censored
            from the left or within an interval, as far as values are at hand (in tensors, these
            give NaN).

    Example:

    >>> metric = keras_masked.metrics.BrierScoreAt("exponential", time=2.0)
    >>> inf, nan = np.inf, np.nan
    >>> y_true = np.array([[[1.0, 1.0]], [[1.5, inf]], [[3.0, 3.0]], [[4.0, inf]], [[nan, nan]]])
    >>> metric.adapt(y_true)
    >>> metric.update_state(y_true, np.log([[[0.5]]] * 5))  # hazards: survival is 1 / e at 2
    >>> round(float(metric.result()), 4)  # (0.1353 + 2 x 0.3996 / (2 / 3)) / 4
    0.3335

    Source: Graf et al. 1999, "Assessment and comparison of prognostic classification schemes for
    survival data".
    """

    admits = {"time": POSITIVE}

    def __init__(
        self,
        distribution: Any,
        time: float,
        name: str | None = "brier_score_at",
        dtype: Any = None,
        *,
        censoring: Sequence[Any] | None = None,
        missing: Missing = NAN,
    ) -> None:
        options = {"distribution": distributions.get(distribution), "time": time}
        super().__init__(name, dtype, missing=missing, censoring=censoring, **options)

    @property
    def score_times(self) -> Sequence[float]:
        """The time."""
        return (self._options["time"],)

    @property
    def time_weights(self) -> Sequence[float]:
        """It is the only one."""
        return (1.0,)


@register
class IntegratedBrierScore(OfSurvival):
    r"""Mean over several times of Brier's score of predicted survival, by the trapezoidal rule.

    $$M = \frac{1}{t_K - t_1} \sum_{k = 1}^{K - 1} (t_{k + 1} - t_k)
          \frac{B(t_k) + B(t_{k + 1})}{2}$$

    with $B(t)$ the score of `BrierScoreAt`. NaN where nothing is observed.

    Args:
        distribution: The family of times: its name, `"weibull"`, say, or a
            `keras_masked.distributions.Distribution`.
        times: The times $t_k$, at least two, increasing; within those of the labels.
        name: Name of the metric.
        dtype: Dtype of the result.
        censoring: What `adapt` found: of each column the times at which something was censored,
            and the probability from each on that nothing is.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` `(rows, columns, 2)`: `[t, t]` for an event, `[t, inf]` where it had not come
    by then, see `keras_masked.censored_labels`; `y_pred` `(rows, columns, parameters)`. The result
    is a scalar.

    Raises:
        ValueError: If shapes do not align; if `adapt` was not called; on labels that are censored
            from the left or within an interval, as far as values are at hand (in tensors, these
            give NaN).

    Example:

    >>> metric = keras_masked.metrics.IntegratedBrierScore("exponential", times=[1.0, 2.0, 3.0])
    >>> y_true = np.array([[[1.0, 1.0]], [[1.5, np.inf]], [[3.0, 3.0]], [[4.0, np.inf]]])
    >>> metric.adapt(y_true)
    >>> metric.update_state(y_true, np.log([[[0.5]]] * 4))
    >>> round(float(metric.result()), 4)
    0.2831

    Source: Graf et al. 1999, equation 8.
    """

    admits = {"times": TIMES}

    def __init__(
        self,
        distribution: Any,
        times: Sequence[float],
        name: str | None = "integrated_brier_score",
        dtype: Any = None,
        *,
        censoring: Sequence[Any] | None = None,
        missing: Missing = NAN,
    ) -> None:
        options = {"distribution": distributions.get(distribution), "times": times}
        super().__init__(name, dtype, missing=missing, censoring=censoring, **options)

    @property
    def score_times(self) -> Sequence[float]:
        """The times."""
        times: Sequence[float] = self._options["times"]
        return times

    @property
    def time_weights(self) -> Sequence[float]:
        """Half of the distances to those beside each, as shares."""
        # Not by NumPy, of which PyTorch's compiler would make tensors.
        times = list(self.score_times)
        steps = [b - a for a, b in itertools.pairwise(times)]
        around = zip([0.0, *steps], [*steps, 0.0], strict=True)
        return [0.5 * (before + after) / (times[-1] - times[0]) for before, after in around]
