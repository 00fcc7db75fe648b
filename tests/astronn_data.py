"""Labels of astroNN's page, with its magic numbers, and predictions with their variances."""

from __future__ import annotations

import numpy as np

from tests import likelihood_oracles as oracles

NAN, MAGIC = np.nan, -9999.0
BOTH = (MAGIC, "nan")
ROWS, LABELS = 6, 4
RNG = np.random.default_rng(0)
OBSERVED = RNG.random((ROWS, LABELS)) > 0.4
OBSERVED[0], OBSERVED[1] = False, True
Y = RNG.normal(size=OBSERVED.shape) + 3 * RNG.choice([-1, 1], size=OBSERVED.shape)
P = Y + RNG.normal(size=OBSERVED.shape)
S = RNG.normal(size=OBSERVED.shape)
E = RNG.gamma(2.0, 0.5, size=OBSERVED.shape)


def marked(y: np.ndarray, observed: np.ndarray = OBSERVED) -> np.ndarray:
    """Missing labels are magic numbers and NaNs by turns."""
    markers = np.where(np.arange(y.shape[-1]) % 2, MAGIC, NAN)
    return np.where(observed, y, np.broadcast_to(markers, y.shape))


def rows(values: np.ndarray, observed: np.ndarray = OBSERVED) -> np.ndarray:
    """The page: sums over observed labels, over all labels, times the correction term."""
    found = np.zeros(len(values))
    for i, (row, o) in enumerate(zip(values, observed, strict=True)):
        if o.any():
            found[i] = row[o].sum() / len(row) * (len(row) / o.sum())
    return found


def classification(classes: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, mean logits, log-variances, and the oracle's rows."""
    if classes:
        y = np.eye(LABELS)[np.random.default_rng(3).integers(0, LABELS, ROWS)]
        whole = OBSERVED.all(-1)
        each = oracles.robust(25, True)(y, np.stack([P, S], -1))
        # A vector is missing by one NaN, or by the marker in all of its entries.
        y = np.where(OBSERVED, y, np.nan)
        y[np.flatnonzero(~whole)[0]] = -9999.0
        return y, P, S, np.where(whole, each, 0)
    y = (Y > 0).astype(float)
    each = oracles.robust(25, False)(y.ravel(), np.stack([P.ravel(), S.ravel()], -1))
    return marked(y), P, S, rows(each.reshape(y.shape))
