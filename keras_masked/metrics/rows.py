"""Several ways to count the rows of a batch: drawn as often as a bootstrap says, or by group.

A metric of sums over labels then has one column of sums for each of its own columns and each way,
`columns * ways` in all, the ways side by side; what it makes of columns it makes of these.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.observation import WITH_AXES, Observation

Tensor = Any

FEW = 64
"""So many labels of a row are counted one by one; of more, there is a histogram of each row."""
POISSON = (24109, 48218, 60273, 64291, 65296, 65497, 65530, 65535)
"""How many of 2^16 numbers are counted 0 times, up to once, and so on: Poisson(1)."""
TABLE = np.searchsorted(POISSON, np.arange(2**16), side="right").astype("float32")


class Rows:
    """Base class: several ways to count each row.

    Attributes:
        ways: How many.
    """

    ways: int

    def add_up(self, x: Tensor) -> Tensor:
        """The sums `(k, ways)` of what rows `(rows, k)` hold."""
        raise NotImplementedError

    def add_up_bins(self, bins: Tensor, weight: Tensor | None, size: int) -> Tensor:
        """How much of the labels `(rows, labels)` is in each bin: `(size, ways)`."""
        raise NotImplementedError

    def center(self, x: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers close to the labels `(rows, ..., columns)` that count, to take deviations from.

        Returns:
            One number per column and way, `(columns * ways,)`; and that of each label.
        """
        raise NotImplementedError


class Replicates(Rows):
    """Each row as often as it was drawn in each replicate.

    Args:
        counts: `(rows, ways)`.
    """

    def __init__(self, counts: Tensor) -> None:
        self.counts = counts
        self.ways = counts.shape[1]

    def add_up(self, x: Tensor) -> Tensor:
        """The sums `(k, ways)` of what rows `(rows, k)` hold."""
        return ops.matmul(ops.transpose(x), ops.cast(self.counts, x.dtype))

    def center(self, x: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of each column over the batch, from which no replicate's is far."""
        axes = tuple(range(len(x.shape) - 1))
        total = ops.sum(counted, axis=axes)
        mean = ops.sum(counted * x, axis=axes) / _backend.maximum(total, 1)
        return ops.repeat(mean, self.ways, axis=0), mean

    def add_up_bins(self, bins: Tensor, weight: Tensor | None, size: int) -> Tensor:
        """How much of the labels `(rows, labels)` is in each bin: `(size, ways)`."""
        labels = bins.shape[1]
        if labels > FEW:
            rows = ops.shape(bins)[0]
            place = ops.expand_dims(ops.arange(rows, dtype="int32"), 1) * size + bins
            full = ops.ones_like(bins, dtype="float32") if weight is None else weight
            histogram = _backend.segment_sum(
                ops.reshape(full, (-1,)), ops.reshape(place, (-1,)), num_segments=rows * size
            )
            return self.add_up(ops.reshape(histogram, (-1, size)))
        counts = self.counts if weight is None else ops.cast(self.counts, weight.dtype)
        found = []
        for k in range(labels):
            of_label = counts if weight is None else counts * weight[:, k : k + 1]
            found.append(_backend.segment_sum(of_label, bins[:, k], num_segments=size))
        return sum(found[1:], found[0])


class Groups(Rows):
    """Each row once, in the group that it belongs to.

    Args:
        ids: `(rows,)`, from 0 to `groups - 1`.
        groups: How many groups there are.
    """

    def __init__(self, ids: Tensor, groups: int) -> None:
        self.ids = ops.cast(ids, "int32")
        self.ways = groups

    def add_up(self, x: Tensor) -> Tensor:
        """The sums `(k, ways)` of what rows `(rows, k)` hold."""
        return ops.transpose(_backend.segment_sum(x, self.ids, num_segments=self.ways))

    def center(self, x: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of each column over the batch's rows of each group."""
        within = tuple(range(1, len(x.shape) - 1))
        total = _backend.maximum(self.add_up(ops.sum(counted, axis=within)), 1)

        def spread(mean: Tensor) -> Tensor:
            near = ops.take(ops.transpose(mean), self.ids, axis=0)
            return ops.reshape(near, (-1, *(1 for _ in within), x.shape[-1]))

        mean = self.add_up(ops.sum(counted * x, axis=within)) / total
        # In two steps, for equal labels to have exactly their mean: see `Centering`.
        rest = self.add_up(ops.sum(counted * (x - spread(mean)), axis=within)) / total
        mean = mean + rest
        return ops.reshape(mean, (-1,)), spread(mean)

    def add_up_bins(self, bins: Tensor, weight: Tensor | None, size: int) -> Tensor:
        """How much of the labels `(rows, labels)` is in each bin: `(size, ways)`."""
        place = ops.reshape(bins * self.ways + ops.expand_dims(self.ids, 1), (-1,))
        full = ops.ones_like(bins, dtype="float32") if weight is None else weight
        sums = _backend.segment_sum(ops.reshape(full, (-1,)), place, num_segments=size * self.ways)
        return ops.reshape(sums, (size, self.ways))


def one_column(seen: Observation, axes: int) -> Observation:
    """All labels in one column: `(rows, labels, 1)`, behind it what one label consists of."""

    def arrange(x: Tensor, rank: int) -> Tensor:
        own = tuple(x.shape[rank:])
        return ops.reshape(x, (-1, int(np.prod(x.shape[1:rank])), 1, *own))

    return _arranged(seen, axes, arrange)


def rows_as_columns(seen: Observation, axes: int) -> Observation:
    """Each row of each column as a column of its own: `(labels, rows * columns)`."""

    def arrange(x: Tensor, rank: int) -> Tensor:
        own, columns = tuple(x.shape[rank:]), x.shape[rank - 1]
        x = ops.reshape(x, (-1, int(np.prod(x.shape[1 : rank - 1])), columns, *own))
        x = ops.swapaxes(x, 0, 1)
        return ops.reshape(x, (x.shape[0], -1, *own))

    return _arranged(seen, axes, arrange)


def _arranged(seen: Observation, axes: int, arrange: Any) -> Observation:
    rank = len(seen.y_pred.shape) - axes
    changed = {name: getattr(seen, name) for name in (*WITH_AXES, "holes")}
    changed = {name: x if x is None else arrange(x, rank) for name, x in changed.items()}
    return dataclasses.replace(seen, one_column=False, **changed)


def drawn(numbers: Tensor, replicates: int, seed: int) -> Tensor:
    """How often each row is drawn in each replicate: Poisson(1), to a resolution of 2^-16.

    Hashes of (seed, replicate, number of the row), the same on all backends, in any batch and
    order; two draws of one hash of 32 bits.

    Args:
        numbers: The numbers of the rows, int32.
        replicates: How many replicates there are.
        seed: Any integer.
    """
    key, half = _key(seed), (replicates + 1) // 2
    rows = _mix(ops.bitwise_xor(ops.cast(numbers, "int32"), _signed(int(key))))
    columns = ops.convert_to_tensor(_keys_of_replicates(key, half).view("int32"))
    hashes = _mix(ops.bitwise_xor(ops.expand_dims(rows, 1), columns))
    halves = [ops.bitwise_and(hashes, 0xFFFF), _shift(hashes, 16)]
    uniform = ops.concatenate(halves, axis=1)[:, :replicates]
    if _backend.eager_torch():  # where each comparison is a pass over memory
        return ops.take(ops.convert_to_tensor(TABLE), uniform, axis=0)
    counts = [ops.cast(uniform >= bound, "float32") for bound in POISSON]
    return sum(counts[1:], counts[0])


def drawn_array(
    numbers: np.ndarray, replicates: int, seed: int, pairs: np.ndarray | None = None
) -> np.ndarray:
    """As `drawn`, of an array: where several metrics want the same.

    With `pairs`, only of these replicates among the first half, and then of as many of the second.
    """
    key, half = _key(seed), (replicates + 1) // 2
    pairs = np.arange(half) if pairs is None else pairs
    rows = _mix_array(numbers.astype("uint32") ^ key)
    hashes = _mix_array(rows[:, None] ^ _keys_of_replicates(key, half)[pairs])
    uniform = np.concatenate([hashes & np.uint32(0xFFFF), hashes >> np.uint32(16)], axis=1)
    there = len(pairs) + np.count_nonzero(pairs + half < replicates)
    return np.take(TABLE, uniform[:, :there])


def _key(seed: int) -> np.uint32:
    """A number of 32 bits for a seed."""
    return np.uint32(_mix_array(np.array([seed & 0xFFFFFFFF], "uint32") + np.uint32(0x9E3779B9))[0])


def _keys_of_replicates(key: np.uint32, count: int) -> np.ndarray:
    """Numbers of 32 bits for replicates."""
    return _mix_array((np.arange(count, dtype="uint32") + key) * np.uint32(0x9E3779B1))


def _mix_array(x: np.ndarray) -> np.ndarray:
    """As `_mix`, of an array of uint32."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return np.asarray(x ^ (x >> np.uint32(16)))


def _mix(x: Tensor) -> Tensor:
    """Murmur's finalizer, which lets each bit change all others, of int32: PyTorch has no other."""
    x = ops.bitwise_xor(x, _shift(x, 16)) * _signed(0x85EBCA6B)
    x = ops.bitwise_xor(x, _shift(x, 13)) * _signed(0xC2B2AE35)
    return ops.bitwise_xor(x, _shift(x, 16))


def _shift(x: Tensor, bits: int) -> Tensor:
    """A shift to the right that brings zeros, as of uint32."""
    return ops.bitwise_and(ops.right_shift(x, bits), (1 << (32 - bits)) - 1)


def _signed(x: int) -> int:
    """The int32 of the same bits."""
    return x - 2**32 if x >= 2**31 else x
