"""Areas under ROC curves, exactly and of ranks, of which replicates need few steps."""

from __future__ import annotations

import numpy as np

from keras_masked.report.predictions import Predictions

Array = np.ndarray


def ranks(p: Array, hidden: Array) -> Array:
    """Ranks of each column in (0, 1), equal where predictions are; NaN where they are NaN."""
    flat, hidden = (x.reshape(-1, x.shape[-1]) for x in (p, hidden))
    found = np.where(hidden, np.float32(0.5), np.float32("nan"))
    for c, column in enumerate(flat.T):
        known = ~np.isnan(column) & ~hidden[:, c]
        _, place, times = np.unique(column[known], return_inverse=True, return_counts=True)
        middle = np.cumsum(times) - times / 2
        found[known, c] = middle[place] / max(known.sum(), 1)
    return found.reshape(p.shape)


def exact_areas(seen: Predictions, columns: list[int]) -> Array:
    """The areas under the ROC curves: how often a positive label has the greater prediction.

    Equal predictions count half. NaN without both classes, or where a prediction is NaN.
    """
    y, p = seen.of(columns)
    shown = ~seen.hidden(columns)
    weight = seen.weights(columns)
    weight = np.ones(y.shape) if weight is None else weight
    weight = np.broadcast_to(weight.reshape(weight.shape + (1,) * (y.ndim - weight.ndim)), y.shape)
    found = []
    for c in range(len(columns)):
        kept = shown[..., c]
        labels, scores, w = y[..., c][kept], p[..., c][kept], weight[..., c][kept]
        _, place = np.unique(scores, return_inverse=True)
        positive, negative = (np.bincount(place, w * part) for part in (labels, 1 - labels))
        pairs = positive.sum() * negative.sum()
        below = np.sum(positive * (np.cumsum(negative) - negative / 2))
        found.append(below / pairs if pairs and not np.isnan(scores).any() else np.nan)
    return np.array(found)
