"""Means, variances and covariances of labels and predictions, in a form that can be merged."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.formulas import center
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.metrics.base import MaskedMetric
from keras_masked.metrics.columns import count, in_columns
from keras_masked.observation import Observation

Tensor = Any


class Moments:
    """Sums of powers of deviations from an origin, of each column.

    The origin is the mean of the first labels, and of their predictions: squares of 1e6 + noise
    would leave nothing of the noise in float32. All replicas agree on one.

    Args:
        metric: The metric that owns the variables.
        columns: Number of columns, or `None` for all labels in one, whose moments are scalars.
        joint: Whether to keep the sums that involve predictions, too.
    """

    def __init__(self, metric: MaskedMetric, columns: int | None, joint: bool) -> None:
        self.joint = joint
        one = () if columns is None else (columns,)
        self._arrange = in_columns if one else flat
        self._sums = Accumulator(metric, (8 if joint else 5, *one))
        dtype = self._sums.variables[0].dtype
        shape = (2 if joint else 1, *one)
        # Equal on all replicas, so that their mean is what each has.
        self._origin = metric.add_variable(
            shape, "zeros", dtype=dtype, aggregation="mean", name="origin"
        )
        self._known = metric.add_variable(
            one, "zeros", dtype=dtype, aggregation="mean", name="known"
        )

    def collect(self, seen: Observation) -> Tensor:
        """The sums over a batch, once the origin is known."""
        hidden = None if seen.hidden is None else self._arrange(seen.hidden())
        weight = None if seen.weight is None else self._arrange(seen.weight)

        def shown(x: Tensor) -> Tensor:
            return x if hidden is None else _backend.zero_where(hidden, x)

        def weighted(x: Tensor) -> Tensor:
            return x if weight is None else x * weight

        y_true, y_pred = self._arrange(seen.y_true), self._arrange(seen.y_pred)
        counts = ops.ones_like(y_true, dtype="bool")
        if hidden is not None:
            counts = ops.logical_not(hidden)
        labels = ops.cast(count(counts, apart=len(y_true.shape) > 1), y_true.dtype)
        kept = [y_true, y_pred] if self.joint else [y_true]
        origin = self._find_origin([center(x, hidden, labels, axis=0)[0] for x in kept], labels)
        y = shown(y_true - origin[0])
        products = [shown(y_true - y_pred) ** 2, y, y * y]
        if self.joint:
            p = shown(y_pred - origin[1])
            products += [p, p * p, y * p]
        sums = [ops.sum(weighted(each), axis=0) for each in products]
        return ops.stack([labels, labels if weight is None else ops.sum(weight, axis=0), *sums])

    def _find_origin(self, centers: list[Tensor], labels: Tensor) -> Tensor:
        has = ops.cast(ops.not_equal(labels, 0), labels.dtype)
        first = ops.stack(centers)
        if _backend.replicated():
            everywhere = _backend.total(has)
            first = _backend.total(first) / _backend.maximum(everywhere, ops.ones_like(everywhere))
            has = ops.cast(ops.not_equal(everywhere, 0), first.dtype)
        origin = ops.convert_to_tensor(self._origin)
        known = ops.convert_to_tensor(self._known)
        first, has = ops.cast(first, origin.dtype), ops.cast(has, origin.dtype)
        origin = ops.where(ops.equal(known, 0), first, origin)
        self._origin.assign(origin)
        self._known.assign(_backend.maximum(known, has))
        return ops.cast(origin, labels.dtype)

    def add(self, sums: Tensor) -> None:
        """Adds the sums over a batch."""
        self._sums.add(sums)

    def merge(self, other: Moments) -> None:
        """Adds the moments of another part of the data, seen from the origin of this one."""
        mine, theirs = ops.convert_to_tensor(self._origin), ops.convert_to_tensor(other._origin)
        known, has = ops.convert_to_tensor(self._known), ops.convert_to_tensor(other._known)
        origin = ops.where(ops.equal(known, 0), theirs, mine)
        shift = ops.where(ops.equal(has, 0), ops.zeros_like(mine), theirs - origin)
        n, w, ee, y, yy, *rest = (other._sums.value[i] for i in range(self._sums.shape[0]))
        by_y = shift[0]
        sums = [n, w, ee, y + w * by_y, yy + 2 * by_y * y + w * by_y * by_y]
        if self.joint:
            p, pp, yp = rest
            by_p = shift[1]
            sums += [
                p + w * by_p,
                pp + 2 * by_p * p + w * by_p * by_p,
                yp + by_y * p + by_p * y + w * by_y * by_p,
            ]
        self._origin.assign(origin)
        self._known.assign(_backend.maximum(known, has))
        self._sums.add(ops.stack(sums))

    @property
    def count(self) -> Tensor:
        """How many labels have been seen."""
        return self._sums.value[0]

    @property
    def weight(self) -> Tensor:
        """The sum of their weights."""
        return self._sums.value[1]

    @property
    def residual(self) -> Tensor:
        """The weighted sum of (y - p)^2."""
        return self._sums.value[2]

    @property
    def label_variation(self) -> Tensor:
        """The weighted sum of squared deviations of the labels from their mean."""
        return self._about_mean(4, 3, 3)

    @property
    def prediction_variation(self) -> Tensor:
        """The weighted sum of squared deviations of the predictions from their mean."""
        return self._about_mean(6, 5, 5)

    @property
    def covariation(self) -> Tensor:
        """The weighted sum of products of both deviations."""
        return self._about_mean(7, 3, 5)

    @property
    def residual_variation(self) -> Tensor:
        """The weighted sum of squared deviations of y - p from their mean."""
        # Not from the sum of (y - p)^2, of which a large bias would leave nothing else.
        both = self.label_variation + self.prediction_variation
        variation = both - 2 * self.covariation
        return ops.where(variation < 0, ops.zeros_like(variation), variation)

    @property
    def bias(self) -> Tensor:
        """The difference of the means of labels and predictions."""
        sums, known = self._sums.value, ops.convert_to_tensor(self._known)
        # Keras 3.16 adds all variables up over PyTorch's processes, whatever their `aggregation`:
        # the origin comes as often as it is known.
        origin = self._origin / ops.maximum(known, ops.ones_like(known))
        return origin[0] - origin[1] + (sums[3] - sums[5]) / self._safe_weight()

    def _about_mean(self, product: int, a: int, b: int) -> Tensor:
        sums = self._sums.value
        return sums[product] - sums[a] * sums[b] / self._safe_weight()

    def _safe_weight(self) -> Tensor:
        weight = self.weight
        return ops.where(ops.equal(weight, 0), ops.ones_like(weight), weight)


def flat(x: Tensor) -> Tensor:
    """All labels on one axis."""
    return x if len(x.shape) == 1 else ops.reshape(x, (-1,))
