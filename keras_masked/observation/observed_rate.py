"""The share of labels that are observed, measured on the data: for `observed_rate=`."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_masked.observation.censored import (
    find_missing_ends,
    find_missing_ends_in_array,
    only_ends,
)
from keras_masked.observation.missing import (
    NAN,
    Missing,
    find_missing,
    find_missing_in_array,
)
from keras_masked.observation.missing import standardize_missing as standardize
from keras_masked.observation.rejected import reject_arrays


def observed_rate(
    labels: Any,
    missing: Missing = NAN,
    *,
    per_column: bool = False,
    label_axes: int = 0,
    censored: bool = False,
) -> float | tuple[float, ...]:
    r"""Returns the share of labels that are observed, or one share per column.

    $$r = \frac{1}{N} \sum_i o_i$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $N$ the number of all labels.

    Args:
        labels: Array of labels, with those of a row on the last axis. Give `labels[..., None]` of
            labels `(rows, steps)` whose predictions are `(rows, steps, 1)`: they are one column.
            Of the sequences of `CTC` give the first ids, `labels[:, 0]`: the others may be padding,
            and a sequence is missing where all of its ids are.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        per_column: Whether to return one share for each index on the last axis.
        label_axes: How many last axes form one label: 0, or 1 for one-hot labels.
        censored: Whether labels come as `keras_masked.censored_labels` makes them, lower and upper
            ends on a last axis: bounds are observed, too.

    Raises:
        ValueError: If a share is 0: a loss cannot be divided by it. The message names the columns.

    Example:

    >>> labels = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> keras_masked.observed_rate(labels)
    0.75
    >>> keras_masked.observed_rate(labels, per_column=True)
    (1.0, 0.5)
    """
    missing = standardize(missing)
    if not ops.is_tensor(labels):  # no backend has narrowed it yet
        reject_arrays(labels=labels)
        labels = np.asarray(labels)
        if censored:
            observed = ~find_missing_ends_in_array(only_ends(labels), missing)
        else:
            observed = ~find_missing_in_array(labels, missing, label_axes)
    else:
        label_axes = 1 if censored else label_axes
        absent = (
            find_missing_ends(only_ends(labels), missing)
            if censored
            else find_missing(labels, missing, label_axes)
        )
        if absent is None:
            absent = ops.zeros_like(labels[(..., *[0] * label_axes)], dtype="bool")
        observed = ~np.asarray(ops.convert_to_numpy(absent))
    axes = tuple(range(observed.ndim - 1)) if per_column else None
    rates = np.mean(observed, axis=axes, dtype="float64")
    if np.any(rates == 0):
        empty = f"columns {np.flatnonzero(rates == 0).tolist()}" if per_column else "any column"
        raise ValueError(f"`labels` has no observed label in {empty}.")
    return tuple(float(rate) for rate in rates) if per_column else float(rates)
