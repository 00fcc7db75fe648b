"""Regression as classification: a distribution that is flat in each of several bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.distributions.support import between
from keras_masked.validation import FINITE, Check, several

Tensor = Any

LEAST = -1e30
"""What stands for the logarithm of 0, whose sums have slopes."""


def _increasing(value: Any) -> tuple[float, ...]:
    edges = tuple(float(each) for each in several(FINITE).convert(value))
    if len(edges) < 2 or any(b <= a for a, b in zip(edges[:-1], edges[1:], strict=True)):
        raise ValueError
    return edges


EDGES = Check("a sequence of at least two finite numbers, each above the one before", _increasing)


class OfBins:
    """Where labels lie among edges."""

    edges: tuple[float, ...]

    def _bins(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Lower edges and widths."""
        lower = ops.convert_to_tensor(self.edges[:-1], dtype=like.dtype)
        width = [b - a for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]
        return lower, ops.convert_to_tensor(width, dtype=like.dtype)

    def _share(self, y: Any, like: Tensor) -> Tensor:
        """The share of each bin that lies below the label."""
        lower, width = self._bins(like)
        y = ops.convert_to_tensor(y, dtype=like.dtype)[..., None]
        return _backend.clip((y - lower) / width, 0.0, 1.0)

    def _inside(self, y: Any, like: Tensor) -> Tensor:
        """Which bin holds the label: lower edge < y <= upper edge; the first one, also its lower.

        1 there, else 0, and NaN outside of all.
        """
        y = ops.convert_to_tensor(y, dtype=like.dtype)
        edges = ops.convert_to_tensor(self.edges, dtype=like.dtype)
        above = ops.cast(y[..., None] > edges[1:-1], like.dtype)
        ones = ops.ones_like(y)[..., None]
        found = ops.concatenate([ones, above], axis=-1)
        found = found - ops.concatenate([above, 0.0 * ones], axis=-1)
        outside = ops.logical_not((y >= edges[0]) & (y <= edges[-1]))
        return ops.where(outside[..., None], ops.full_like(found, float("nan")), found)


def _sums_before(x: Tensor) -> Tensor:
    """Sums of all entries before each."""
    return _backend.cumsum(x, -1) - x


@register
class Histogram(OfBins, Distribution):
    r"""Regression as classification: the probability of each bin, flat inside.

    $$p(y) = \frac{\pi_j}{e_{j + 1} - e_j} \;\text{ for }\; e_j < y \le e_{j + 1}, \quad
      \pi = \mathrm{softmax}(l)$$

    Of any shape that the bins can show, and trained by a cross-entropy.

    Args:
        edges: Edges of the bins, in the units of the labels, each above the one before.

    Shapes: parameters `(..., labels, len(edges) - 1)`: logits $l$. Labels outside the edges are
    outside the support.

    Example:

    >>> histogram = keras_masked.distributions.Histogram([0.0, 1.0, 2.0, 4.0])
    >>> parameters = np.zeros((1, 1, 3))
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     histogram.mean(parameters), histogram.variance(parameters),
    ...     histogram.cdf(np.array([[1.5]]), parameters), histogram.quantile(0.5, parameters))]
    [1.6667, 1.2222, 0.5, 1.5]

    Source: Imani and White 2018, "Improving regression performance with distributional losses".
    """

    admits = {"edges": EDGES}

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = tuple(edges)
        self.parameters = tuple(f"logit_{i}" for i in range(len(self.edges) - 1))
        self.support = between(self.edges[0], self.edges[-1])

    def _log_weights(self, parameters: Tensor) -> Tensor:
        return ops.log_softmax(ops.convert_to_tensor(parameters), axis=-1)

    def nll(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the negative log-density.

        Args:
            y: Labels, within the edges `(..., labels)`.
            parameters: Logits `(..., labels, bins)`.
        """
        log_weight = self._log_weights(parameters)
        _, width = self._bins(log_weight)
        return ops.sum(self._inside(y, log_weight) * (ops.log(width) - log_weight), axis=-1)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the probability of no more than `y`, linear inside a bin.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits `(..., labels, bins)`.
        """
        weight = ops.exp(self._log_weights(parameters))
        return ops.sum(weight * self._share(y, weight), axis=-1)

    def log_cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of no more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits `(..., labels, bins)`.
        """
        log_weight = self._log_weights(parameters)
        return _log_sum(log_weight, self._share(y, log_weight))

    def log_survival(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the logarithm of the probability of more than `y`.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits `(..., labels, bins)`.
        """
        log_weight = self._log_weights(parameters)
        return _log_sum(log_weight, 1.0 - self._share(y, log_weight))

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the value below which a label lies with this probability.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Logits `(..., labels, bins)`.
        """
        weight = ops.exp(self._log_weights(parameters))
        _, width = self._bins(weight)
        probability = ops.convert_to_tensor(probability, dtype=weight.dtype)
        probability = probability + ops.zeros_like(weight[..., 0])
        rest = (probability[..., None] - _sums_before(weight)) / _backend.maximum(
            weight, 1e-30 + 0.0 * weight
        )
        return self.edges[0] + ops.sum(width * _backend.clip(rest, 0.0, 1.0), axis=-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean.

        Args:
            parameters: Logits `(..., labels, bins)`.
        """
        weight = ops.exp(self._log_weights(parameters))
        lower, width = self._bins(weight)
        return ops.sum(weight * (lower + 0.5 * width), axis=-1)

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance, within bins and between them.

        Args:
            parameters: Logits `(..., labels, bins)`.
        """
        weight = ops.exp(self._log_weights(parameters))
        lower, width = self._bins(weight)
        away = lower + 0.5 * width - self.mean(parameters)[..., None]
        return ops.sum(weight * (ops.square(away) + ops.square(width) / 12.0), axis=-1)

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the continuous ranked probability score, exactly.

        Args:
            y: Labels `(..., labels)`.
            parameters: Logits `(..., labels, bins)`.
        """
        weight = ops.exp(self._log_weights(parameters))
        _, width = self._bins(weight)
        share, before = self._share(y, weight), _sums_before(weight)
        after = _backend.maximum(1.0 - before - weight, 0.0 * weight)
        here = before + share * weight
        there = after + (1.0 - share) * weight
        below = share * (ops.square(before) + before * here + ops.square(here))
        above = (1.0 - share) * (ops.square(after) + after * there + ops.square(there))
        y = ops.convert_to_tensor(y, dtype=weight.dtype)
        outside = _backend.absolute(y - _backend.clip(y, self.edges[0], self.edges[-1]))
        return ops.sum(width * (below + above), axis=-1) / 3.0 + outside

    def denormalize(self, parameters: Tensor, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns logits of which 0 is a label of about this mean and deviation.

        Args:
            parameters: Logits `(..., labels, bins)`.
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations `(labels,)`.
        """
        return parameters + self.start(mean, standard_deviation)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns logits of a Gaussian with this mean and standard deviation, at least a bin wide.

        Args:
            mean: Means of the labels `(labels,)`.
            standard_deviation: Their standard deviations, above 0 `(labels,)`.
        """
        lower, width = self._bins(mean)
        z = (lower + 0.5 * width - mean[..., None]) / standard_deviation[..., None]
        return ops.log(width) - 0.5 * _backend.minimum(ops.square(z), 50.0 + 0.0 * z)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"edges": list(self.edges)}


def _log_sum(log_weight: Tensor, share: Tensor) -> Tensor:
    some = share > 0
    log_share = ops.log(ops.where(some, share, ops.ones_like(share)))
    least = LEAST * ops.ones_like(log_share)
    found = ops.logsumexp(ops.where(some, log_weight + log_share, least), axis=-1)
    return ops.where(ops.any(some, axis=-1), found, ops.full_like(found, -float("inf")))
