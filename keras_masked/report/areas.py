"""Areas under ROC curves, exactly, and those of replicates."""

from __future__ import annotations

import numpy as np

from keras_masked.report.draws import Draws
from keras_masked.report.predictions import Predictions

Array = np.ndarray


def areas(
    seen: Predictions, columns: list[int], draws: Draws | None = None
) -> tuple[Array, Array, Array]:
    """The areas under the ROC curves: how often a positive label has the greater prediction.

    Equal predictions count half. NaN without both classes, or where a prediction is NaN. By NumPy:
    a sort of each column is all that it takes, and no curve.

    Returns:
        One area per column; those of replicates, `(columns, replicates)`; and supports.
    """
    y, p = seen.of(columns)
    shown = ~seen.hidden(columns)
    weight = seen.weights(columns)
    weight = np.ones(y.shape) if weight is None else weight
    weight = np.broadcast_to(weight.reshape(weight.shape + (1,) * (y.ndim - weight.ndim)), y.shape)
    values, drawn, support = [], [], []
    for c in range(len(columns)):
        kept = shown[..., c]
        column = Column(y[..., c][kept], p[..., c][kept], weight[..., c][kept])
        values.append(column.area(np.ones((len(column.order), 1)))[0])
        support.append(column.weight.sum())
        if draws is not None:
            found = np.full(draws.replicates, np.nan)
            rows = np.nonzero(kept)[0][column.order]
            if not np.isnan(values[-1]):
                for places, counts in draws.blocks():
                    found[places] = column.area(counts[rows])
            drawn.append(found)
    nothing = np.full((len(columns), 1), np.nan)
    return np.array(values), np.array(drawn) if drawn else nothing, np.array(support)


class Column:
    """Labels, 0 or 1, in the order of the predictions for them.

    Args:
        y: Observed labels.
        p: Predictions.
        weight: Weights.
    """

    def __init__(self, y: Array, p: Array, weight: Array) -> None:
        self.order = np.argsort(p)
        self.diverged = bool(np.isnan(p).any())
        y, p, self.weight = (x[self.order] for x in (y, p, weight))
        self.positive = y > 0
        self.first = np.searchsorted(p, p[self.positive], "left")
        self.last = np.searchsorted(p, p[self.positive], "right")

    def area(self, counts: Array) -> Array:
        """The areas where labels, in order, count so often: `(labels, ways)` to `(ways,)`."""
        if self.diverged:
            return np.full(counts.shape[1], np.nan)
        counts = counts * self.weight.astype(counts.dtype)[:, None]
        below = np.zeros((len(counts) + 1, counts.shape[1]), counts.dtype)
        np.cumsum(np.where(self.positive[:, None], 0, counts), axis=0, out=below[1:])
        positive = counts[self.positive]
        won = below[self.first]
        won += below[self.last]  # twice the negatives below: half of the equal ones count
        pairs = positive.sum(axis=0, dtype="float64") * below[-1]
        won = np.einsum("ij,ij->j", positive, won, dtype="float64") / 2
        return np.asarray(np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0))
