"""Survival analysis in float64 NumPy, of complete columns: pair by pair, event by event."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def as_labels(times: Array, events: Array, observed: Array | None = None) -> Array:
    """[t, t] and [t, inf], NaN where not observed."""
    y = np.stack([times, np.where(events, times, np.inf)], axis=-1).astype("float32")
    if observed is not None:
        y[~observed] = np.nan
    return y


def draw(seed: int = 0, rows: int = 24, columns: int = 3) -> tuple[Array, Array, Array, Array]:
    """Times with many ties, whether of events, scores with ties, and what is observed."""
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 9, (rows, columns)).astype("float32")
    events = rng.random((rows, columns)) < 0.6
    scores = (rng.integers(-8, 9, (rows, columns)) / 4).astype("float32")
    observed = rng.random((rows, columns)) < 0.7
    observed[3] = False
    times[0], events[0], observed[0] = 11, False, True  # the last, so that weights are finite
    return times, events, scores, observed


def cox(t: Array, e: Array, p: Array, w: Array | None = None, ties: str = "efron") -> float:
    """Minus the log partial likelihood: Efron 1977, equation 2.10 and Breslow 1974, equation 6."""
    w = np.ones(len(t)) if w is None else w.astype("float64")
    p, loss = p.astype("float64"), 0.0
    for time in np.unique(t[e]):
        died, risk = e & (t == time), t >= time
        top = p[risk].max()
        whole, part = (np.sum(w[k] * np.exp(p[k] - top)) for k in (risk, died))
        for k in range(died.sum()):
            gone = k / died.sum() * part if ties == "efron" else 0.0
            loss += w[died].mean() * (top + np.log(whole - gone))
        loss -= np.sum(w[died] * p[died])
    return float(loss)


def uncensored(t: Array, e: Array, at: Array, w: Array | None = None) -> Array:
    """Kaplan and Meier's estimate of the times of censoring; events come before it."""
    w = np.ones(len(t)) if w is None else w
    found = []
    for time in at:
        left = 1.0
        for lost in np.unique(t[~e]):
            if lost <= time:
                here = w[~e & (t == lost)].sum()
                left *= 1 - here / (w[t > lost].sum() + here)
        found.append(left)
    return np.array(found)


def concordance(
    t: Array, e: Array, p: Array, w: Array | None = None, seen: Array | None = None
) -> float:
    """`seen` is the probability that each event is not censored before."""
    w = np.ones(len(t)) if w is None else w
    own = np.where(e, w, 0) / np.where(e, 1.0 if seen is None else seen, 1.0) ** 2
    later = (t[:, None] < t[None]) | ((t[:, None] == t[None]) & ~e[None])
    pairs = own[:, None] * w[None] * later
    order = (p[:, None] > p[None]) + 0.5 * (p[:, None] == p[None])
    return float((pairs * order).sum() / pairs.sum()) if pairs.sum() else np.nan


def brier(t: Array, e: Array, left: Array, time: float, at_labels: Array, at_time: float) -> Array:
    """Graf et al. 1999, equation 6: of each label, by the probabilities that it is seen."""
    had = e & (t <= time)
    return np.where(had, left**2 / at_labels, np.where(t > time, (1 - left) ** 2 / at_time, 0.0))
