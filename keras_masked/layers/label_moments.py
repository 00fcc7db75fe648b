"""Means and standard deviations of the observed labels of each column, streamed, in float64."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import keras
import numpy as np
from keras import ops

from keras_masked.observation import (
    Missing,
    find_missing,
    find_missing_in_array,
    reject_arrays,
)

CHUNK = 2**20
"""How many entries of an array are taken at once by default: their copies stay in the cache."""


FEW = 5
"""Up to so many batches of a stream of unknown length, there is no progress bar."""


class Moments:
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
    """

    def __init__(
        self,
        missing: Missing,
        names: tuple[str, ...] | None = None,
        columns: int | None = None,
        noun: str = "label",
    ) -> None:
        self.missing = missing
        self.noun = noun
        self.names = names
        self.columns = columns
        self.rows = 0
        self.count = np.zeros(0, "int64")
        self.origin = self.mean = self.squares = np.zeros(0)

    def update(self, labels: Any) -> None:
        """Adds a batch of labels `(rows, ..., columns)`."""
        values, observed = observe(labels, self.missing)
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


def observe(labels: Any, missing: Missing) -> tuple[np.ndarray, np.ndarray]:
    """Labels as float64, and which of them are observed, found in the dtype that they came in."""
    reject_arrays(data=labels)
    if ops.is_tensor(labels):
        absent = find_missing(labels, missing)
        values = np.asarray(ops.convert_to_numpy(labels))
        found = np.zeros(values.shape, bool)
        found = found if absent is None else np.asarray(ops.convert_to_numpy(absent))
    else:
        values = _as_array(labels)
        found = find_missing_in_array(values, missing)
    with np.errstate(invalid="ignore"):
        return values.astype("float64"), ~found


def _as_array(labels: Any) -> np.ndarray:
    if hasattr(labels, "detach"):  # a tensor of PyTorch, in a process of another backend
        labels = labels.detach().cpu()
    try:
        array = np.asarray(labels)
        if array.dtype == object:  # as pandas gives columns with None or NA
            na = {"na_value": np.nan} if hasattr(labels, "iloc") else {}
            array = labels.to_numpy("float64", **na) if na else array.astype("float64")
    except (TypeError, ValueError) as error:
        _reject(labels, error)
    if array.dtype.kind not in "fiub" and "float" not in array.dtype.name:
        _reject(labels)
    return array


def _reject(found: Any, cause: Exception | None = None) -> NoReturn:
    raise ValueError(
        "Argument `data` must be an array of labels, or an iterable of batches, each an array of "
        "labels or a tuple (x, y) or (x, y, sample_weight) with y one array of labels. "
        f"Received: {type(found).__name__}" + (f" ({cause})" if cause else "")
    ) from cause


def _holds_numbers(x: Any) -> bool:
    """Whether nested lists are rows of numbers, rather than batches; a tuple may be a row."""
    if isinstance(x, list):
        return all(_holds_numbers(each) for each in x)
    entries = x if isinstance(x, tuple) else (x,)
    return all(each is None or isinstance(each, numbers.Number) for each in entries)


def _is_array(x: Any) -> bool:
    return ops.is_tensor(x) or (hasattr(x, "shape") and hasattr(x, "__array__"))


def labels_of(batch: Any) -> Any:
    """The labels of a batch: y of (x, y) and (x, y, sample_weight)."""
    if isinstance(batch, tuple) or (isinstance(batch, list) and not _holds_numbers(batch)):
        if not 0 < len(batch) < 4:
            _reject(batch)
        batch = batch[min(1, len(batch) - 1)]
    if _is_array(batch) or (isinstance(batch, list) and _holds_numbers(batch)):
        return batch
    _reject(batch)


def features_of(batch: Any) -> Any:
    """The features of a batch: x of (x, y) and (x, y, sample_weight)."""
    if isinstance(batch, tuple) or (isinstance(batch, list) and not _holds_numbers(batch)):
        batch = labels_of(batch[:1])
    return labels_of(batch)


def label_batches(
    data: Any,
    batch_size: int | None = None,
    steps: int | None = None,
    verbose: Any = "auto",
    pick: Callable[[Any], Any] = labels_of,
) -> Iterator[Any]:
    """Batches of the labels in `data`, at most `steps`, with a progress bar.

    Args:
        data: Labels, or an iterable of batches.
        batch_size: How many rows of an array are taken at once.
        steps: How many batches are taken at most.
        verbose: 0 for no progress bar, 1 for one, "auto" for one over streams of some length.
        pick: What is taken of a batch.
    """
    for name, number in (("batch_size", batch_size), ("steps", steps)):
        if number is not None and (not isinstance(number, numbers.Integral) or number < 1):
            raise ValueError(
                f"Argument `{name}` must be a positive integer or None. Received: {number!r}"
            )
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"Argument `verbose` must be 'auto', 0, 1 or 2. Received: {verbose!r}")
    reject_arrays(data=data)
    if hasattr(data, "iloc") or (isinstance(data, list) and data and _holds_numbers(data)):
        data = _as_array(data)  # slices of pandas may go by names of rows
    if _is_array(data):
        if steps is not None and batch_size is None:
            raise ValueError(f"`steps` of an array need `batch_size`. Received: steps={steps}")
        batches: Iterable[Any]
        length: int | None
        batches, length = _slices(data, batch_size)
        verbose = 0 if verbose == "auto" else verbose
    else:
        batches, length = _stream(data, steps)
    if steps is not None:
        batches = itertools.islice(batches, int(steps))
        length = None if length is None else min(length, int(steps))
    return map(pick, _with_progress(batches, length, verbose))


def _slices(data: Any, batch_size: int | None) -> tuple[Iterable[Any], int]:
    shape = tuple(data.shape)
    rows = shape[0] if len(shape) > 1 else 1
    if len(shape) < 2 or not rows:
        return [data], 1  # `Moments` has the message
    size = int(batch_size or max(1, CHUNK // max(1, math.prod(shape[1:]))))
    starts = range(0, rows, size)
    return (data[i : i + size] for i in starts), len(starts)


def _stream(data: Any, steps: int | None) -> tuple[Iterable[Any], int | None]:
    """The batches of an iterable, and how many there are where it says so."""
    if isinstance(data, (str, bytes, dict)) or (
        isinstance(data, tuple) and any(_is_array(each) for each in data)
    ):
        _reject(data)  # a tuple of arrays may be a batch, or several
    cardinality = getattr(data, "cardinality", None)  # of `tf.data`, -1 where infinite
    infinite = callable(cardinality) and int(cardinality()) == -1
    length: int | None
    if isinstance(data, keras.utils.PyDataset):
        length = data.num_batches
        infinite = length is None
    else:
        try:
            length = len(data)
        except TypeError:
            length = None
    if infinite and steps is None:
        raise ValueError("Infinite `data` need `steps`. Received: steps=None")
    if isinstance(data, keras.utils.PyDataset) or not hasattr(data, "__iter__"):
        if not hasattr(data, "__getitem__"):
            _reject(data)
        # By index, for such objects need not end by themselves.
        indices = itertools.count() if length is None else range(length)
        return (data[i] for i in indices), length
    return iter(data), length


def _with_progress(batches: Iterable[Any], length: int | None, verbose: Any) -> Iterator[Any]:
    if verbose == 0:
        yield from batches
        return
    bar = keras.utils.Progbar(length, verbose=2 if verbose == 2 else 1)
    wait = FEW if verbose == "auto" and length is None else 0
    done = 0
    for done, batch in enumerate(batches, 1):
        yield batch
        if done > wait:
            bar.update(done, finalize=done == length)
    if done > wait and done != length:
        bar.update(done, finalize=True)
