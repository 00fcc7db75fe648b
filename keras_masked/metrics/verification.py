"""How well events are foreseen: values from a threshold on, such as heavy rain."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.constructors import DEFAULT
from keras_masked.formulas import NUMBER, PROBABILITY
from keras_masked.metrics.base import ratio, register
from keras_masked.metrics.contingency import binary_table
from keras_masked.metrics.tables import TableMetric
from keras_masked.observation import Missing, Observation
from keras_masked.validation import FINITE, optional

Tensor = Any


@dataclasses.dataclass(frozen=True)
class Events:
    """Hits, false alarms and misses; and what was right to be foreseen not to happen."""

    hits: Tensor
    alarms: Tensor
    misses: Tensor
    rest: Tensor

    @property
    def labels(self) -> Tensor:
        """All of them."""
        return self.hits + self.alarms + self.misses + self.rest

    @property
    def skill(self) -> Tensor:
        """What is right beyond chance, times all there is."""
        return self.hits * self.rest - self.alarms * self.misses


class EventMetric(TableMetric):
    """Base class: a ratio of how often events were foreseen, missed and falsely foreseen.

    A subclass implements `fraction`.
    """

    admits = {"threshold": optional(FINITE)}

    def __init__(
        self,
        threshold: float | None = None,
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
    ) -> None:
        super().__init__(name, dtype, missing=missing, threshold=threshold)
        self.label = PROBABILITY if threshold is None else NUMBER

    def collect(self, seen: Observation, state: Any, per_column: bool) -> Tensor:
        """The counts of a batch."""
        least = 0.5 if self.threshold is None else self.threshold
        y_true, y_pred = seen.y_true, seen.y_pred
        unknown = ops.logical_or(_backend.isnan(y_pred), _backend.isnan(y_true))
        return binary_table(y_true >= least, y_pred >= least, unknown, seen, per_column)

    def _fraction(self, state: Any) -> tuple[Tensor, Tensor]:
        table = self.table(state)
        return self.fraction(Events(table[1, 1], table[0, 1], table[1, 0], table[0, 0]))

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """Numerator and denominator."""
        raise NotImplementedError

    def score(self, state: Any) -> Tensor:
        """Their ratio."""
        return ratio(*self._fraction(state))

    def defined(self, state: Any) -> Tensor:
        """Whether there is anything to divide by."""
        return ops.not_equal(self._fraction(state)[1], 0)


@register
class CriticalSuccessIndex(EventMetric):
    r"""Critical success index (threat score): hits among all events that were, or were foreseen.

    $$M = \frac{H}{H + F + M_-}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses among the observed labels, each counted with its
    weight. An event is a value of at least `threshold`. NaN where no event is observed or foreseen.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.CriticalSuccessIndex(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 2 / (2 + 1 + 1)
    0.5

    Source: Donaldson et al. 1975; `scores.categorical`, `critical_success_index`.
    """

    _direction = "up"

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """Hits, of what was or was foreseen."""
        return events.hits, events.hits + events.alarms + events.misses


@register
class ProbabilityOfDetection(EventMetric):
    r"""Probability of detection (hit rate): how many of the events were foreseen.

    $$M = \frac{H}{H + M_-}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses among the observed labels, each counted with its
    weight. An event is a value of at least `threshold`. NaN where no event is observed.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.ProbabilityOfDetection(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 2 / (2 + 1)
    0.6667

    Source: WWRP/WGNE 2017, forecast verification; `scores.categorical`, `probability_of_detection`.
    """

    _direction = "up"

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """Hits, of what was."""
        return events.hits, events.hits + events.misses


@register
class FalseAlarmRatio(EventMetric):
    r"""False alarm ratio: how many of the events foreseen were none.

    $$M = \frac{F}{H + F}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses among the observed labels, each counted with its
    weight. An event is a value of at least `threshold`. NaN where no event is foreseen.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.FalseAlarmRatio(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 1 / (2 + 1)
    0.3333

    Source: WWRP/WGNE 2017, forecast verification; `scores.categorical`, `false_alarm_ratio`.
    """

    _direction = "down"

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """False alarms, of what was foreseen."""
        return events.alarms, events.hits + events.alarms


@register
class FrequencyBias(EventMetric):
    r"""Frequency bias: how many events were foreseen for each that was; 1 is right.

    $$M = \frac{H + F}{H + M_-}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses among the observed labels, each counted with its
    weight. An event is a value of at least `threshold`. NaN where no event is observed.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.FrequencyBias(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (2 + 1) / (2 + 1)
    1.0

    Source: WWRP/WGNE 2017, forecast verification; `scores.categorical`, `frequency_bias`.
    """

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """What was foreseen, by what was."""
        return events.hits + events.alarms, events.hits + events.misses


@register
class EquitableThreatScore(EventMetric):
    r"""Equitable threat score (Gilbert skill score): that of hits which chance does not explain.

    $$M = \frac{H - H_r}{H + F + M_- - H_r}, \quad H_r = \frac{(H + F)(H + M_-)}{N}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses, and $N$ labels among the observed labels, each
    counted with its weight. An event is a value of at least `threshold`. NaN where no event is
    observed or foreseen, or nothing else is.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.EquitableThreatScore(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (2 - 9 / 5) / (4 - 9 / 5)
    0.0909

    Source: Schaefer 1990; `scores.categorical`, `equitable_threat_score`.
    """

    _direction = "up"

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """Both times N: (H - H_r) N is the skill."""
        wrong = events.alarms + events.misses
        return events.skill, events.skill + events.labels * wrong


@register
class HeidkeSkillScore(EventMetric):
    r"""Heidke skill score: what is right, beyond what chance would give.

    $$M = \frac{2 (H C - F M_-)}{(H + M_-)(M_- + C) + (H + F)(F + C)}$$

    with $H$ hits, $F$ false alarms, $M_-$ misses, and $C$ correct rejections among the observed
    labels, each counted with its weight. An event is a value of at least `threshold`. NaN where all
    observed labels and their predictions are events, or none is.

    Args:
        threshold: From which value on labels and predictions are events; by default labels are 0
            or 1 and predictions probabilities, which foresee the event from 0.5 on.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ...)`; the result is a scalar. `PerLabel` gives the
    value of each column.

    Example:

    >>> metric = keras_masked.metrics.HeidkeSkillScore(threshold=1.0)
    >>> y_true = np.array([[0.0, 2.5, np.nan, 1.0, 0.2, 3.0]])
    >>> y_pred = np.array([[1.5, 2.0, 4.0, 0.5, 0.1, 1.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 2 (2 - 1) / (3 x 2 + 3 x 2)
    0.1667

    Source: Heidke 1926; `scores.categorical`, `heidke_skill_score`; Cohen's kappa of two classes.
    """

    _direction = "up"

    def fraction(self, events: Events) -> tuple[Tensor, Tensor]:
        """What is right beyond chance, of what could be."""
        was, foreseen = events.hits + events.misses, events.hits + events.alarms
        was_not, not_foreseen = events.alarms + events.rest, events.misses + events.rest
        return 2 * events.skill, was * not_foreseen + foreseen * was_not
