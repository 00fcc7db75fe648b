"""`WithInterval`: any metric of sums over labels, with an interval from a bootstrap of rows."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_masked import _backend
from keras_masked.metrics.accumulator import Accumulator, Sums
from keras_masked.metrics.base import MaskedMetric, defined_mean, register
from keras_masked.metrics.by_rows import ByRows
from keras_masked.metrics.rows import Replicates, drawn
from keras_masked.validation import CLASS_ID, FRACTION, INTEGER, POSITIVE_INTEGER, one_of

Tensor = Any

PARTS = 50
"""In so many parts the rows are left out, one part at a time, for the acceleration of BCa."""


@register
class WithInterval(ByRows):
    r"""A metric with an interval from a bootstrap of rows, in the same pass.

    $$M_r = M(\{(y_i, p_i) \times n_{r i} : o_i = 1\}), \quad n_{r i} \sim \mathrm{Poisson}(1)$$

    and the interval is that between the quantiles of the replicates $M_1 \ldots M_R$ that leave
    $(1 - c) / 2$ outside on either side, for the confidence level $c$. Rows are drawn, the first
    axis: labels of one patient, star or sequence stay together.

    How often a row counts is a hash of (seed, replicate, number of the row). So the interval is the
    same, to rounding, however data are split into batches, on every backend, and over replicas of
    a model; two metrics of the same seed draw the same rows, and can be compared. Rows are
    numbered in the order of updates. Parts that are to be merged are given the number of their
    first row as `start`.

    It keeps `replicates` times the sums of the metric, and updates take longer accordingly: put it
    into `evaluate`, or use `keras_masked.report`, rather than train with it.

    A replicate in which the metric is undefined (AUC without positives) leaves the quantiles.
    Where the metric is NaN, so is the interval.

    Args:
        metric: A metric of sums over labels (a mean, thresholds, R2, a correlation of columns), or
            a `PerLabel` of one.
        confidence_level: How often the interval is to hold the value, $c$.
        replicates: How many replicates, $R$.
        seed: Another seed draws other rows.
        start: The number of the first row.
        method: `"percentile"`, or `"bca"`: bias-corrected and accelerated (Efron 1987), the
            acceleration from leaving out a fiftieth of the rows at a time.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the results; by default, that of `metric`.

    Shapes: as for `metric`. The result is a dict of scalars: `{name}`, `{name}/lower` and
    `{name}/upper`; of `PerLabel` `{name}/{label}`, `{name}/{label}/lower` and so on, the average
    included.

    Raises:
        ValueError: If `metric` is no function of sums over labels, or has one result per column
            without being in `PerLabel`.

    Example:

    >>> metric = keras_masked.metrics.WithInterval(keras_masked.metrics.MeanAbsoluteError(name="m"))
    >>> y_true = np.arange(100.0)
    >>> y_true[::3] = np.nan
    >>> metric.update_state(y_true, np.arange(100.0) + np.arange(100) % 2)
    >>> {key: round(float(value), 2) for key, value in metric.result().items()}
    {'m': 0.5, 'm/lower': 0.38, 'm/upper': 0.62}

    Source: Efron 1979; Chamandy et al. 2012, for the Poisson bootstrap.
    """

    admits = {
        "confidence_level": FRACTION,
        "replicates": POSITIVE_INTEGER,
        "seed": INTEGER,
        "start": CLASS_ID,
        "method": one_of("percentile", "bca"),
    }

    def __init__(
        self,
        metric: MaskedMetric,
        confidence_level: float = 0.95,
        replicates: int = 1000,
        seed: int = 0,
        start: int = 0,
        method: str = "percentile",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.confidence_level = confidence_level
        self.replicates = replicates
        self.seed = seed
        self.start = start
        self.method = method
        self._whole: Any = None
        self._of_replicates = False
        super().__init__(metric, replicates + (PARTS if method == "bca" else 0), name, dtype)
        self._rows = self.accumulator()

    def accumulator(self, shape: tuple[int, ...] = ()) -> Accumulator:
        """Adds sums of a shape to the metric's state."""
        return self.keep(Sums(self, shape)) if self._of_replicates else super().accumulator(shape)

    def _create_state(self, shape: Any) -> None:
        if shape is None or self._columns is not None:
            return
        self._of_replicates = True
        super()._create_state(shape)
        self._of_replicates = False
        apart = self._per_label is not None or self._inner.per_column
        self._whole = self._inner.new_state(self, shape if apart else None)

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        seen = self._see(y_true, y_pred, sample_weight)
        apart = self._per_label is not None or self._inner.per_column
        self._whole.add(self._inner.collect(seen, self._whole, apart))
        rows = ops.shape(seen.y_pred)[0]
        before, _ = _backend.place(rows)
        numbers = ops.arange(rows, dtype="int32") + (self._counted() + self.start + before)
        counts = self._draw(numbers)
        if self.method == "bca":
            part = ops.expand_dims(numbers % PARTS, 1)
            rest = ops.cast(ops.not_equal(part, ops.arange(PARTS, dtype="int32")), counts.dtype)
            counts = ops.concatenate([counts, rest], axis=1)
        self._add(seen, Replicates(counts))
        self._rows.add(ops.cast(rows, "float32"))

    def _draw(self, numbers: Tensor) -> Tensor:
        """How often rows of these numbers count in each replicate."""
        return drawn(numbers, self.replicates, self.seed)

    def _counted(self) -> Tensor:
        """How many rows all replicas have had, exactly: the accumulator's two parts are whole."""
        if _backend.replicated():
            parts = [_backend.total(ops.convert_to_tensor(v)) for v in self._rows.variables]
        else:
            parts = [ops.convert_to_tensor(v) for v in self._rows.variables]
        return ops.cast(parts[0], "int32") + ops.cast(parts[1], "int32")

    def values(self) -> tuple[Tensor, Tensor]:
        """The value of each column, and in each replicate `(columns, replicates)`.

        With `PerLabel` the average, if any, comes last; without, there is one value.
        """
        per_label = self._per_label
        if self._columns is None:
            nothing = ops.full((1, self._ways), float("nan"))
            return nothing[:, 0], nothing
        scores, defined = self._inner.scores(self._whole)
        scores, defined = ops.reshape(scores, (-1,)), ops.reshape(defined, (-1,))
        ways, defined_ways = self._scores_apart()
        average = per_label.average if per_label is not None else None
        if average is None and not (per_label is None and self._inner.per_column):
            return scores, ways
        weights = ops.ones_like(scores)
        if average == "weighted":
            weights = ops.cast(self._inner.support_of(self._whole), scores.dtype)
        mean = ops.reshape(defined_mean(scores, weights, defined), (1,))
        of_ways = ops.expand_dims(self._averages(ways, defined_ways), 0)
        if per_label is None:
            return mean, of_ways
        return ops.concatenate([scores, mean]), ops.concatenate([ways, of_ways])

    def result(self) -> dict[str, Tensor]:
        """Returns values and the ends of their intervals."""
        values, ways = self.values()
        lower, upper = self._ends(values, ways)
        found: dict[str, Tensor] = {}
        names = self._names()
        per_label = self._per_label
        if per_label is not None and per_label.log == "macro":
            names, values, lower, upper = names[-1:], values[-1:], lower[-1:], upper[-1:]
        for end, x in (("", values), ("/lower", lower), ("/upper", upper)):
            entries = _backend.entries(ops.cast(x, self.dtype))
            found |= {f"{name}{end}": each for name, each in zip(names, entries, strict=True)}
        ordered = [f"{name}{end}" for name in names for end in ("", "/lower", "/upper")]
        results = {key: found[key] for key in ordered}
        if per_label is not None and per_label.show_support:
            keys = [f"{self.name}/support/{label}" for label in per_label.labels]
            results |= dict(zip(keys, _backend.entries(self.support()), strict=True))
        return results

    def _names(self) -> list[str]:
        per_label = self._per_label
        if per_label is None:
            return [self.name]
        average = [] if per_label.average is None else [per_label.average]
        return [f"{self.name}/{label}" for label in [*per_label.labels, *average]]

    def _ends(self, values: Tensor, ways: Tensor) -> tuple[Tensor, Tensor]:
        replicates, rest = ways[:, : self.replicates], ways[:, self.replicates :]
        tail = (1 - self.confidence_level) / 2
        ends = [ops.full_like(values, tail), ops.full_like(values, 1 - tail)]
        if self.method == "bca":
            ends = _corrected(values, replicates, rest, tail)
        ordered, count = _sorted(replicates)
        lower, upper = (_quantile(ordered, count, end) for end in ends)
        unknown = ops.isnan(values)
        lower, upper = (ops.where(unknown, values, x) for x in (lower, upper))
        return lower, upper

    def logged(self) -> list[str]:
        """The keys of the result, under which Keras logs its values."""
        per_label = self._per_label
        names = self._names()
        names = names[-1:] if per_label is not None and per_label.log == "macro" else names
        return [f"{name}{end}" for name in names for end in ("", "/lower", "/upper")]

    def support(self) -> Tensor:
        """Returns how many labels each value rests on: the sum of their weights, if any."""
        if self._columns is None:
            return ops.zeros((1,))
        return self._inner.support_of(self._whole)

    def is_defined(self) -> Tensor:
        """Whether the labels observed define any value."""
        if self._columns is None:
            return ops.zeros((), dtype="bool")
        return ops.any(self._inner.scores(self._whole)[1])

    def _check_mergeable(self, metric: Any) -> None:
        start, self.start = self.start, getattr(metric, "start", self.start)
        try:
            super()._check_mergeable(metric)  # parts begin with rows of their own
        finally:
            self.start = start

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        return {
            **super().get_config(),
            "confidence_level": self.confidence_level,
            "replicates": self.replicates,
            "seed": self.seed,
            "start": self.start,
            "method": self.method,
        }


def _sorted(replicates: Tensor) -> tuple[Tensor, Tensor]:
    """Replicates in order, undefined ones behind, and how many are defined."""
    undefined = ops.isnan(replicates)
    top = ops.where(undefined, ops.full_like(replicates, float("inf")), replicates)
    count = ops.sum(ops.cast(ops.logical_not(undefined), replicates.dtype), axis=1)
    return ops.sort(top, axis=1), count


def _quantile(ordered: Tensor, count: Tensor, share: Tensor) -> Tensor:
    """The quantile of the defined replicates of each column, interpolated as NumPy's."""
    place = share * ops.relu(count - 1)
    low = _backend.floor(place)
    high = _backend.minimum(low + 1, ops.relu(count - 1))
    near, far = (
        ops.take_along_axis(ordered, ops.expand_dims(ops.cast(i, "int32"), 1), axis=1)[:, 0]
        for i in (low, high)
    )
    found = near + ops.where(ops.equal(near, far), ops.zeros_like(near), far - near) * (place - low)
    return ops.where(ops.equal(count, 0), ops.full_like(found, float("nan")), found)


def _corrected(values: Tensor, replicates: Tensor, rest: Tensor, tail: float) -> list[Tensor]:
    """The shares at which BCa takes its quantiles."""
    values = ops.expand_dims(values, 1)
    below = ops.cast(replicates < values, values.dtype)
    below = below + 0.5 * ops.cast(ops.equal(replicates, values), values.dtype)
    count = ops.sum(ops.cast(ops.logical_not(ops.isnan(replicates)), values.dtype), axis=1)
    share = (ops.sum(below, axis=1) + 0.5) / (count + 1)
    bias = _normal_quantile(share)
    defined = ops.logical_not(ops.isnan(rest))
    mean = ops.expand_dims(defined_mean(rest, ops.ones_like(rest), defined, axis=1), 1)
    gaps = ops.where(defined, mean - rest, ops.zeros_like(rest))
    squares = ops.sum(gaps**2, axis=1)
    safe = ops.where(ops.equal(squares, 0), ops.ones_like(squares), squares)
    acceleration = ops.sum(gaps**3, axis=1) / (6 * safe**1.5)
    found = []
    for end in (tail, 1 - tail):
        z = bias + _normal_quantile(ops.full_like(bias, end))
        moved = bias + z / (1 - acceleration * z)
        found.append(0.5 * (1 + ops.erf(moved / math.sqrt(2))))
    return found


def _normal_quantile(share: Tensor) -> Tensor:
    return math.sqrt(2) * ops.erfinv(2 * share - 1)
