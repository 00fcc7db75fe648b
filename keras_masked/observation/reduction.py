r"""Denominators: from the losses of single labels to what a `reduction` returns.

With `l` the label losses, `o` whether observed, `w` the weights, and sum(o w l) / sum(o) called m_r
over row r, and m_s over sample s, which is all labels of one index on the first axis (x / 0 = 0
throughout):

| `reduction` | `average="micro"` | `"samples"` | `"macro"` |
|---|---|---|---|
| `"sum_over_batch_size"`, `"mean"` | sum(o w l) / sum(o) | sum of m_s / samples with support | \
mean over columns with support of sum(o w l) / sum(o) |
| `"mean_with_sample_weight"` | sum(o w l) / sum(o w) | sum of m_s / sum over samples of \
sum(o w) / sum(o) | mean over columns with support of sum(o w l) / sum(o w) |
| `None`, `"none"` | m_r | m_s | error |
| `"sum"` | sum of m_r | sum of m_s | error |

A row is one value of Keras's `reduction="none"`. Of labels `(samples, labels)` that have a loss
each, rows are samples. Columns are those of the predictions as the model puts them out, see
`Observation.in_columns`.

Weights of columns or of classes multiply the weights of their labels. Under `"macro"` those of
columns weigh the columns' means.

An `observed_rate` r replaces the count of observed labels by its expectation, r times the number of
all positions; one rate per column weights each label by 1 / r_c.

Where several replicas hold one part each of a batch, numerators are those of the part, and every
denominator is summed over the parts (`_backend.total`), so that the parts' losses add up to that of
the whole (`_backend.combine`).
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.observation.observe import Observation

Tensor = Any


Rate = float | tuple[float, ...]


Axis = int | tuple[int, ...]


RAREST = float(np.finfo("float32").tiny)
"""The least rate of which the inverse is finite."""


AVERAGES = ("micro", "samples", "macro")


MEANS = ("sum_over_batch_size", "mean")


def check_average(average: str, reduction: str | None) -> None:
    """Raises where there is no such average with the `reduction`."""
    if average == "macro" and reduction in ("sum", "none", None):
        raise ValueError(
            "`average='macro'` is a mean over columns, which `reduction='sum'` and `None` do not "
            f"have. Received: reduction={reduction!r}"
        )


def standardize_rate(rate: Any, average: str, reduction: str | None) -> Rate | None:
    """Checks `observed_rate=` and returns it in the form that configs store."""
    if rate is None:
        return None
    several = isinstance(rate, Sequence | np.ndarray) and not isinstance(rate, str)
    rates = list(rate) if several else [rate]
    for each in rates:
        number = isinstance(each, numbers.Real | np.number) and not isinstance(each, bool)
        if not number or not RAREST <= each <= 1:
            raise ValueError(
                "Argument `observed_rate` must be a number in (0, 1], or one per column. "
                f"Received: observed_rate={rate!r}"
            )
    if reduction not in MEANS or average == "samples":
        raise ValueError(
            "Argument `observed_rate` replaces the count in a mean over labels: it needs "
            "`reduction='sum_over_batch_size'` or 'mean', and `average='micro'` or 'macro'. "
            f"Received: reduction={reduction!r}, average={average!r}"
        )
    if several and average != "macro":
        raise ValueError(
            "One `observed_rate` per column needs `average='macro'`. "
            f"Received: observed_rate={rate!r}, average={average!r}"
        )
    return tuple(float(each) for each in rates) if several else float(rate)


def reduce_losses(
    losses: Tensor,
    seen: Observation,
    reduction: str | None,
    rows_are_labels: bool,
    average: str = "micro",
    observed_rate: Rate | None = None,
    label_weights: tuple[float, ...] | None = None,
) -> Tensor:
    """Reduces label losses that are 0 wherever hidden.

    Args:
        losses: One loss per label.
        seen: Which labels are observed, and their weights.
        reduction: As in Keras.
        rows_are_labels: Whether each label is a row of its own (vector labels, class ids);
            else the labels on the last axis are averaged to one row.
        average: Over labels, samples or columns.
        observed_rate: What stands for the count of observed labels.
        label_weights: Weights of the columns, by which those of the labels are multiplied already.
    """
    if seen.weight is not None:
        losses = losses * seen.weight
    if average == "macro" and seen.one_column:
        losses, seen = ops.expand_dims(losses, -1), seen.in_columns()
    if reduction in (None, "none"):
        return _parts(losses, seen, rows_are_labels, average)
    return _backend.combine(
        _reduce(losses, seen, reduction, rows_are_labels, average, observed_rate, label_weights)
    )


def _reduce(
    losses: Tensor,
    seen: Observation,
    reduction: str | None,
    rows_are_labels: bool,
    average: str,
    observed_rate: Rate | None,
    label_weights: tuple[float, ...] | None,
) -> Tensor:
    """To one number, of weighted losses; its denominators are those of all replicas."""
    if reduction == "sum":
        return _backend.add_up(_parts(losses, seen, rows_are_labels, average))
    if average == "macro" and len(losses.shape) < 2:
        raise ValueError(
            "`average='macro'` needs labels in columns, on the last of two or more axes. "
            f"Received: labels of shape {tuple(losses.shape)}"
        )
    weights = None
    if average == "macro" and label_weights is not None:
        weights = ops.convert_to_tensor(label_weights, dtype=losses.dtype)
    if observed_rate is not None:
        return _expected_mean(losses, observed_rate, weights)
    weighted = reduction == "mean_with_sample_weight" and seen.weight is not None
    if average == "macro":
        return _column_mean(losses, seen.weight if weighted else seen.observed, weighted, weights)
    if average == "samples" and len(losses.shape) > 1:  # else each label is a sample
        return _sample_mean(losses, seen, weighted)
    if weighted:
        return _ratio(_backend.add_up(losses), _backend.total(_backend.add_up(seen.weight)))
    if seen.observed is None:
        return _mean(losses)
    count = ops.cast(_backend.count(seen.observed), losses.dtype)
    return _backend.add_up(losses) / _at_least_one(_backend.total(count))


def shares_of(
    seen: Observation, reduction: str | None, observed_rate: Rate | None = None
) -> Tensor:
    """What each label's loss is multiplied by where the loss is their sum; 0 where not observed.

    Args:
        seen: Which labels are observed, and their weights.
        reduction: As in Keras, but not none.
        observed_rate: What stands for the share of observed labels.
    """
    dtype = seen.y_pred.dtype
    every = ops.ones_like(seen.y_true, dtype=dtype)
    weight = seen.weight
    if weight is None:
        weight = every if seen.observed is None else ops.cast(seen.observed, dtype)
    if reduction == "sum":
        return weight
    if observed_rate is not None or seen.observed is None:
        count = ops.sum(every)
    else:
        count = ops.cast(_backend.count(seen.observed), dtype)
    if reduction == "mean_with_sample_weight":
        total = _backend.total(_backend.add_up(weight))
        return _ratio(weight, total)
    shares = weight / _at_least_one(_backend.total(count))
    return shares if observed_rate is None else shares / observed_rate


def row_means(losses: Tensor, observed: Tensor | None, axis: Axis = -1) -> Tensor:
    """Means over the observed entries of the last axis; 0 where a row has none."""
    if observed is None:
        return _mean_or_zero(losses, axis)
    count = ops.sum(ops.cast(observed, losses.dtype), axis=axis)
    return ops.sum(losses, axis=axis) / _at_least_one(count)


def _parts(losses: Tensor, seen: Observation, rows_are_labels: bool, average: str) -> Tensor:
    """What is not reduced any further: one value per row, or per sample."""
    if average == "samples" and len(losses.shape):
        rest = _but_first(losses)
        return row_means(losses, seen.observed, rest) if rest else losses
    return losses if rows_are_labels else row_means(losses, seen.observed)


def _but_first(losses: Tensor) -> tuple[int, ...]:
    return tuple(range(1, len(losses.shape)))


def _sample_mean(losses: Tensor, seen: Observation, weighted: bool) -> Tensor:
    """`average="samples"`: the mean of the samples that have any observed label."""
    rest = _but_first(losses)
    samples = row_means(losses, seen.observed, rest)
    if weighted:
        weights = ops.sum(row_means(seen.weight, seen.observed, rest))
        return _ratio(ops.sum(samples), _backend.total(weights))
    if seen.observed is None:
        return _mean(samples)
    supported = ops.sum(ops.cast(ops.any(seen.observed, axis=rest), losses.dtype))
    return ops.sum(samples) / _at_least_one(_backend.total(supported))


def _column_mean(
    losses: Tensor, counted: Tensor | None, weighted: bool, weights: Tensor | None
) -> Tensor:
    """`average="macro"`: the weighted mean of the columns that have any observed label."""
    rows = tuple(range(len(losses.shape) - 1))
    if counted is None:
        if weights is None:
            return _mean(losses)
        counted = ops.ones_like(losses)
    support = _backend.total(ops.sum(ops.cast(counted, losses.dtype), axis=rows))
    columns = _ratio(ops.sum(losses, axis=rows), support)
    supported = ops.cast(ops.not_equal(support, 0), losses.dtype)
    if weights is None:
        return ops.sum(columns) / _at_least_one(ops.sum(supported))
    if weighted:  # by which the losses and the support have been multiplied alike
        columns = columns * weights
    return _ratio(ops.sum(columns), ops.sum(supported * weights))


def _expected_mean(losses: Tensor, rate: Rate, weights: Tensor | None = None) -> Tensor:
    """The mean over all positions of the losses, each weighted by 1 / its chance to be seen."""
    if weights is not None:  # the weighted mean of the columns' means
        return _ratio(_expected_mean(losses, rate), ops.mean(weights))
    if isinstance(rate, float):
        return _mean(losses) / rate
    columns = losses.shape[-1]
    if columns != len(rate):
        raise ValueError(
            "Argument `observed_rate` must have one value per column. "
            f"Received: {len(rate)} values for {columns} columns (the last axis of `y_pred`)."
        )
    return _mean(losses / ops.convert_to_tensor(rate, dtype=losses.dtype))


def _mean(x: Tensor) -> Tensor:
    """The mean over all positions, of all replicas."""
    if _backend.replicated():
        # Of which some have no rows at all in a short last batch.
        positions = _backend.total(ops.sum(ops.ones_like(x)))
        return _backend.add_up(x) / _at_least_one(positions)
    return _mean_or_zero(x if len(x.shape) < 2 else _mean_or_zero(x, axis=-1))


def _mean_or_zero(x: Tensor, axis: Axis | None = None) -> Tensor:
    """The mean, which is 0 of nothing."""
    axes = range(len(x.shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    sizes = [x.shape[each] for each in axes]
    if 0 in sizes:
        return ops.sum(x, axis=axis)
    mean = _backend.mean(x, axis=axis)
    if None not in sizes:
        return mean
    sizes = [ops.shape(x)[each] for each in axes]
    empty = ops.equal(math.prod(sizes), 0)
    return ops.where(empty, ops.zeros_like(mean), mean)


def _at_least_one(count: Tensor) -> Tensor:
    # A Python 1 would do, but Keras's promotion of numbers breaks PyTorch's compiled graph.
    return _backend.maximum(count, ops.ones_like(count))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """x / 0 = 0, except that NaN / 0 stays NaN: a diverged prediction must remain visible."""
    zero = ops.equal(denominator, 0)
    safe = ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.zeros_like(numerator) * numerator, numerator / safe)
