"""Correlation coefficients, from sums of products of deviations from the means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


def pearson(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Pearson's coefficient, and where it is defined or a prediction has diverged.

    Args:
        yy: Sums of squared deviations of the labels from their mean.
        pp: Those of the predictions.
        yp: Sums of products of both deviations.
        weight: Sums of weights.
        bias: Differences of the means.
        labels: Numbers of labels.
    """
    # Two roots: the product of two variances overflows sooner.
    scale = ops.sqrt(yy) * ops.sqrt(pp)
    defined = ops.logical_or(ops.not_equal(yy, 0), ops.isnan(yp))
    return yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def concordance(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Lin's coefficient, and where it is known, as `pearson`."""
    scale = yy + pp + weight * ops.square(bias)
    defined = ops.logical_and(ops.greater(labels, 1), ops.not_equal(scale, 0))
    defined = ops.logical_or(defined, ops.isnan(yp))
    return 2 * yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def row_moments(
    y_true: Tensor, y_pred: Tensor, hidden: Tensor | None, weight: Tensor | None
) -> tuple[Tensor, ...]:
    """What a coefficient takes, of each row.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        hidden: Where there is none, or `None`.
        weight: Weights, 0 where hidden, or `None`.
    """
    of_rows = Centering(hidden, weight, [y_true, y_pred], axis=-1)
    (center_y, center_p), (y, p), weights = of_rows.centers, of_rows.deviations, of_rows.weights
    sum_y, sum_p, yy, pp, yp = of_rows.add_up([y, p, y * y, p * p, y * p])
    safe = ops.where(ops.equal(weights, 0), ops.ones_like(weights), weights)
    # The difference of the centers first: both may be large.
    bias = center_y - center_p + (sum_y - sum_p) / safe
    yy, pp = yy - sum_y * sum_y / safe, pp - sum_p * sum_p / safe
    return yy, pp, yp - sum_y * sum_p / safe, safe, bias, of_rows.labels


class Centering:
    """Means of what is shown, and the deviations from them.

    The mean is that by the magnitudes of the weights: one label far off that hardly counts must
    not take the digits of the others. Of equal entries it is exactly theirs: they must vary by 0.
    A mean of equal numbers can be off by a rounding or two; the mean of what is left then is that
    error, to the last digit that counts.

    Args:
        hidden: Where nothing is shown, or `None`.
        weight: Weights, 0 where hidden, or `None`.
        entries: What is centered.
        axis: The axis of the means: 0 or -1.

    Attributes:
        labels: How many entries are shown.
        weights: The sum of their weights.
        shown: The entries, 0 where hidden.
        centers: The mean of each.
        deviations: Those from it; with weights, these are anything finite where hidden.
    """

    def __init__(
        self, hidden: Tensor | None, weight: Tensor | None, entries: Sequence[Tensor], axis: int
    ) -> None:
        self._hidden, self._weight = hidden, weight
        self._axis = None if len(entries[0].shape) == 1 else axis
        dtype = entries[0].dtype
        self.shown = [self.show(x) for x in entries]
        if hidden is None:
            counted = ops.ones_like(entries[0], dtype="bool")
        else:
            counted = ops.logical_not(hidden)
        magnitude = None if weight is None else ops.abs(weight)
        known = [] if weight is None else [weight, magnitude]
        sums = self._sum([*self._weighted(self.shown, magnitude), counted, *known])
        self.labels = ops.cast(sums[len(entries)], dtype)
        self.weights = self.labels if weight is None else sums[-2]
        size = self.labels if weight is None else sums[-1]
        size = ops.where(ops.equal(size, 0), ops.ones_like(size), size)
        first = [x / size for x in sums[: len(entries)]]
        left = self._weighted(self._deviations(first), magnitude)
        self.centers = [x + y / size for x, y in zip(first, self._sum(left), strict=True)]
        self.deviations = self._deviations(self.centers)

    def show(self, x: Tensor) -> Tensor:
        """The entries, 0 where hidden."""
        return x if self._hidden is None else _backend.zero_where(self._hidden, x)

    def add_up(self, products: Sequence[Tensor]) -> list[Tensor]:
        """The weighted sums of what is shown, of products of deviations."""
        return self._sum(self._weighted(products, self._weight))

    def _deviations(self, centers: Sequence[Tensor]) -> list[Tensor]:
        if self._axis == -1:
            centers = [ops.expand_dims(x, -1) for x in centers]
        found = [x - center for x, center in zip(self.shown, centers, strict=True)]
        return found if self._weight is not None else [self.show(x) for x in found]

    @staticmethod
    def _weighted(tensors: Sequence[Tensor], weight: Tensor | None) -> list[Tensor]:
        return [x if weight is None else x * weight for x in tensors]

    def _sum(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        return _backend.totals(tensors, self._axis, light=True)
