"""Of boxes `[y_min, x_min, y_max, x_max]`, compared by how far they overlap.

Values and slopes are finite for every finite box: a box without an area (also one whose corners are
swapped) overlaps nothing, and what would be 0 / 0 is 0.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_masked import _backend
from keras_masked.formulas.labels import VECTOR, formula

Tensor = Any


@formula(VECTOR)
def iou_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 - IoU."""
    iou, _ = _overlap(_corners(y_true), _corners(y_pred))
    return 1.0 - iou


@formula(VECTOR)
def giou_loss(y_true: Tensor, y_pred: Tensor, mode: str = "giou") -> Tensor:
    """1 - IoU + (C - U) / C, with U the area of the union and C that of the enclosing box."""
    label, box = _corners(y_true), _corners(y_pred)
    iou, union = _overlap(label, box)
    if mode == "iou":
        return 1.0 - iou
    enclosing = _area(_enclosing(label, box))
    return 1.0 - iou + _ratio(enclosing - union, enclosing)


@formula(VECTOR)
def diou_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 - IoU + d^2 / c^2: the centres' distance over the diagonal of the enclosing box."""
    label, box = _corners(y_true), _corners(y_pred)
    return 1.0 - _overlap(label, box)[0] + _squared_distance(label, box)


@formula(VECTOR)
def ciou_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 - IoU + d^2 / c^2 + a v, with v of the aspect ratios, and a taken for a constant."""
    label, box = _corners(y_true), _corners(y_pred)
    iou, _ = _overlap(label, box)
    (first, flat), (second, flat_too) = _aspect(label), _aspect(box)
    v = (4.0 / math.pi**2) * ops.square(first - second)
    v = ops.where(ops.logical_or(flat, flat_too), ops.zeros_like(v), v)
    weight = ops.stop_gradient(_ratio(v, 1.0 - iou + v))
    return 1.0 - iou + _squared_distance(label, box) + weight * v


def _corners(boxes: Tensor) -> tuple[Tensor, ...]:
    if boxes.shape[-1] != 4:
        raise ValueError(
            "Boxes must have four coordinates [y_min, x_min, y_max, x_max] on the last axis. "
            f"Received: boxes of shape {tuple(boxes.shape)}"
        )
    return tuple(boxes[..., i] for i in range(4))


def _sides(box: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Height and width, 0 where the corners are swapped."""
    return ops.relu(box[2] - box[0]), ops.relu(box[3] - box[1])


def _area(box: tuple[Tensor, ...]) -> Tensor:
    height, width = _sides(box)
    return height * width


def _overlap(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Intersection over union, and the area of the union."""
    shared = _area(
        (
            _backend.maximum(a[0], b[0]),
            _backend.maximum(a[1], b[1]),
            _backend.minimum(a[2], b[2]),
            _backend.minimum(a[3], b[3]),
        )
    )
    # A box without an area has no share in another, wherever its swapped corners lie.
    union = _area(a) + _area(b) - shared
    return _ratio(shared, union), union


def _enclosing(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    low = [_backend.minimum(a[i], b[i]) for i in (0, 1)]
    return (*low, *(_backend.maximum(a[i], b[i]) for i in (2, 3)))


def _squared_distance(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> Tensor:
    """Of the centres, over the squared diagonal of the enclosing box."""
    sums = [a[i] + a[i + 2] - b[i] - b[i + 2] for i in (0, 1)]
    distance = 0.25 * (ops.square(sums[0]) + ops.square(sums[1]))
    height, width = _sides(_enclosing(a, b))
    return _ratio(distance, ops.square(height) + ops.square(width))


def _aspect(box: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The angle whose tangent is width / height, and where a box has neither."""
    height, width = _sides(box)
    none = _is_zero(ops.square(height) + ops.square(width))
    # The slope of the angle is infinite at the origin.
    height = ops.where(none, ops.ones_like(height), height)
    return _backend.arctan2(width, height), none


def _is_zero(area: Tensor) -> Tensor:
    """Whether an area is 0, up to epsilon in length: the slope of 1 / area overflows below.

    False for NaN, which must stay visible.
    """
    return ops.less_equal(area, keras.config.epsilon() ** 2)


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """x / 0 = 0, with slopes of 0."""
    zero = _is_zero(denominator)
    safe = ops.where(zero, ops.ones_like(denominator), denominator)
    return ops.where(zero, ops.zeros_like(numerator), numerator / safe)
