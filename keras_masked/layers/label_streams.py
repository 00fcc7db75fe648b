"""Labels from wherever they come: arrays, tables, and streams of batches."""

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
    reject_misread,
)
from keras_masked.validation import POSITIVE_INTEGER, one_of, optional

CHUNK = 2**20
"""How many entries of an array are taken at once by default: their copies stay in the cache."""


FEW = 5
"""Up to so many batches of a stream of unknown length, there is no progress bar."""


def as_array(labels: Any, name: str = "labels") -> np.ndarray:
    """Labels as a NumPy array of numbers, with NaN for None and for what pandas calls NA."""
    reject_misread(**{name: labels})
    if hasattr(labels, "detach"):  # a tensor of PyTorch, in a process of another backend
        labels = labels.detach().cpu()
        if "bfloat16" in str(labels.dtype):  # PyTorch hands none to NumPy, which Keras taught them
            labels = np.asarray(labels.float()).astype("bfloat16")
    try:
        array = np.asarray(labels)
        if array.dtype == object:  # as pandas gives columns with None or NA
            na = {"na_value": np.nan} if hasattr(labels, "iloc") else {}
            array = labels.to_numpy("float64", **na) if na else _numbers(array)
    except (TypeError, ValueError) as error:
        reject(labels, error)
    if array.dtype.kind not in "fiub" and "float" not in array.dtype.name:
        reject(labels)
    return array


def _numbers(objects: np.ndarray) -> np.ndarray:
    nothing = ("NoneType", "NAType")
    known = np.frompyfunc(lambda x: math.nan if type(x).__name__ in nothing else x, 1, 1)
    return np.asarray(known(objects)).astype("float64")


def reject(found: Any, cause: Exception | None = None) -> NoReturn:
    """Raises `ValueError`: these are no labels."""
    raise ValueError(
        "Argument `data` must be an array of labels, or an iterable of batches, each an array of "
        "labels or a tuple (x, y) or (x, y, sample_weight) with y one array of labels. "
        f"Received: {_named(found)}" + (f" ({cause})" if cause else "")
    ) from cause


def _named(found: Any) -> str:
    dtype = getattr(found, "dtype", None)
    return type(found).__name__ + (f" of dtype {dtype}" if dtype is not None else "")


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
            reject(batch)
        batch = batch[min(1, len(batch) - 1)]
    if _is_array(batch) or (isinstance(batch, list) and _holds_numbers(batch)):
        return batch
    reject(batch)


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
    batch_size = optional(POSITIVE_INTEGER)(None, "batch_size", batch_size)
    steps = optional(POSITIVE_INTEGER)(None, "steps", steps)
    verbose = one_of("auto", 0, 1, 2)(None, "verbose", verbose)
    reject_misread(data=data)
    if hasattr(data, "iloc") or (isinstance(data, list) and data and _holds_numbers(data)):
        data = as_array(data)  # slices of pandas may go by names of rows
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
        return [data], 1  # `LabelMoments` has the message
    size = int(batch_size or max(1, CHUNK // max(1, math.prod(shape[1:]))))
    starts = range(0, rows, size)
    return (data[i : i + size] for i in starts), len(starts)


def _stream(data: Any, steps: int | None) -> tuple[Iterable[Any], int | None]:
    """The batches of an iterable, and how many there are where it says so."""
    if isinstance(data, (str, bytes, dict)) or (
        isinstance(data, tuple) and any(_is_array(each) for each in data)
    ):
        reject(data)  # a tuple of arrays may be a batch, or several
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
            reject(data)
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
