"""The distribution that several predicted quantiles stand for."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.distributions.base import Distribution, register
from keras_masked.validation import BOOLEAN, QUANTILES

Tensor = Any


@register
class Quantiles(Distribution):
    r"""A distribution by its quantiles: no density, but no assumption on its shape either.

    $$F^{-1}(t) = q_k + \frac{t - t_k}{t_{k + 1} - t_k} (q_{k + 1} - q_k), \quad
      t_k \le t \le t_{k + 1}$$

    with $q_k$ the quantile predicted for level $t_k$. Quantiles are linear in between. Beyond the
    outer levels they are flat: below the lowest there is the probability $t_1$, and above the
    highest $1 - t_K$, of which the predictions say no more, and which `quantile`, `mean` and
    `variance` take to lie on the outer quantiles. Choose outer levels as far out as what you ask
    for. Quantiles that cross are put in order, but for `crps`.

    It is trained by `PinballLoss` of the same levels, or by its own score:

    $$\mathrm{crps} = \frac{2}{K} \sum_k \rho_{t_k}(y - q_k)$$

    with $\rho$ the pinball loss. For levels $(k - 1/2) / K$, such as 0.05, 0.15, ..., 0.95, that is
    the continuous ranked probability score of the $K$ quantiles, and comparable to that of other
    distributions; other levels count the same, however unevenly they are spaced.

    Args:
        levels: The levels, in (0, 1), increasing.
        ordered: Whether a `DistributionHead` puts out quantiles that cannot cross: the lowest, and
            the others as the sum of it and of increments through a softplus. With weights of 0 a
            head puts out the quantiles of a standard normal, ordered or not.

    Shapes: parameters `(..., labels, levels)`: the quantiles themselves.

    Raises:
        ValueError: If levels are not in (0, 1) or do not increase.

    Example:

    >>> quantiles = keras_masked.distributions.Quantiles([0.25, 0.5, 0.75])
    >>> parameters = np.array([[[1.0, 2.0, 4.0]]])
    >>> [round(float(q[0, 0]), 4) for q in (
    ...     quantiles.quantile(0.625, parameters), quantiles.cdf(np.array([[3.0]]), parameters),
    ...     quantiles.mean(parameters), quantiles.crps(np.array([[4.0]]), parameters))]
    [3.0, 0.625, 2.375, 1.1667]

    Source: Koenker and Bassett 1978; Bracher et al. 2021, for the score; Chernozhukov, Fernandez-
    Val and Galichon 2010, "Quantile and probability curves without crossing", for the order.
    """

    admits = {"levels": QUANTILES, "ordered": BOOLEAN}

    def __init__(self, levels: Sequence[float], ordered: bool = False) -> None:
        self.levels = tuple(levels)
        self.ordered = ordered
        self.parameters = tuple(f"quantile_{level:g}" for level in self.levels)
        # Numbers of Python's, once and for all: PyTorch's compiler follows no others.
        at = np.asarray(self.levels)
        normal = [NormalDist().inv_cdf(level) for level in self.levels]
        self._steps = np.diff(at).tolist()
        self._shares = np.diff([0.0, *(at[1:] + at[:-1]) / 2, 1.0]).tolist()
        self._normal, self._increments = normal, np.log(np.expm1(np.diff(normal))).tolist()

    def put_out(self, numbers: Tensor) -> Tensor:
        """Returns the quantiles that a head puts out: those of a standard normal, plus numbers.

        If `ordered`, the lowest one plus a number, and increments to the others, of which each is
        positive: softplus(number + what gives the increment of the normal).

        Args:
            numbers: Any numbers `(..., labels, levels)`.
        """
        if not self.ordered or len(self.levels) == 1:
            return numbers + self._of(self._normal, numbers)
        lowest = numbers[..., :1] + self._normal[0]
        steps = ops.softplus(numbers[..., 1:] + self._of(self._increments, numbers))
        return _backend.cumsum(ops.concatenate([lowest, steps], axis=-1), axis=-1)

    def take_in(self, parameters: Tensor) -> Tensor:
        """Returns the numbers of which `put_out` makes these quantiles, which must not cross.

        Args:
            parameters: Quantiles, increasing `(..., labels, levels)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        if not self.ordered or len(self.levels) == 1:
            return parameters - self._of(self._normal, parameters)
        steps = parameters[..., 1:] - parameters[..., :-1]
        numbers = steps + _backend.log1mexp(-steps) - self._of(self._increments, steps)
        return ops.concatenate([parameters[..., :1] - self._normal[0], numbers], axis=-1)

    def start(self, mean: Tensor, standard_deviation: Tensor) -> Tensor:
        """Returns the quantiles of a normal distribution.

        Args:
            mean: Its means `(labels,)`.
            standard_deviation: Its standard deviations, above 0 `(labels,)`.
        """
        normal = self._of(self._normal, mean)
        return mean[..., None] + standard_deviation[..., None] * normal

    def crps(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns twice the mean pinball loss of the quantiles.

        Args:
            y: Labels `(..., labels)`.
            parameters: Quantiles `(..., labels, levels)`.
        """
        parameters = ops.convert_to_tensor(parameters)
        error = ops.expand_dims(ops.convert_to_tensor(y, dtype=parameters.dtype), -1) - parameters
        levels = self._of(self.levels, parameters)
        side = ops.where(error < 0, 1.0 - levels, levels)
        return 2.0 * _backend.mean(_backend.absolute(error) * side, axis=-1)

    def cdf(self, y: Tensor, parameters: Tensor) -> Tensor:
        """Returns the level at `y`: 0 below the lowest quantile, 1 from the highest on.

        Args:
            y: Labels `(..., labels)`.
            parameters: Quantiles `(..., labels, levels)`.
        """
        q = self._in_order(parameters)
        y = ops.expand_dims(ops.convert_to_tensor(y, dtype=q.dtype), -1)
        low, size = q[..., :-1], q[..., 1:] - q[..., :-1]
        flat = size <= 0
        share = _backend.clip((y - low) / ops.where(flat, ops.ones_like(size), size), 0.0, 1.0)
        share = ops.where(flat, ops.cast(y >= low, q.dtype), share)
        first, last = y >= q[..., :1], y >= q[..., -1:]
        found = self.levels[0] * ops.cast(first[..., 0], q.dtype)
        found = found + ops.sum(share * self._of(self._steps, q), axis=-1)
        found = ops.where(last[..., 0], ops.ones_like(found), found)
        unknown = ops.logical_or(ops.isnan(y[..., 0]), ops.any(ops.isnan(q), axis=-1))
        return ops.where(unknown, ops.full_like(found, float("nan")), found)

    def quantile(self, probability: float | Tensor, parameters: Tensor) -> Tensor:
        """Returns the quantile of a level: linear between those predicted, flat beyond them.

        Args:
            probability: A number, or one per label, between 0 and 1.
            parameters: Quantiles `(..., labels, levels)`.
        """
        q = self._in_order(parameters)
        if len(self.levels) == 1:
            return q[..., 0]
        if isinstance(probability, float | int):
            pairs = zip(self.levels, self._steps, strict=False)
            passed = [min(max((probability - low) / step, 0.0), 1.0) for low, step in pairs]
            share = self._of(passed, q)
        else:
            probability = ops.expand_dims(ops.convert_to_tensor(probability, dtype=q.dtype), -1)
            share = (probability - self._of(self.levels[:-1], q)) / self._of(self._steps, q)
            share = _backend.clip(share, 0.0, 1.0)
        # Weights of 0 and 1 at a level that was predicted: sums of steps would be rounded.
        end = share[..., :1]
        above = ops.concatenate([ops.ones_like(end), share], axis=-1)
        below = ops.concatenate([share, ops.zeros_like(end)], axis=-1)
        return ops.sum(q * (above - below), axis=-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """Returns the mean over all levels, of which the outer ones have the outer quantiles.

        Args:
            parameters: Quantiles `(..., labels, levels)`.
        """
        q = self._in_order(parameters)
        return ops.sum(q * self._of(self._shares, q), axis=-1)

    def variance(self, parameters: Tensor) -> Tensor:
        """Returns the variance over all levels, of which the outer ones have the outer quantiles.

        Args:
            parameters: Quantiles `(..., labels, levels)`.
        """
        q = self._in_order(parameters)
        q = q - ops.expand_dims(self.mean(parameters), -1)
        a, b = q[..., :-1], q[..., 1:]
        outer = self.levels[0] * q[..., 0] ** 2 + (1.0 - self.levels[-1]) * q[..., -1] ** 2
        inner = (a * a + a * b + b * b) * self._of(self._steps, q)
        return outer + ops.sum(inner, axis=-1) / 3.0

    def rescale(self, parameters: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Returns a q + b.

        Args:
            parameters: Quantiles `(..., labels, levels)`.
            scale: Positive factors a `(labels,)`.
            shift: What is added then, b `(labels,)`.
        """
        scale, shift = (
            ops.expand_dims(ops.convert_to_tensor(each, dtype=parameters.dtype), -1)
            for each in (scale, shift)
        )
        return parameters * scale + shift

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"levels": list(self.levels), "ordered": self.ordered}

    @staticmethod
    def _in_order(parameters: Tensor) -> Tensor:
        """The quantiles, increasing."""
        return ops.sort(ops.convert_to_tensor(parameters), axis=-1)

    @staticmethod
    def _of(numbers: Sequence[float], q: Tensor) -> Tensor:
        """Numbers of the dtype of the quantiles."""
        return ops.convert_to_tensor(numbers, dtype=q.dtype)
