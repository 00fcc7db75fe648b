"""What labels are like, column by column, of any number of batches in bounded memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_masked.layers.label_streams import as_array
from keras_masked.observation import NAN, Missing, find_missing_in_array, reject_misread
from keras_masked.report.bounds import BoundStatistics

Array = np.ndarray

DISTINCT = 64
"""So many distinct values of a column are told apart; of more, only that there are more."""
SAMPLE = 2000
"""So many rows are kept, for pictures and quartiles."""
TOGETHER = 2000
"""Up to so many columns it is counted which are missing together."""


class Extreme:
    """The least value of each column, how often it occurs, and the least but one.

    The greatest, if `sign` is -1.
    """

    def __init__(self, columns: int, sign: int) -> None:
        self.sign = sign
        self._first = np.full(columns, np.inf)
        self._next = np.full(columns, np.inf)
        self.count = np.zeros(columns, "int64")

    @property
    def value(self) -> Array:
        """The least value, or the greatest."""
        return np.asarray(self.sign * self._first)

    @property
    def next(self) -> Array:
        """The least but one, or the greatest but one."""
        return np.asarray(self.sign * self._next)

    def update(self, values: Array, finite: Array) -> None:
        """Adds rows of values, of which only some count."""
        x = np.where(finite, self.sign * values if self.sign < 0 else values, np.inf)
        first = x.min(axis=0)
        here = x == first
        count = np.where(np.isinf(first), 0, here.sum(axis=0))
        x[here] = np.inf
        second = x.min(axis=0)
        lower, same = first < self._first, first == self._first
        rest = np.minimum(np.where(lower, self._first, first), np.minimum(self._next, second))
        self._next = np.where(same, np.minimum(self._next, second), rest)
        self.count = np.where(lower, count, self.count + np.where(same, count, 0))
        self._first = np.minimum(first, self._first)


class RowSample:
    """Some of the rows: those whose numbers have the least hashes, however rows come in batches."""

    def __init__(self) -> None:
        self.rows: Array = np.zeros((0, 0))
        self._numbers = np.zeros(0, "int64")
        self._hashes = np.zeros(0, "uint64")

    def update(self, values: Array, start: int) -> None:
        """Adds rows, of which the first has the number `start`."""
        numbers = np.arange(start, start + len(values))
        hashes = _hash(numbers)
        if len(self._hashes) == SAMPLE:
            chosen = np.flatnonzero(hashes < self._hashes.max())
        else:
            chosen = np.argpartition(hashes, min(SAMPLE, len(hashes)) - 1)[:SAMPLE]
        if not len(chosen):
            return
        old = self.rows if len(self.rows) else self.rows.reshape(0, values.shape[1])
        rows = np.concatenate([old, values[chosen]])
        numbers = np.concatenate([self._numbers, numbers[chosen]])
        hashes = np.concatenate([self._hashes, hashes[chosen]])
        least = np.argsort(hashes)[:SAMPLE]
        self.rows, self._numbers, self._hashes = rows[least], numbers[least], hashes[least]


def _hash(numbers: Array) -> Array:
    x: Array = numbers.astype("uint64")
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


class LabelStatistics:
    """Statistics of columns of labels, of the batches seen so far.

    Args:
        missing: Which labels are missing.
        candidates: Numbers that markers become when they are rounded, by marker.
        censored: Whether labels are lower and upper ends, `(rows, ..., columns, 2)`.
    """

    def __init__(
        self, missing: Missing, candidates: dict[Any, list[float]], censored: bool = False
    ) -> None:
        self.missing = missing
        self.bounds = BoundStatistics() if censored else None
        self._candidates = candidates
        self.columns = 0
        self.rows = 0
        self.dtype = ""

    def _start(self, columns: int, dtype: str) -> None:
        self.columns, self.dtype = columns, dtype
        self.observed = np.zeros(columns, "int64")
        self.infinite = np.zeros(columns, "int64")
        self.unnamed_nan = np.zeros(columns, "int64")
        self._sum = np.zeros(columns)
        self.low, self.high = Extreme(columns, 1), Extreme(columns, -1)
        self.distinct: list[Array | None] = [np.zeros(0)] * columns
        self.rounded: dict[tuple[int, Any, float], int] = {}
        few = columns <= TOGETHER
        self.together: Array | None = np.zeros((columns, columns)) if few else None
        self.per_row = np.zeros(columns + 1, "int64")
        self.one_hot_rows = self.zero_rows = self.other_rows = 0
        self.sample = RowSample()

    def update(self, labels: Any) -> None:
        """Adds a batch of labels `(rows, ..., columns)` or `(rows,)`."""
        reject_misread(data=labels)
        array = as_array(labels)
        dtype = array.dtype.name
        if self.bounds is not None:
            array = self.bounds.update(array, self.missing)
        columns = array.shape[-1] if array.ndim > 1 else 1
        array = array.reshape(array.size // max(columns, 1), columns)
        if not self.columns:
            self._start(array.shape[1], dtype)
        elif array.shape[1] != self.columns:
            raise ValueError(
                "Argument `y` must have the same number of columns in every batch. Received: "
                f"{array.shape[1]} columns after {self.columns}."
            )
        if not array.size:
            return
        absent = find_missing_in_array(array, self.missing if self.bounds is None else NAN)
        with np.errstate(invalid="ignore"):
            values = array.astype("float64")
        observed = ~absent
        finite = np.isfinite(values) & observed
        self._add(values, observed, finite)
        self._add_rows(values, observed)
        self.sample.update(np.where(observed, values, np.nan), self.rows)
        self.rows += len(values)

    def _add(self, values: Array, observed: Array, finite: Array) -> None:
        counts = observed.sum(axis=0)
        self.observed += counts
        if counts.sum() > np.count_nonzero(finite):
            nan = (observed & np.isnan(values)).sum(axis=0)
            self.unnamed_nan += nan
            self.infinite += counts - nan - finite.sum(axis=0)
        self._sum += np.where(finite, values, 0.0).sum(axis=0)
        self.low.update(values, finite)
        self.high.update(values, finite)
        for c in range(self.columns):
            known = self.distinct[c]
            if known is not None:
                self.distinct[c] = _more_distinct(known, values[:, c], finite[:, c])
        for marker, numbers in self._candidates.items():
            for number in numbers:
                tolerance = 1e-5 * abs(number)
                if not (
                    np.any(self.low.value <= number + tolerance)
                    and np.any(self.high.value >= number - tolerance)
                ):
                    continue
                near = finite & (np.abs(values - number) <= tolerance)
                for c in np.flatnonzero(near.any(axis=0)).tolist():
                    found, times = np.unique(values[near[:, c], c], return_counts=True)
                    for value, n in zip(found[:20], times[:20], strict=True):
                        key = (c, marker, float(value))
                        if key in self.rounded or len(self.rounded) < 10_000:
                            self.rounded[key] = self.rounded.get(key, 0) + int(n)

    def _add_rows(self, values: Array, observed: Array) -> None:
        per_row = observed.sum(axis=1)
        self.per_row += np.bincount(per_row, minlength=self.columns + 1)
        if self.together is not None:
            absent = (~observed).astype("float32")
            self.together += absent.T @ absent
        complete = per_row == self.columns
        if self.columns > 2 and self.other_rows <= self.rows // 10:  # else they are not one-hot
            whole = values if complete.all() else values[complete]
            binary = np.all((whole == 0) | (whole == 1), axis=1)
            sums = whole[binary].sum(axis=1)
            ones, zeros = int((sums == 1).sum()), int((sums == 0).sum())
            self.one_hot_rows += ones
            self.zero_rows += zeros
            self.other_rows += len(whole) - ones - zeros

    @property
    def mean(self) -> Array:
        """The mean of the finite observed labels, NaN where there are none."""
        finite = self.finite
        return np.where(finite > 0, self._sum / np.maximum(finite, 1), np.nan)

    @property
    def finite(self) -> Array:
        """How many observed labels are numbers."""
        return np.asarray(self.observed - self.infinite - self.unnamed_nan)

    @property
    def share(self) -> Array:
        """The share of labels that are observed."""
        return np.asarray(self.observed / max(self.rows, 1))

    @property
    def complete(self) -> int:
        """How many rows have all labels."""
        return int(self.per_row[-1])

    @property
    def empty(self) -> int:
        """How many rows have no label."""
        return int(self.per_row[0])

    def values_of(self, column: int) -> list[float] | None:
        """The distinct values of a column, or `None` if there are many."""
        found = self.distinct[column]
        return None if found is None else [float(value) for value in found]

    def quartiles(self, column: int, without: float) -> tuple[float, float, float]:
        """The quartiles of the rows kept, without one value; NaN if nothing is left."""
        values = self.sample.rows[:, column]
        values = values[np.isfinite(values) & (values != without)]
        if not len(values):
            return (math.nan,) * 3
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)


def _more_distinct(known: Array, values: Array, finite: Array) -> Array | None:
    """The distinct values with those of one more batch; `None` once they are many."""
    new = values[finite]
    for value in known[:8]:  # mostly there are two: no sorting then
        new = new[new != value]
    if not len(new):
        return known
    head = np.unique(new[:1000])
    if len(head) > DISTINCT:
        return None
    found = np.union1d(known, head if len(new) <= 1000 else new)
    return found if len(found) <= DISTINCT else None
