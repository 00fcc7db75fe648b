"""Losses of boxes in float64 NumPy, box by box and from the papers; none of our code is used."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray


def interval_overlap(a: float, b: float, c: float, d: float) -> float:
    """Length that the intervals from a to b and from c to d have in common."""
    if b <= a or d <= c:
        return 0.0
    return max(0.0, min(b, d) - max(a, c))


def side(a: float, b: float) -> float:
    return b - a if b > a else 0.0


def iou(y: Array, p: Array) -> float:
    """Zheng et al. 2020, equation 1; 0 where the union has no area."""
    shared = interval_overlap(y[0], y[2], p[0], p[2]) * interval_overlap(y[1], y[3], p[1], p[3])
    areas = [side(b[0], b[2]) * side(b[1], b[3]) for b in (y, p)]
    union = sum(areas) - shared
    return shared / union if union > 0 else 0.0


def enclosing(y: Array, p: Array) -> tuple[float, float]:
    """Height and width of the smallest box around both: Rezatofighi et al. 2019, algorithm 1."""
    corners = [(min(y[i], p[i]), max(y[i + 2], p[i + 2])) for i in (0, 1)]
    height, width = (side(low, high) for low, high in corners)
    return height, width


def giou_loss(y: Array, p: Array) -> float:
    """Rezatofighi et al. 2019, algorithm 1, lines 6 to 11."""
    height, width = enclosing(y, p)
    shared = interval_overlap(y[0], y[2], p[0], p[2]) * interval_overlap(y[1], y[3], p[1], p[3])
    areas = [side(b[0], b[2]) * side(b[1], b[3]) for b in (y, p)]
    whole, union = height * width, sum(areas) - shared
    return 1 - iou(y, p) + ((whole - union) / whole if whole > 0 else 0.0)


def iou_loss(y: Array, p: Array) -> float:
    """Zheng et al. 2020, equation 2."""
    return 1 - iou(y, p)


def diou_loss(y: Array, p: Array) -> float:
    """Zheng et al. 2020, equation 7."""
    centres = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (y, p)]
    diagonal = math.hypot(*enclosing(y, p))
    distance = math.dist(*centres)
    return 1 - iou(y, p) + ((distance / diagonal) ** 2 if diagonal > 0 else 0.0)


def ciou_loss(y: Array, p: Array) -> float:
    """Zheng et al. 2020, equations 8 to 11; the last term is 0 for a point, which has no shape."""
    sides = [(side(b[0], b[2]), side(b[1], b[3])) for b in (y, p)]
    if any(h == 0 and w == 0 for h, w in sides):
        return diou_loss(y, p)
    angles = [math.atan(w / h) if h > 0 else math.pi / 2 for h, w in sides]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    alpha = v / (1 - iou(y, p) + v) if v > 0 else 0.0
    return diou_loss(y, p) + alpha * v


def of_each(one: Callable[[Array, Array], float]) -> Callable[[Array, Array], Array]:
    """(n, 4) in, (n,) out."""
    return lambda y, p: np.array([one(a, b) for a, b in zip(y, p, strict=True)])
