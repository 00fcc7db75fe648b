"""Losses of rows, sets, windows and stencils in float64 NumPy, by collecting what is observed.

Each takes complete labels and predictions, and which labels are observed, and returns one loss per
row and which rows count. Loops over single pixels: nothing is masked, everything is picked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Array = np.ndarray
Rows = tuple[Array, Array]
SOBEL = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])


def sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


def sets(shape: tuple[int, ...], axis: int | tuple[int, ...] | None) -> Iterator[tuple]:
    """Index of each set among the results, and its index among the labels."""
    axes = range(len(shape)) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = {a % len(shape) for a in axes}
    kept = [i for i in range(len(shape)) if i not in axes]
    for index in np.ndindex(*(shape[i] for i in kept)):
        at: list = [slice(None)] * len(shape)
        for i, k in zip(kept, index, strict=True):
            at[i] = k
        yield index, tuple(at)


def of_sets(one: Callable[[Array, Array], float], axis: int | tuple[int, ...] | None) -> Callable:
    """Applies a loss of one set to what is observed in each."""

    def rows(y: Array, p: Array, o: Array) -> Rows:
        found = list(sets(y.shape, axis))
        shape = tuple(np.max([index for index, _ in found], axis=0) + 1) if found[0][0] else ()
        losses, counted = np.zeros(shape), np.zeros(shape, bool)
        for index, at in found:
            counted[index] = o[at].any()
            if o[at].any():
                losses[index] = one(y[at][o[at]], p[at][o[at]])
        return losses, counted

    return rows


def root_mean_squared_error(y: Array, p: Array) -> float:
    return float(np.sqrt(np.mean((y - p) ** 2)))


def focal_sum(alpha: float | None, gamma: float, logits: bool = False) -> Callable:
    """Lin et al. 2017, equation 5, for labels of 0 and 1."""

    def one(y: Array, p: Array) -> float:
        right = np.where(y == 1, 1.0, -1.0)
        log_pt = -np.logaddexp(0, -right * p) if logits else np.log(np.where(y == 1, p, 1 - p))
        weight = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
        return float(np.sum(-weight * (-np.expm1(log_pt)) ** gamma * log_pt))

    return one


def jaccard(y: Array, p: Array) -> float:
    hits, union = np.sum(y * p), np.sum(y + p - y * p)
    return float(1 - hits / (union + 1e-7))


def critical_success(threshold: float | None, scale: float) -> Callable:
    def one(y: Array, p: Array) -> float:
        if threshold is not None:
            y, p = (y >= threshold).astype(float), sigmoid(scale * (p - threshold))
        hits, alarms, misses = np.sum(y * p), np.sum((1 - y) * p), np.sum(y * (1 - p))
        return float(1 - hits / (hits + alarms + misses + 1e-7))

    return one


def fractions_skill(
    window: int,
    threshold: float | None,
    scale: float,
    padding: str = "valid",
    per_field: bool = False,
) -> Callable:
    """Roberts and Lean 2008, equations 5 to 7, with shares of the pixels observed."""

    def shares(y: Array, p: Array, o: Array) -> list[tuple[float, float]]:
        height, width = y.shape
        before = (window - 1) // 2 if padding == "same" else 0
        last = (height, width) if padding == "same" else (height - window + 1, width - window + 1)
        found = []
        for i in range(last[0]):
            for j in range(last[1]):
                rows = slice(max(0, i - before), i - before + window)
                columns = slice(max(0, j - before), j - before + window)
                here = o[rows, columns]
                if here.any():
                    found.append((y[rows, columns][here].mean(), p[rows, columns][here].mean()))
        return found

    def score(fields: list[tuple[Array, Array, Array]]) -> tuple[float, bool]:
        found = [pair for field in fields for pair in shares(*field)]
        if not found:
            return 0.0, False
        of_y, of_p = np.array(found).T
        worst = np.sum(of_y**2) + np.sum(of_p**2) + 1e-7
        return float(np.sum((of_p - of_y) ** 2) / worst), True

    def rows(y: Array, p: Array, o: Array) -> Rows:
        if threshold is not None:
            y, p = (y >= threshold).astype(float), sigmoid(scale * (p - threshold))
        if y.ndim == 3:
            y, p, o = (x[..., None] for x in (y, p, o))
        fields = [
            [(y[b, ..., c], p[b, ..., c], o[b, ..., c]) for c in range(y.shape[-1])]
            for b in range(len(y))
        ]
        if per_field:
            losses, counted = zip(*map(score, fields), strict=True)
        else:
            losses, counted = score([field for sample in fields for field in sample])
        return np.array(losses), np.array(counted)

    return rows


def sobel(y: Array, p: Array, o: Array) -> Rows:
    """Squared differences of slopes, whose stencil has six pixels."""
    if y.ndim == 4:
        parts = [sobel(*(x[..., c] for x in (y, p, o))) for c in range(y.shape[-1])]
        losses, counted = (np.stack(x, axis=3) for x in zip(*parts, strict=True))
        return losses, counted
    shape = (len(y), y.shape[1] - 2, y.shape[2] - 2, 2)
    losses, counted = np.zeros(shape), np.zeros(shape, bool)
    for b, i, j, d in np.ndindex(shape):
        stencil = SOBEL if d == 0 else SOBEL.T
        part = (b, slice(i, i + 3), slice(j, j + 3))
        used = stencil != 0
        counted[b, i, j, d] = o[part][used].all()
        if counted[b, i, j, d]:
            slopes = [np.sum(stencil[used] * x[part][used]) for x in (y, p)]
            losses[b, i, j, d] = (slopes[0] - slopes[1]) ** 2
    return losses, counted
