"""Times to an event, by the hazard of each of several intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.histogram import EDGES, OfBins
from keras_masked.distributions.support import Domain
from keras_masked.validation import Check

Tensor = Any


def _from_0(value: Any) -> tuple[float, ...]:
    edges: tuple[float, ...] = EDGES.convert(value)
    if edges[0] != 0:
        raise ValueError
    return edges


TIMES = Check(
    "a sequence of at least two times, the first 0 and each above the one before", _from_0
)


class Lived(Domain):
    """Times up to the last edge, and those that are known to be longer than anything."""

    def meets(self, lower: Any, upper: Any) -> Any:
        """Whether a time may lie between both ends, or has no upper one."""
        return super().meets(lower, upper) | ((lower >= self.low) & (upper == math.inf))


@register
class DiscreteHazard(OfBins, Distribution):
    r"""Time to an event, by the probability of it in each interval, if it was not before.

    $$S(t) = \prod_{i < j} (1 - h_i) \, (1 - h_j)^{(t - e_j) / (e_{j + 1} - e_j)}
      \;\text{ for }\; e_j < t \le e_{j + 1}, \quad h = \frac{1}{1 + e^{-l}}$$

    Survival is log-linear inside an interval: the hazard is constant there. What is left at the
    last edge has no time: the mean and the score are of times up to there, $\min(t, e_n)$, and
    quantiles beyond it are the last edge.

    Args:
        edges: Edges of the intervals, in the labels' units: 0, then each above the one before.

    Shapes: parameters `(..., labels, len(edges) - 1)`: logits $l$. Labels outside the edges are
    outside the support, but for those that are censored beyond the last: these have outlived all
    intervals, and nothing else is known of them.

    Example:

    >>> hazard = keras_masked.distributions.DiscreteHazard([0.0, 1.0, 2.0, 4.0])
    >>> parameters = np.zeros((1, 1, 3))  # half of what is left in each interval
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     hazard.mean(parameters), hazard.cdf(np.array([[2.0]]), parameters),
    ...     hazard.quantile(0.5, parameters))]
    [1.4427, 0.75, 1.0]

    Source: Singer and Willett 1993, "It's about time: using discrete-time survival analysis";
    Kvamme and Borgan 2021, "Continuous and discrete-time survival prediction with neural networks",
    section 3, for survival inside an interval.
    """

    admits = {"edges": TIMES}

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = tuple(edges)
        self.parameters = tuple(f"logit_{i}" for i in range(len(self.edges) - 1))
        low, high = self.edges[0], self.edges[-1]
        self.support = Lived(
            f"from {low:g} to {high:g}", lambda y: (y >= low) & (y <= high), low, high
        )

    def _steps(self, parameters: Tensor) -> Tensor:
        """-log(1 - h) of each interval: what it adds to the cumulative hazard."""
        return ops.softplus(ops.convert_to_tensor(parameters))

    def _cumulative(self, y: Tensor, parameters: Tensor) -> Tensor:
        steps = self._steps(parameters)
        return ops.sum(steps * self._share(y, steps), axis=-1)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density.

        Args:
            y: Labels, within the edges `(..., labels)`.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        _, width = self._bins(parameters)
        low = parameters < -15.0
        steps = self._steps(ops.where(low, ops.zeros_like(parameters), parameters))
        log_rate = ops.where(low, parameters, ops.log(steps)) - ops.log(width)
        here = ops.sum(self._inside(y, parameters) * log_rate, axis=-1)
        return self._cumulative(y, parameters) - here

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of an event up to `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        return -ops.expm1(-self._cumulative(y, parameters))

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of an event up to `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        return _backend.log1mexp(-self._cumulative(y, parameters))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no event up to `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        return -self._cumulative(y, parameters)

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the time up to which the event has this probability; at most the last edge.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        steps = self._steps(parameters)
        _, width = self._bins(steps)
        probability = ops.convert_to_tensor(probability, dtype=steps.dtype)
        hazard = -ops.log1p(-probability) + ops.zeros_like(steps[..., 0])
        before = _backend.cumsum(steps, -1) - steps
        rest = (hazard[..., None] - before) / _backend.maximum(steps, 1e-30 + 0.0 * steps)
        return ops.sum(width * _backend.clip(rest, 0.0, 1.0), axis=-1)

    def _survivals(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Steps, survival at the beginning of each interval, and widths."""
        steps = self._steps(parameters)
        return steps, ops.exp(steps - _backend.cumsum(steps, -1)), self._bins(steps)[1]

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean time up to the last edge: the integral of survival.

        Args:
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        steps, survival, width = self._survivals(parameters)
        return ops.sum(width * survival * _mean_of_decay(steps), axis=-1)

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance of times up to the last edge.

        Args:
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        steps, survival, width = self._survivals(parameters)
        lower = self._bins(steps)[0]
        # Twice the integral of (t - mean) S(t), from -mean on where S is 1.
        mean = self.mean(parameters)
        away = (lower - mean[..., None]) * _mean_of_decay(steps)
        within = width * _first_moment_of_decay(steps)
        return 2.0 * ops.sum(width * survival * (away + within), axis=-1) + ops.square(mean)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score up to the last edge.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits of hazards `(..., labels, intervals)`.
        """
        steps, survival, width = self._survivals(parameters)
        share = self._share(y, steps)
        event = -ops.expm1(steps - _backend.cumsum(steps, -1))  # its probability up to here
        below, above = share * steps, (1.0 - share) * steps
        rise = 1.0 - _mean_of_decay(below)
        once = ops.where(below < 1e-2, below * (0.5 - below / 6.0), rise)
        square = 1.0 - 2.0 * _mean_of_decay(below) + _mean_of_decay(2.0 * below)
        series = ops.square(below) * (1.0 / 3.0 - below * (0.25 - below * 7.0 / 60.0))
        twice = ops.where(below < 0.1, series, square)
        left = ops.square(event) + 2.0 * event * survival * once + ops.square(survival) * twice
        right = ops.square(survival * ops.exp(-below)) * _mean_of_decay(2.0 * above)
        score = ops.sum(width * (share * left + (1.0 - share) * right), axis=-1)
        y = ops.convert_to_tensor(y, dtype=steps.dtype)
        return score + _backend.absolute(y - _backend.clip(y, self.edges[0], self.edges[-1]))

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns logits of which 0 is a constant hazard, one over this mean.

        Args:
            parameters: Logits of hazards `(..., labels, intervals)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations, of no consequence `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns logits of a constant hazard, one over this mean.

        Args:
            mean: Means of the labels, above 0 `(labels,)`.
            standard_deviation: Their standard deviations, of no consequence `(labels,)`.
        """
        width = self._bins(mean)[1]
        steps = width / mean[..., None]
        return steps + _backend.log1mexp(-steps)  # log(exp(s) - 1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"edges": list(self.edges)}


def _mean_of_decay(rate: Tensor) -> Tensor:
    """(1 - exp(-r)) / r: the mean of exp(-r t) for t from 0 to 1."""
    small = rate < 1e-3
    safe = ops.where(small, ops.ones_like(rate), rate)
    series = 1.0 - rate * (0.5 - rate / 6.0)
    return ops.where(small, series, -ops.expm1(-safe) / safe)


def _first_moment_of_decay(rate: Tensor) -> Tensor:
    """(1 - (1 + r) exp(-r)) / r^2: the mean of t exp(-r t) for t from 0 to 1."""
    small = rate < 0.1
    safe = ops.where(small, ops.ones_like(rate), rate)
    series = 0.5 - rate * (1 / 3 - rate * (1 / 8 - rate * (1 / 30 - rate / 144)))
    exact = (1.0 - (1.0 + safe) * ops.exp(-safe)) / ops.square(safe)
    return ops.where(small, series, exact)
