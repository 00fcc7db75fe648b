"""Times to an event, of which some are known to be longer than something: right-censored."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.support import Domain
from keras_masked.formulas.labels import Labels
from keras_masked.formulas.ties import groups_of, last_of, sums_of

Tensor = Any


class Times(Domain):
    """Exact times, and times that are longer than something: neither shorter nor in between."""

    def meets(self, lower: Any, upper: Any) -> Any:
        """Whether both ends are the same and finite, or the upper one alone is infinite."""
        return (lower > -math.inf) & (lower < math.inf) & ((lower == upper) | (upper == math.inf))


TIME = Labels(
    censored=True,
    domain=Times("exact times `[t, t]` or right-censored ones `[t, inf]`", lambda y: y == y),
)
"""An exact time, or one longer than something, and a number predicted for it."""
TIME_PARAMETERS = dataclasses.replace(TIME, axes=1, stacked=True)
"""The same, with parameters of a distribution."""


def partial_likelihood(
    times: Tensor, events: Tensor, scores: Tensor, log_weights: Tensor, ties: str
) -> Tensor:
    """What each event adds to the negative logarithm of Cox's partial likelihood.

    By order of time, latest first, so that risk sets are what comes before, whatever stands among
    equal times. In Efron's version the k-th of d events at a time has a risk set from which k / d
    of these events' part has gone; each of them gets the mean.

    Args:
        times: Times `(rows, columns)`, of which -infinity is in no risk set.
        events: Which of them are events.
        scores: Logarithms of hazards.
        log_weights: Logarithms of weights, by which rows count in risk sets.
        ties: `"efron"` or `"breslow"`.
    """
    order = ops.argsort(-times, axis=0)
    in_order = (ops.take_along_axis(x, order, axis=0) for x in (times, events, scores, log_weights))
    times, events, scores, log_weights = in_order
    groups = groups_of(times)

    def at_group(x: Tensor) -> Tensor:
        return ops.take_along_axis(x, groups, axis=0)

    running = _backend.cumulative_logsumexp(scores + log_weights, axis=0)
    log_risk = ops.take_along_axis(running, last_of(groups), axis=0)
    terms = log_risk - scores
    if ties == "efron":
        count = ops.cast(events, scores.dtype)
        sums = sums_of(groups, count)
        deaths = ops.where(events, at_group(sums), ops.ones_like(count))
        before = at_group(_backend.cumsum(sums, axis=0) - sums)
        gone = (
            ops.where(events, _backend.cumsum(count, axis=0) - 1.0 - before, 0.0 * count) / deaths
        )
        share = ops.where(events, scores + log_weights - log_risk, ops.full_like(scores, -math.inf))
        tied = at_group(sums_of(groups, ops.exp(share)))
        less = ops.where(events, ops.log1p(-gone * tied), 0.0 * count)
        terms = terms + at_group(sums_of(groups, less)) / deaths
    terms = ops.where(events, terms, ops.zeros_like(terms))
    return ops.take_along_axis(terms, ops.argsort(order, axis=0), axis=0)
