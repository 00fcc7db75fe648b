"""How likely nothing is censored up to a time: Kaplan and Meier's estimate, of each column."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.survival import TIME
from keras_masked.formulas.ties import groups_of, last_of
from keras_masked.metrics.accumulator import sums_dtype
from keras_masked.metrics.base import MaskedMetric
from keras_masked.observation import Observation, find_missing_ends_in_array
from keras_masked.observation.censored import check_ends
from keras_masked.validation import Check, optional

Tensor = Any
Steps = tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


def _steps(value: Any) -> Steps:
    """Times, and what is left from there on, of each column."""
    found = []
    for times, left in value:
        times, left = (tuple(float(x) for x in each) for each in (times, left))
        if len(times) != len(left) or any(not 0 <= x <= 1 for x in left):
            raise ValueError
        if any(not a < b for a, b in itertools.pairwise((-np.inf, *times, np.inf))):
            raise ValueError
        found.append((times, left))
    if not found:
        raise ValueError
    return tuple(found)


CENSORING = optional(
    Check(
        "what `adapt` found: for each column a pair of sequences, finite times, increasing, and "
        "the probability in [0, 1] from each time on that nothing is censored yet",
        _steps,
    )
)


def kaplan_meier(times: np.ndarray, events: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Times at which something was censored, and how likely nothing is from there on.

    What had its event at the time of a censored one had it before.
    """
    at = np.unique(times[~events])
    if not at.size:
        return (), ()
    ordered, of_events, lost = np.sort(times), np.sort(times[events]), np.sort(times[~events])
    same = np.searchsorted(lost, at, "right") - np.searchsorted(lost, at, "left")
    same_events = np.searchsorted(of_events, at, "right") - np.searchsorted(of_events, at, "left")
    at_risk = len(times) - np.searchsorted(ordered, at, "left") - same_events
    left = np.cumprod(1.0 - same / at_risk)
    return tuple(at.astype("float64").tolist()), tuple(left.tolist())


class OfCensoring(MaskedMetric):
    """Base class: a metric that weighs labels by how likely they are to be seen.

    A subclass has an option `censoring`.
    """

    admits = {"censoring": CENSORING}

    def __init__(self, name: str | None, dtype: Any = None, **options: Any) -> None:
        super().__init__(name, dtype, **options)
        self._tabulate()

    def adapt(self, labels: Tensor) -> None:
        """Estimates the distribution of the times of censoring, of each column.

        To be called before the first batch, with the labels of the training data, say. What is
        found is part of the configuration, and so is saved.

        Args:
            labels: Labels `(rows, columns, 2)`, or `(rows, 2)`, some of them missing.

        Raises:
            ValueError: If labels have another shape, or a column has none, or if they are censored
                from the left or within an interval.
        """
        # In the dtype of the labels that metrics see, so that equal times stay equal.
        found = np.asarray(ops.convert_to_numpy(labels)).astype(sums_dtype(self))
        if found.ndim < 2 or found.shape[-1] != 2:
            raise ValueError(
                "`labels` must have the shape (rows, columns, 2), lower and upper ends of times. "
                f"Received: labels.shape={found.shape}"
            )
        check_ends(found, self.missing, TIME.domain)
        found = found.reshape(-1, found.shape[-2] if found.ndim > 2 else 1, 2)
        absent = find_missing_ends_in_array(found, self.missing)
        steps = []
        for c in range(found.shape[1]):
            lower, upper = found[~absent[:, c], c].T
            if not lower.size:
                raise ValueError(f"`labels` must hold observed labels in each column. None in {c}.")
            steps.append(kaplan_meier(lower, lower == upper))
        self.censoring = self._options["censoring"] = tuple(steps)
        self._tabulate()

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels, with columns on their last axis."""
        seen = super().observe(y_true, y_pred, sample_weight).in_columns()
        return dataclasses.replace(seen, one_column=False)

    def uncensored_at(self, times: Tensor) -> Tensor:
        """How likely nothing is censored up to times `(rows, columns)`.

        By halving the steps of each column, after the last of which nothing changes.
        """
        columns, known = times.shape[-1], len(self._options["censoring"])
        if known not in (1, columns):
            raise ValueError(
                f"{type(self).__name__} has adapted to {known} columns of labels. "
                f"Received: {columns} columns."
            )
        table = self._table()
        size = len(table[0])
        # Not before this: the backend has to know the dtype.
        at, left = (
            ops.broadcast_to(ops.convert_to_tensor(each, dtype=times.dtype), (size, columns))
            for each in table
        )
        passed = ops.zeros_like(times, dtype="int32")  # how many steps are not later
        step = size // 2
        while step:
            reached = ops.take_along_axis(at, passed + (step - 1), axis=0) <= times
            passed = passed + step * ops.cast(reached, "int32")
            step //= 2
        return ops.take_along_axis(left, passed, axis=0)

    def _tabulate(self) -> None:
        """Keeps times of steps and what is left after so many, of each column: 2^k of them.

        As lists, since PyTorch's compiler makes no tensors of arrays; in a function, since Keras
        would make lists of its own of them.
        """
        steps: Steps = self._options["censoring"] or ()
        size = 1 << max((len(of_times) for of_times, _ in steps), default=0).bit_length()
        table = np.full((2, size, len(steps)), np.inf)
        for c, (of_times, left) in enumerate(steps):
            table[0, : len(of_times), c] = of_times
            table[1, 0, c] = 1.0
            table[1, 1:, c] = (left or (1.0,))[-1]
            table[1, 1 : len(left) + 1, c] = left
        lists: list[list[list[float]]] = table.tolist()
        self._table: Callable[[], list[list[list[float]]]] = lambda: lists


def uncensored_so_far(times: Tensor, censored: Tensor, weights: Tensor) -> Tensor:
    """How likely nothing is censored up to each of the times, by these themselves.

    Args:
        times: Times `(rows, columns)` in order, of equal ones those of events first.
        censored: Which of them are censored.
        weights: Weights, by which they count.
    """
    up_to = _backend.cumsum(weights, axis=0)
    at_risk = up_to[-1:] - up_to + weights
    some = ops.logical_and(censored, weights > 0)
    share = ops.where(
        some, weights / ops.where(some, at_risk, ops.ones_like(at_risk)), 0.0 * weights
    )
    running = _backend.cumsum(ops.log1p(-share), axis=0)
    return ops.exp(ops.take_along_axis(running, last_of(groups_of(times)), axis=0))
