"""The metrics of a report for each group of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_masked import metrics as M
from keras_masked.report.areas import areas
from keras_masked.report.choice import Measure, measures
from keras_masked.report.measures import (
    ENDS,
    STATE,
    Measured,
    copy,
    inputs,
    mean_of_labels,
    measure,
)
from keras_masked.report.predictions import Predictions

Array = np.ndarray
MOST_GROUPS = 20
"""Up to so many groups have intervals."""


def measure_groups(
    seen: Predictions, metrics: Sequence[Any] | None, groups: Any, **options: Any
) -> Iterator[tuple[str, Measured]]:
    """All metrics of all labels of each group; with intervals, if there are few groups."""
    ids = np.asarray(groups)
    if ids.shape != seen.y_true.shape[:1]:
        raise ValueError(
            "Argument `groups` must have one group for each row. "
            f"Received: groups of shape {ids.shape} for {len(seen.y_true)} rows"
        )
    names, places = np.unique(ids.astype(str) if ids.dtype == object else ids, return_inverse=True)
    if len(names) <= MOST_GROUPS:
        for g, name in enumerate(names):
            yield str(name), measure(_rows_of(seen, places == g), metrics, **options)
        return
    todo = measures(seen, metrics)
    found = [Measured([], ENDS[:1], {}, {}) for _ in names]
    for each in todo:
        at_once = max(1, STATE // (each.size * len(names)))
        scores = []
        for start in range(0, len(each.columns), at_once):
            columns = each.columns[start : start + at_once]
            labels = [seen.labels[c] for c in columns]
            if each.area:
                own = [areas(_rows_of(seen, places == g), columns) for g in range(len(names))]
                of_columns, support = (np.stack([x[i] for x in own], axis=1) for i in (0, 2))
            else:
                size = options["batch_size"]
                of_columns, support = _values(seen, each, columns, places, len(names), size)
            scores.append(of_columns)
            for label, values, counts in zip(labels, scores[-1], support, strict=True):
                for g, (value, count) in enumerate(zip(values, counts, strict=True)):
                    found[g].values[each.metric.name, label, ""] = float(value)
                    found[g].support[label] = float(count)
        macro = mean_of_labels(np.concatenate(scores))
        for g, measured in enumerate(found):
            measured.values[each.metric.name, "macro", ""] = float(macro[g])
            measured.metrics.append(each.metric.name)
    bounds = seen.bounds()
    if bounds is not None:
        counts = np.zeros((len(names), *bounds.shape[1:]), "int64")
        np.add.at(counts, places, bounds)
        for measured, own in zip(found, counts, strict=True):
            measured.count_bounds(seen.labels, own)
    for name, measured in zip(names, found, strict=True):
        measured.metrics = list(dict.fromkeys(measured.metrics))
        measured.ends = ENDS if options["confidence_level"] is not None else ENDS[:1]
        measured.support["macro"] = float(sum(measured.support.values()))
        yield str(name), measured


def _values(
    seen: Predictions, each: Measure, columns: list[int], places: Array, groups: int, size: int
) -> tuple[Array, Array]:
    """Values and supports of some columns and all groups, in one pass."""
    if each.of_mean is not None:
        raise ValueError("`groups` of more than 20 cannot be with `distribution`.")
    labels = [seen.labels[c] for c in columns]
    metric = M.ByGroup(M.PerLabel(copy(each.metric), labels, average=None), groups)
    y, p = inputs(seen, each, columns)
    weights = seen.weights(columns)
    for row in range(0, len(y), size):
        rows = slice(row, row + size)
        weight = weights[rows] if weights is not None and weights.ndim else weights
        metric.update_state(y[rows], p[rows], weight, groups=places[rows])
    scores, support = (
        np.asarray(ops.convert_to_numpy(x())) for x in (metric.scores, metric.support)
    )
    return scores, support


def _rows_of(seen: Predictions, rows: Array) -> Predictions:
    weight = seen.weight
    if weight is not None and weight.ndim:
        weight = weight[rows]
    return dataclasses.replace(
        seen, y_true=seen.y_true[rows], y_pred=seen.y_pred[rows], weight=weight
    )
