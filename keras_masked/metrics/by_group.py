"""`ByGroup`: any metric of sums over labels, of each group of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import _backend
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.metrics.by_rows import ByRows
from keras_masked.metrics.rows import Groups
from keras_masked.validation import POSITIVE_INTEGER, STRING, Check, several

Tensor = Any

MOST = 10_000
"""So many groups at most."""


def _groups(value: Any) -> Any:
    if np.ndim(value) == 0 and not isinstance(value, str):
        found: Any = POSITIVE_INTEGER.convert(value)
        size = found
    else:
        found = several(STRING).convert(value)
        size = len(found)
        if len(set(found)) < size:
            raise ValueError
    if size > MOST:
        raise ValueError
    return found


GROUPS = Check(f"a number of groups, or their names, distinct strings; at most {MOST:,}", _groups)


@register
class ByGroup(ByRows):
    r"""A metric of each group of rows: of each basin, patient, series or scaffold, in one pass.

    $$M_g = M(\{(y_i, p_i) : o_i = 1, \; g_i = g\})$$

    with $g_i$ the group of the row (the first axis) that label $i$ stands in. A row of no group
    has the id -1, or a name that is not among the names, and is left out.

    `compile` has no way to pass groups: call `update_state(..., groups=...)` yourself, or use
    `keras_masked.report(..., groups=...)`.

    Args:
        metric: A metric of sums over labels (a mean, thresholds, R2, a correlation of columns), or
            a `PerLabel` of one.
        groups: How many groups there are, whose ids are from 0 on, or their names.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the results; by default, that of `metric`.

    Shapes: `y_true` and `y_pred` as for `metric`, `groups` `(batch,)`. The result is a dict of
    scalars, `{name}/{group}`, or of `PerLabel` `{name}/{label}/{group}`, the average included;
    `scores()` has them in one tensor, `(groups,)` or `(labels, groups)`.

    Raises:
        ValueError: If `metric` is no function of sums over labels, or has one result per column
            without being in `PerLabel`; on ids outside the groups in arrays. In tensors, such an id
            makes the values of all groups of the batch NaN.

    Example:

    >>> metric = keras_masked.metrics.ByGroup(
    ...     keras_masked.metrics.MeanAbsoluteError(name="mae"), groups=["north", "south"])
    >>> y_true = np.array([[1.0], [2.0], [np.nan], [4.0]])
    >>> y_pred = np.array([[1.5], [2.0], [9.0], [5.0]])
    >>> metric.update_state(y_true, y_pred, groups=["north", "south", "south", "south"])
    >>> {key: float(value) for key, value in metric.result().items()}
    {'mae/north': 0.5, 'mae/south': 0.5}

    Source: none.
    """

    admits = {"groups": GROUPS}

    def __init__(
        self,
        metric: MaskedMetric,
        groups: int | Sequence[str],
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.groups = groups
        self.names = (
            [str(g) for g in range(groups)] if isinstance(groups, int) else [str(g) for g in groups]
        )
        self._place = {name: i for i, name in enumerate(self.names)}
        super().__init__(metric, len(self.names) + 1, name, dtype)  # the last is of no group

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        groups: Any = None,
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
            groups: The group of each row: ids, or names where `groups` has named them.
        """
        given, ids = ops.is_tensor(groups), self._ids(groups)
        seen = self._see(y_true, y_pred, sample_weight)
        if len(ids.shape) != 1 or ids.shape[0] not in (None, seen.y_pred.shape[0]):
            raise ValueError(
                "Argument `groups` must have one group for each row. Received: groups of shape "
                f"{tuple(ids.shape)} for y_pred.shape={tuple(seen.y_pred.shape)}"
            )
        if given:  # else they have been looked at
            strange = ops.any(ops.logical_or(ids < -1, ids >= self._ways - 1))
            y_pred = ops.where(strange, ops.full_like(seen.y_pred, float("nan")), seen.y_pred)
            seen = dataclasses.replace(seen, y_pred=y_pred)
        outside = ops.logical_or(ids < 0, ids >= self._ways - 1)
        ids = ops.where(outside, ops.full_like(ids, self._ways - 1), ids)
        self._add(seen, Groups(ids, self._ways))

    def _ids(self, groups: Any) -> Tensor:
        if groups is None:
            raise ValueError(
                "Argument `groups` must have one group for each row. Received: groups=None"
            )
        last = self._ways - 1
        if not ops.is_tensor(groups):
            array = np.asarray(groups)
            if array.dtype.kind in "US" or array.dtype == object:
                array = np.array([self._place.get(str(name), -1) for name in array])
            if array.dtype.kind not in "iu":
                raise ValueError(
                    "Argument `groups` must hold integers or names. "
                    f"Received: an array of dtype {array.dtype}"
                )
            if array.size and (array.max() >= last or array.min() < -1):
                wrong = np.unique(array[(array >= last) | (array < -1)])[:5].tolist()
                raise ValueError(
                    f"Argument `groups` must hold ids from 0 to {last - 1}, or -1 for none. "
                    f"Received: {wrong}"
                )
            groups = array.astype("int32")
        if not keras.backend.is_int_dtype(dtype := keras.backend.standardize_dtype(groups.dtype)):
            raise ValueError(
                f"Argument `groups` must hold integers or names. Received: a tensor of {dtype}"
            )
        return ops.cast(ops.convert_to_tensor(groups), "int32")

    def scores(self) -> Tensor:
        """Returns the values of all groups, `(groups,)`, or `(labels, groups)` of `PerLabel`.

        With an average, it is the last of the labels. NaN where a value is undefined.
        """
        groups = self._ways - 1
        if self._columns is None:
            return ops.full((groups,), float("nan"), dtype=self.dtype)
        scores, defined = self._scores_apart()
        per_label = self._per_label
        average = None if per_label is None else per_label.average
        if average is not None:
            mean = ops.expand_dims(self._averages(scores, defined), 0)
            scores = ops.concatenate([scores, mean])
        elif per_label is None:
            scores = (
                scores
                if not self._inner.per_column
                else ops.expand_dims(self._averages(scores, defined), 0)
            )
            scores = scores[0]
        return ops.cast(scores[..., :groups], self.dtype)

    def result(self) -> dict[str, Tensor]:
        """Returns the value of each group."""
        scores = _backend.entries(ops.reshape(self.scores(), (-1,)))
        return dict(zip(self.logged(), scores, strict=True))

    def logged(self) -> list[str]:
        """The keys of the result."""
        per_label = self._per_label
        labels = [""]
        if per_label is not None:
            labels = [f"{label}/" for label in per_label.labels]
            labels += [] if per_label.average is None else [f"{per_label.average}/"]
        return [f"{self.name}/{label}{group}" for label in labels for group in self.names]

    def support(self) -> Tensor:
        """Returns how many labels each value rests on: `(groups,)`, or `(labels, groups)`."""
        if self._columns is None:
            return ops.zeros((self._ways - 1,))
        support = ops.reshape(self._inner.support_of(self._apart), (self._columns, self._ways))
        support = support[:, : self._ways - 1]
        return support if self._per_label is not None else ops.sum(support, axis=0)

    def is_defined(self) -> Tensor:
        """Whether the labels observed define any value."""
        if self._columns is None:
            return ops.zeros((), dtype="bool")
        return ops.any(self._inner.scores(self._apart)[1])

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        groups = self.groups if isinstance(self.groups, int) else list(self.groups)
        return {**super().get_config(), "groups": groups}
