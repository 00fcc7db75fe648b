"""Losses of boxes where boxes degenerate, coincide or lie apart; the laws are in the case table."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests import box_oracles
from tests.backend import to_numpy
from tests.test_loss_gradients import value_and_gradient

Array = np.ndarray
L = km.losses

LOSSES = {
    "iou": (L.IoULoss, L.iou_loss, box_oracles.iou_loss),
    "giou": (L.GIoULoss, L.giou_loss, box_oracles.giou_loss),
    "diou": (L.DIoULoss, L.diou_loss, box_oracles.diou_loss),
    "ciou": (L.CIoULoss, L.ciou_loss, box_oracles.ciou_loss),
}
KINDS = pytest.mark.parametrize("kind", LOSSES)

BOXES = {
    "unit": [0, 0, 1, 1],
    "inside": [0.25, 0.25, 0.5, 0.75],
    "overlapping": [0.5, 0.25, 1.5, 2.25],
    "touching": [1, 0, 2, 1],
    "disjoint": [3, 4, 5, 5],
    "far": [1e4, 1e4, 1e4 + 50, 1e4 + 100],
    "point at 0": [0, 0, 0, 0],
    "point inside": [0.5, 0.5, 0.5, 0.5],
    "point outside": [2, 2, 2, 2],
    "flat": [0, 0, 0, 1],
    "thin": [0, 0, 1, 0],
    "swapped": [1, 1, 0, 0],
    "swapped in y": [1, 0, 0, 1],
    "swapped, apart": [4, 4, 3, 3],
}


def pairs() -> tuple[Array, Array]:
    """Every box against every other, and itself."""
    both = [(a, b) for a, b in itertools.product(BOXES.values(), repeat=2)]
    y, p = (np.array(side, "float32") for side in zip(*both, strict=True))
    return y, p


@KINDS
def test_degenerate_boxes_have_finite_values_and_slopes(kind: str) -> None:
    cls, _, oracle = LOSSES[kind]
    y, p = pairs()
    rows = to_numpy(cls(reduction=None)(y, p))
    expected = box_oracles.of_each(oracle)(y.astype("float64"), p.astype("float64"))
    np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-6)
    _, gradient = value_and_gradient(cls(reduction="sum"), y, p)
    assert np.all(np.isfinite(gradient))
    assert np.all(np.abs(gradient) < 1e3)


@KINDS
@pytest.mark.parametrize("size", [1e-3, 1e-7, 1e-15, 1e-25, 1e-38, 1e6])
def test_boxes_of_any_size(kind: str, size: float) -> None:
    """Down to where 1 / area overflows, slopes are finite."""
    cls, *_ = LOSSES[kind]
    y, p = pairs()
    y, p = (y * size).astype("float32"), (p * size).astype("float32")
    value, gradient = value_and_gradient(cls(reduction="sum"), y, p)
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient))
    rows = to_numpy(cls(reduction=None)(y, p))
    assert rows.min() > -1e-5 and rows.max() < 4


@KINDS
def test_equal_boxes(kind: str) -> None:
    cls, *_ = LOSSES[kind]
    y = np.random.default_rng(0).uniform(0, 1, (50, 4)).astype("float32")
    y[:, 2:] += y[:, :2]
    value, gradient = value_and_gradient(cls(), y, y)
    np.testing.assert_allclose(value, 0, atol=1e-6)
    assert np.all(np.isfinite(gradient))


@KINDS
def test_only_iou_has_no_slope_between_disjoint_boxes(kind: str) -> None:
    cls, *_ = LOSSES[kind]
    _, gradient = value_and_gradient(cls(), [BOXES["unit"]], np.array([BOXES["disjoint"]], "f4"))
    assert np.any(gradient != 0) == (kind != "iou")
    if kind in ("diou", "ciou"):  # a step downhill brings it nearer
        assert gradient.reshape(2, 2).sum(0).min() > 0


def numerical(oracle: Any, y: Array, p: Array, step: float = 1e-6) -> Array:
    """Slopes of the mean, by central differences in float64."""
    found = np.zeros_like(p)
    for i in np.ndindex(p.shape):
        up, down = p.copy(), p.copy()
        up[i], down[i] = p[i] + step, p[i] - step
        found[i] = (oracle(y, up) - oracle(y, down)).mean() / (2 * step)
    return found


@pytest.mark.parametrize("kind", ["iou", "giou", "diou"])
def test_gradient_is_that_of_the_paper(kind: str) -> None:
    """CIoU's is not that of its value: alpha is a constant to it."""
    cls, _, oracle = LOSSES[kind]
    rng = np.random.default_rng(2)
    y, p = (rng.uniform(0, 1, (20, 4)) for _ in range(2))
    y[:, 2:] += y[:, :2]
    p[:, 2:] += p[:, :2]
    y, p = y.astype("float32").astype("float64"), p.astype("float32").astype("float64")
    _, gradient = value_and_gradient(cls(), y.astype("float32"), p.astype("float32"))
    expected = numerical(box_oracles.of_each(oracle), y, p)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("entry", range(4))
@KINDS
def test_any_missing_coordinate_makes_the_box_missing(kind: str, entry: int) -> None:
    cls, function, oracle = LOSSES[kind]
    y = np.array([BOXES["unit"], BOXES["unit"]], "float32")
    y[1, entry] = np.nan
    p = np.array([BOXES["overlapping"], [np.nan, np.inf, 1e30, -5.0]], "float32")
    value, gradient = value_and_gradient(cls(), y, p)
    np.testing.assert_allclose(value, oracle(y[0], p[0]), rtol=1e-6)
    np.testing.assert_array_equal(gradient[1], 0)
    rows = to_numpy(function(y, p))
    np.testing.assert_allclose(rows, [value, 0], rtol=1e-6)


@pytest.mark.parametrize("entry", range(4))
@KINDS
def test_a_diverged_coordinate_is_seen(kind: str, entry: int) -> None:
    p = np.array([BOXES["overlapping"]], "float32")
    p[0, entry] = np.nan
    assert np.isnan(to_numpy(LOSSES[kind][0]()(np.array([BOXES["unit"]]), p)))


def test_values_of_tensorflow_addons() -> None:
    """Those of its documentation."""
    y = np.array([[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, 7.0]])
    p = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]])
    expected = [1.07500000298023224, 1.9333333373069763]
    np.testing.assert_allclose(to_numpy(L.GIoULoss(reduction=None)(y, p)), expected, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(L.giou_loss(y, p)), expected, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(L.giou_loss(y, p, mode="iou")), [0.875, 1], rtol=1e-6)


def test_bad_options() -> None:
    with pytest.raises(ValueError, match="mode='ciou'"):
        L.GIoULoss(mode="ciou")
    with pytest.raises(ValueError, match="mode='diou'"):
        L.giou_loss(np.ones((2, 4)), np.ones((2, 4)), mode="diou")
    for loss in (L.IoULoss(), L.GIoULoss(), L.DIoULoss(), L.CIoULoss()):
        with pytest.raises(ValueError, match=r"four coordinates.*\(2, 3\)"):
            loss(np.ones((2, 3)), np.ones((2, 3)))
