"""Rows drawn once, for the intervals of several metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

from keras_masked.metrics import WithInterval
from keras_masked.metrics.rows import drawn, drawn_array

Array = np.ndarray
Tensor = Any
KEPT = 16_000_000
"""So many counts of rows and replicates are kept at most: 64 MB."""


class Draws:
    """How often each row counts in each replicate, as `WithInterval` draws them.

    By NumPy, which takes a quarter of the time of eager operations, and only once unless there are
    too many to keep.
    """

    def __init__(self, rows: int, replicates: int, seed: int) -> None:
        self.rows = rows
        self.replicates = replicates
        self.seed = seed
        few = rows * replicates <= KEPT
        self._whole = drawn_array(np.arange(rows), replicates, seed) if few else None

    def of(self, numbers: Tensor) -> Tensor:
        """The counts `(rows, replicates)` of rows by their numbers."""
        if self._whole is None:
            return drawn(numbers, self.replicates, self.seed)
        return ops.convert_to_tensor(self._whole[ops.convert_to_numpy(numbers)])

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Which replicates, and their counts of all rows; of many rows, few replicates at once."""
        if self._whole is not None:
            yield np.arange(self.replicates), self._whole
            return
        half = (self.replicates + 1) // 2
        size = max(1, KEPT // (4 * self.rows))
        for start in range(0, half, size):
            pairs = np.arange(start, min(start + size, half))
            places = np.concatenate([pairs, pairs + half])
            counts = drawn_array(np.arange(self.rows), self.replicates, self.seed, pairs)
            yield places[places < self.replicates], counts


class SharedInterval(WithInterval):
    """A metric with an interval, from draws that others use, too."""

    def __init__(self, metric: Any, draws: Draws) -> None:
        super().__init__(metric, replicates=draws.replicates, seed=draws.seed)
        self._draws = draws

    def _draw(self, numbers: Tensor) -> Tensor:
        return self._draws.of(numbers)
