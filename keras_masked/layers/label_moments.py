"""Means and standard deviations of the observed labels of each column, streamed, in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_masked.layers.label_streams import as_array
from keras_masked.observation import (
    Missing,
    find_missing,
    find_missing_ends_in_array,
    find_missing_in_array,
    only_ends,
    reject_misread,
)


class LabelMoments:
    """Mean and sum of squared deviations of each column, of the labels seen so far.

    Batches are merged by their means and squared deviations (Chan, Golub and LeVeque 1979), which
    loses no digits where sums of squares would. All is relative to the first observed label of the
    column: differences of close numbers are exact, and columns of one value have variance 0. It is
    no farther from the mean than sqrt(n) standard deviations, so that it never costs digits.

    Args:
        missing: Which labels are missing.
        names: Names of the columns, for messages.
        columns: How many columns there must be, if known.
        noun: What the columns hold, for messages.
        censored: Whether labels are lower and upper ends, `(rows, ..., columns, 2)`: their middle
            is taken, or the only end that is finite.
    """

    def __init__(
        self,
        missing: Missing,
        names: tuple[str, ...] | None = None,
        columns: int | None = None,
        noun: str = "label",
        censored: bool = False,
    ) -> None:
        self.censored = censored
        self.missing = missing
        self.noun = noun
        self.names = names
        self.columns = columns
        self.rows = 0
        self.count = np.zeros(0, "int64")
        self.origin = self.mean = self.squares = np.zeros(0)

    def update(self, labels: Any) -> None:
        """Adds a batch of labels `(rows, ..., columns)`."""
        values, observed = (observe_ends if self.censored else observe)(labels, self.missing)
        self._check_columns(values.shape)
        if not values.size:
            return
        values = values.reshape(-1, values.shape[-1])
        observed = observed.reshape(values.shape)
        infinite = np.any(observed & np.isinf(values), axis=0)
        if infinite.any():
            self._fail(infinite, f"holds infinite {self.noun}s that `missing` does not name")
        n = observed.sum(axis=0)
        new = (self.count == 0) & (n > 0)
        first = values[observed.argmax(axis=0), np.arange(values.shape[-1])]
        self.origin = np.where(new, first, self.origin)
        with np.errstate(over="ignore", invalid="ignore"):  # `result` says so
            some = np.maximum(n, 1)
            deviations = np.where(observed, values - self.origin, 0.0)
            mean = deviations.sum(axis=0) / some
            deviations = np.where(observed, deviations - mean, 0.0)
            rest = deviations.sum(axis=0)  # what rounding has left in the mean
            squares = np.sum(deviations**2, axis=0)
            total = self.count + n
            share = n / np.maximum(total, 1)
            delta = mean + rest / some - self.mean
            self.mean = self.mean + delta * share
            self.squares = self.squares + squares + delta**2 * self.count * share
        self.count = total

    def result(self, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations in `dtype`, the latter 1 where all labels are the same."""
        if self.columns is None or not self.rows:
            raise ValueError(f"Argument `data` holds no {self.noun}s.")
        self._fail(self.count == 0, f"has no observed {self.noun}")
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            mean = (self.origin + self.mean).astype(dtype)
            deviation = np.sqrt(self.squares / self.count).astype(dtype)
        broken = ~(np.isfinite(mean) & np.isfinite(deviation))
        self._fail(broken, f"has a mean or standard deviation too large for {dtype}")
        # Backends take numbers below `tiny` for 0.
        return mean, np.where(deviation < np.finfo(dtype).tiny, np.ones_like(mean), deviation)

    def _check_columns(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2 or not shape[-1]:
            raise ValueError(
                f"Argument `data` must hold {self.noun}s of the shape (rows, ..., {self.noun}s); "
                f"of a single {self.noun}, give `{self.noun}s[:, None]`. "
                f"Received: {self.noun}s.shape={shape}"
            )
        columns = self.columns
        if columns is None and self.names is not None:
            columns = len(self.names)
        if columns is not None and columns != shape[-1]:
            source = f"of the names {list(self.names)}" if self.names else "seen before"
            raise ValueError(
                f"Argument `data` must hold as many {self.noun}s as those {source}, {columns}, on "
                f"the last axis. Received: {self.noun}s.shape={shape}"
            )
        self.columns = shape[-1]
        if not len(self.count):
            self.count = np.zeros(self.columns, "int64")
            self.origin = self.mean = self.squares = np.zeros(self.columns)
        self.rows += math.prod(shape[:-1])

    def _fail(self, columns: np.ndarray, problem: str) -> None:
        found = np.flatnonzero(columns).tolist()
        if found:
            which = ", ".join(
                repr(self.names[c]) if self.names else f"of column {c}" for c in found
            )
            raise ValueError(f"The {self.noun} {which} {problem}.")


def observe_ends(labels: Any, missing: Missing) -> tuple[np.ndarray, np.ndarray]:
    """One number for each label that is two ends, in float64, and which labels are observed."""
    reject_misread(data=labels)
    values = np.asarray(ops.convert_to_numpy(labels)) if ops.is_tensor(labels) else as_array(labels)
    ends = only_ends(values)
    observed = ~find_missing_ends_in_array(ends, missing)
    return middle(ends.astype("float64")), observed


def middle(ends: np.ndarray) -> np.ndarray:
    """The middle of two ends, or the only one that is finite."""
    lower, upper = ends[..., 0], ends[..., 1]
    with np.errstate(invalid="ignore", over="ignore"):
        between = np.where(lower == upper, lower, 0.5 * lower + 0.5 * upper)
    found = np.where(np.isinf(upper), lower, np.where(np.isinf(lower), upper, between))
    return np.asarray(found)


def observe(labels: Any, missing: Missing) -> tuple[np.ndarray, np.ndarray]:
    """Labels as float64, and which of them are observed, found in the dtype that they came in."""
    reject_misread(data=labels)
    if ops.is_tensor(labels):
        absent = find_missing(labels, missing)
        values = np.asarray(ops.convert_to_numpy(labels))
        found = np.zeros(values.shape, bool)
        found = found if absent is None else np.asarray(ops.convert_to_numpy(absent))
    else:
        values = as_array(labels)
        found = find_missing_in_array(values, missing)
    with np.errstate(invalid="ignore"):
        return values.astype("float64"), ~found
