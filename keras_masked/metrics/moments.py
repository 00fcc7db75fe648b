"""Means, variances and covariances of labels and predictions, in a form that can be merged."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.formulas import Centering
from keras_masked.metrics.accumulator import Accumulator
from keras_masked.metrics.base import MaskedMetric
from keras_masked.metrics.columns import in_columns
from keras_masked.metrics.rows import Rows
from keras_masked.observation import Observation

Tensor = Any

ROUNDING = 32
"""So many units in the last place may be missing from a sum of squares."""


class Moments:
    """Sums of powers of deviations from an origin, of each column.

    Squares of 1e6 + noise would leave nothing of the noise in float32, and so would those of
    deviations from whatever came first. So each batch is taken about its own weighted mean, and
    the origin is the mean of all that has been seen: with each batch it moves, and the sums with
    it (Chan, Golub and LeVeque 1983). It is rounded; the sums of deviations, which would be 0, say
    by how much.

    All replicas agree on one origin, about which each keeps the sums of its own part.

    Args:
        metric: The metric that owns the variables.
        columns: Number of columns, or `None` for all labels in one, whose moments are scalars.
        joint: Whether to keep the sums that involve predictions, too.
    """

    def __init__(self, metric: MaskedMetric, columns: int | None, joint: bool) -> None:
        self._kept = 2 if joint else 1
        one = () if columns is None else (columns,)
        self._arrange = in_columns if one else flat
        # Labels, weights, squared errors; deviations, their squares, and the product of both.
        self._sums = Accumulator(metric, (3 + 2 * self._kept + joint, *one))
        dtype = self._sums.variables[0].dtype
        self._origin, self._copies = (
            metric.add_variable(
                shape, "zeros", dtype=dtype, aggregation="only_first_replica", name=name
            )
            for shape, name in (((self._kept, *one), "origin"), ((), "copies"))
        )

    def collect(self, seen: Observation) -> tuple[Tensor, Tensor]:
        """The means of a batch, and the sums of deviations from them."""
        hidden = None if seen.hidden is None else self._arrange(seen.hidden())
        weight = None if seen.weight is None else self._arrange(seen.weight)
        y_true, y_pred = self._arrange(seen.y_true), self._arrange(seen.y_pred)
        batch = Centering(hidden, weight, [y_true, y_pred][: self._kept], axis=0)
        y = batch.deviations[0]
        if self._kept == 1:
            errors = batch.show(y_true - y_pred)
            products = [errors * errors, y, y * y]
        else:
            errors = batch.shown[0] - batch.shown[1]
            p = batch.deviations[1]
            products = [errors * errors, y, p, y * y, p * p, y * p]
        sums = ops.stack([batch.labels, batch.weights, *batch.add_up(products)])
        return ops.stack(batch.centers), sums

    def counting(self, rows: Rows) -> Counting:
        """What collects a batch for each of several ways to count its rows."""
        return Counting(self, rows)

    def add(self, batch: tuple[Tensor, Tensor]) -> None:
        """Adds a batch, of which other replicas may have other parts."""
        self._add(batch, _backend.replicated())

    def merge(self, other: Moments) -> None:
        """Adds the moments of another part of the data."""
        self._add((other._means(), other._sums.value), False)

    def _add(self, batch: tuple[Tensor, Tensor], replicated: bool) -> None:
        mine = ops.convert_to_tensor(self._origin)
        theirs, added = (ops.cast(x, mine.dtype) for x in batch)
        sums = ops.stack([self._sums.value, added], axis=-1)
        size = ops.abs(sums[1])
        if replicated:
            origin = _middle(mine, *_of_all_replicas(theirs, size))
        else:
            origin = _middle(mine, theirs, size)
        shifts = ops.stack([mine, theirs], axis=-1) - origin[..., None]
        added = added + ops.sum(self._change(sums, shifts), axis=-1)
        self._origin.assign(origin)  # not before: `mine` may be what the variable holds
        self._copies.assign(ops.ones_like(ops.convert_to_tensor(self._copies)))
        self._sums.add(added)

    def _means(self) -> Tensor:
        """The origin. Keras 3.16 adds all variables up over PyTorch's processes, this one, too."""
        copies = ops.convert_to_tensor(self._copies)
        return ops.convert_to_tensor(self._origin) / _backend.maximum(copies, 1)

    def _change(self, sums: Tensor, shift: Tensor) -> Tensor:
        """What the sums gain where all deviations gain `shift`."""
        k = self._kept
        first = sums[3 : 3 + k]
        gain = sums[1] * shift
        gains = [ops.zeros_like(sums[:3]), gain, shift * (first + first + gain)]
        if k > 1:
            gains.append((shift[0] * (first[1] + gain[1]) + shift[1] * first[0])[None])
        return ops.concatenate(gains)

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
        return self._about_mean(3 + self._kept, 3, 3)

    @property
    def prediction_variation(self) -> Tensor:
        """The weighted sum of squared deviations of the predictions from their mean."""
        return self._about_mean(6, 4, 4)

    @property
    def covariation(self) -> Tensor:
        """The weighted sum of products of both deviations."""
        return self._about_mean(7, 3, 4)

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
        sums, origin = self._sums.value, self._means()
        return origin[0] - origin[1] + (sums[3] - sums[4]) / self._safe_weight()

    def _about_mean(self, product: int, a: int, b: int) -> Tensor:
        sums = self._sums.value
        return sums[product] - sums[a] * sums[b] / self._safe_weight()

    def _safe_weight(self) -> Tensor:
        weight = self.weight
        return ops.where(ops.equal(weight, 0), ops.ones_like(weight), weight)


class Counting(Moments):
    """Collects batches for several ways to count their rows; keeps nothing."""

    def __init__(self, moments: Moments, rows: Rows) -> None:
        self._kept = moments._kept
        self._rows = rows

    def collect(self, seen: Observation) -> tuple[Tensor, Tensor]:
        """Origins, and the sums of deviations from them, of each column and way to count."""
        columns, labels = seen.y_pred.shape[-1], seen.weights
        shape = tuple(labels.shape)
        y, p = ops.broadcast_to(seen.y_true, ops.shape(labels)), seen.y_pred
        hidden = None if seen.hidden is None else seen.hidden()
        if hidden is not None:
            y, p = (_backend.zero_where(hidden, x) for x in (y, p))
        plain = kept = [y, p][: self._kept]
        errors, origins = y - p, []
        counted = (
            ops.ones_like(labels)
            if hidden is None
            else ops.cast(ops.logical_not(hidden), labels.dtype)
        )
        kept = []
        for x in plain:
            # About the mean of each way where ways have means of their own, else of the batch.
            origin, near = self._rows.center(ops.reshape(x, (-1, *shape[1:])), counted)
            origins.append(origin)
            kept.append(counted * (x - near))
        products = [errors * errors, *kept, *(x * x for x in kept)]
        if self._kept > 1:
            products.append(kept[0] * kept[1])
        sums = [counted, labels, *(labels * x for x in products), *(counted * x for x in plain)]
        within = int(np.prod(shape[1:-1]))
        stacked = ops.reshape(ops.stack(sums, axis=-2), (-1, within, len(sums) * columns))
        found = self._rows.add_up(ops.sum(stacked, axis=1))
        found = ops.reshape(found, (len(sums), columns * self._rows.ways))
        return self._without_rounding(ops.stack(origins), found)

    def _without_rounding(self, origins: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        """Both with deviations of exactly 0 in the ways whose entries are all equal.

        As squares about a mean that is not their own they leave a rounding, of either sign, which
        would pass for a variance.
        """
        k = self._kept
        sums, totals = sums[:-k], sums[-k:]
        labels, weight = sums[0], ops.where(ops.equal(sums[1], 0), ops.ones_like(sums[1]), sums[1])
        first, squares = sums[3 : 3 + k], sums[3 + k : 3 + 2 * k]
        noise = ROUNDING * float(np.finfo(keras.backend.standardize_dtype(sums.dtype)).eps)
        equal = ops.abs(squares - first * first / weight) <= noise * ops.abs(squares)
        equal = ops.logical_and(equal, ops.not_equal(squares, 0))
        origins = ops.where(equal, totals / _backend.maximum(labels, 1), origins)
        kept = [ops.where(equal, ops.zeros_like(x), x) for x in (first, squares)]
        if k > 1:
            either = ops.any(equal, axis=0, keepdims=True)
            kept.append(ops.where(either, ops.zeros_like(sums[-1:]), sums[-1:]))
        return origins, ops.concatenate([sums[:3], *kept])


def _middle(mine: Tensor, theirs: Tensor, size: Tensor) -> Tensor:
    """The mean of two means whose weights are on the last axis of `size`."""
    whole = size[..., 0] + size[..., 1]
    whole = ops.where(ops.equal(whole, 0), ops.ones_like(whole), whole)
    # From the one of more weight, so that the other's rounding hardly counts.
    more = size[..., 0] >= size[..., 1]
    near, far = ops.where(more, mine, theirs), ops.where(more, theirs, mine)
    less = _backend.minimum(size[..., 0], size[..., 1])
    return near + (far - near) * (less / whole)


def _of_all_replicas(means: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """The means of a batch of which each replica has a part, and weights, of all replicas."""
    own = size[..., 1]
    size = _backend.total(size)
    whole = ops.where(ops.equal(size[..., 1], 0), ops.ones_like(own), size[..., 1])
    # In two steps: see `Centering`.
    mean = _backend.total(own * means) / whole
    return mean + _backend.total(own * (means - mean)) / whole, size


def flat(x: Tensor) -> Tensor:
    """All labels on one axis."""
    return x if len(x.shape) == 1 else ops.reshape(x, (-1,))
