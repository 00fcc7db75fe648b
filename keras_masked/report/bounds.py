"""What labels are like that may be bounds: how many are, and on which side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_masked.layers.label_moments import middle
from keras_masked.observation import Missing, find_missing_ends_in_array, only_ends

Array = np.ndarray

KINDS = ("exact", "below", "above", "between")
"""Of labels: a value, less than one, more than one, or between two."""


def kinds_of(ends: Array, missing: Missing) -> Array:
    """Which labels `(..., 2)` are of each kind, `(kinds, ...)`; of missing ones none."""
    with np.errstate(invalid="ignore"):
        lower, upper = (ends[..., i].astype("float64") for i in (0, 1))
    exact, below, above = lower == upper, lower == -np.inf, upper == np.inf
    between = ~(exact | below | above | (lower > upper))
    known = ~find_missing_ends_in_array(ends, missing)
    return np.asarray(np.stack([exact, below & ~exact, above & ~exact, between]) & known)


class BoundStatistics:
    """Counts of labels by what is known of them, of the batches seen so far."""

    def __init__(self) -> None:
        self.counts = np.zeros((len(KINDS), 0), "int64")
        self.crossed = self.open = self.lone = np.zeros(0, "int64")

    def update(self, labels: Array, missing: Missing) -> Array:
        """Adds a batch `(rows, ..., columns, 2)`; returns one number a label, NaN if missing."""
        ends = only_ends(labels)
        ends = ends.reshape(-1, ends.shape[-2] if ends.ndim > 2 else 1, 2)
        absent = find_missing_ends_in_array(ends, missing)
        with np.errstate(invalid="ignore"):
            lower, upper = (ends[..., i].astype("float64") for i in (0, 1))
        if self.counts.shape[1] != ends.shape[1]:  # `LabelStatistics` takes no other number
            self.counts = np.zeros((len(KINDS), ends.shape[1]), "int64")
            self.crossed, self.open, self.lone = np.zeros((3, ends.shape[1]), "int64")
        self.counts = self.counts + kinds_of(ends, missing).sum(axis=1)
        self.crossed = self.crossed + ((lower > upper) & ~absent).sum(axis=0)
        self.open = self.open + ((lower == -np.inf) & (upper == np.inf)).sum(axis=0)
        alone = [find_missing_ends_in_array(np.stack([x, x], -1), missing) for x in (lower, upper)]
        bound = np.isinf(lower) | np.isinf(upper)  # of which one end may be an infinite marker
        bound &= ~(np.isnan(lower) | np.isnan(upper))
        self.lone = self.lone + ((alone[0] ^ alone[1]) & ~bound).sum(axis=0)
        return np.where(absent, np.nan, middle(np.stack([lower, upper], axis=-1)))

    def shares(self, column: int, rows: int) -> list[float]:
        """The shares of each kind."""
        return [float(n) / max(rows, 1) for n in self.counts[:, column]]

    def warnings_of(self, column: int, name: str) -> Iterator[str]:
        """What is suspicious, with the cure."""
        if n := int(self.crossed[column]):
            yield (
                f"{name!r}: {n:,} labels have a lower end above the upper one: losses raise, or "
                "are NaN. Exchange the ends, or set such labels to NaN."
            )
        if n := int(self.lone[column]):
            yield (
                f"{name!r}: {n:,} labels have NaN or a marker for one end alone. A NaN makes the "
                "label missing; a number is a bound: if there is none, make that end infinite."
            )
        if n := int(self.open[column]):
            yield (
                f"{name!r}: {n:,} labels reach from minus to plus infinity. Nothing is known of "
                "them: they are missing."
            )
        known = self.counts[:, column]
        if known.sum() and not known[0] and not known[3]:
            yield (
                f"{name!r} has bounds only, and no value: a likelihood has no best spread then. "
                "Drop the column, or find some values."
            )
