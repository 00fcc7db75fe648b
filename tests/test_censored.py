"""Labels that are bounds: shapes, what is missing, what is impossible, and slopes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad
from tests.test_hiding import gradient_of_sum_of_gradient

INF, NAN = np.inf, np.nan
L = km.losses
LOSSES = [L.MeanSquaredError, L.MeanAbsoluteError, L.Huber, L.LogCosh, L.PinballLoss]
BOUNDS = np.array([[1.0, 1.0], [2.0, INF], [-INF, 3.0]])
"""Of which a package that broadcasts (3,) against (3, 1) makes a mean of 4.667."""


METRICS = [km.metrics.MeanSquaredError, km.metrics.RootMeanSquaredError]
METRICS += [km.metrics.MeanAbsoluteError]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_metrics_of_two_ends(metric: Any) -> None:
    p = np.array([3.0, 2.0, 1.0])
    expected = {"MeanAbsoluteError": 2 / 3, "MeanSquaredError": 4 / 3}
    for y, each in ((BOUNDS, p), (BOUNDS, p[:, None]), (BOUNDS[:, None], p[:, None])):
        found = metric(censored=True)
        found.update_state(y, each)
        root = metric.__name__.startswith("Root")
        value = float(found.result()) ** 2 if root else float(found.result())
        assert value == pytest.approx(expected.get(metric.__name__, 4 / 3))
    with pytest.raises(ValueError, match=r"lower and an upper end"):
        metric(censored=True).update_state(BOUNDS, np.ones((2, 3)))


def test_a_score_that_bounds_cannot_have() -> None:
    with pytest.raises(ValueError, match=r"R2Score has no argument `censored`.*no variance"):
        km.metrics.R2Score(censored=True)
    for masked, inner in (
        (L.Masked, keras.losses.MeanSquaredError()),
        (km.metrics.Masked, keras.metrics.MeanSquaredError()),
    ):
        with pytest.raises(ValueError, match=r"Masked has no argument `censored`.*knows of no"):
            masked(inner, censored=True)
    with pytest.raises(ValueError, match=r"IntervalCoverage: argument `censored`"):
        km.metrics.IntervalCoverage(0.9, None, censored=True)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_last_axis_of_labels_holds_two_ends(loss: Any) -> None:
    p = np.array([3.0, 2.0, 1.0])
    value = float(loss(censored=True)(BOUNDS, p))
    assert value == pytest.approx(float(loss()(np.array([[1.0]]), np.array([[3.0]]))) / 3)
    assert float(loss(censored=True)(BOUNDS, p[:, None])) == value
    assert float(loss(censored=True)(BOUNDS[:, None], p[:, None])) == value
    assert float(loss(censored=True)(BOUNDS[None], p[None])) == value
    for y, p in ((BOUNDS, np.ones((2, 3))), (BOUNDS[:, :1], np.ones((3, 1))), (BOUNDS,) * 2):
        with pytest.raises(ValueError, match=r"lower and an upper end") as error:
            loss(censored=True)(y, p)
        assert str(y.shape) in str(error.value) and str(p.shape) in str(error.value)


def test_a_mean_that_broadcasting_got_wrong() -> None:
    """The squares 4, 0 and 0, though nine pairs of other bounds and predictions have others."""
    value = L.MeanSquaredError(censored=True)(BOUNDS, np.array([[3.0], [2.0], [1.0]]))
    assert float(value) == pytest.approx(4 / 3)


def test_what_is_missing() -> None:
    y = np.array([[[NAN, 2], [1, NAN], [-INF, INF], [-9, -9], [-9, 4], [5, 5]]])
    p = np.full((1, 6), 4.0)
    rows = to_numpy(L.MeanSquaredError(censored=True, missing=("nan", -9), reduction=None)(y, p))
    np.testing.assert_allclose(rows, [0.5])
    assert np.isnan(float(L.MeanSquaredError(censored=True, missing=-9)(y, p)))
    whole = np.array([[[1, 2], [3, 3], [-9, -9]]])
    for dtype in ("int32", "int8", "float16", "bfloat16"):
        loss = L.MeanSquaredError(censored=True, missing=-9)
        assert float(loss(tensor(whole, dtype), p[:, :3])) == pytest.approx(2.5)
    big = np.array([[[INF, INF], [5, INF]]])
    assert float(L.MeanSquaredError(censored=True, missing=INF)(big, p[:, :2])) == 1


def test_ends_in_the_wrong_order() -> None:
    y, p = np.array([[[3.0, 2.0], [NAN, 2.0]]]), np.array([[2.5, 1.0]])
    loss = L.MeanAbsoluteError(censored=True)
    with pytest.raises(ValueError, match=r"above the upper one.*\[\[3.0, 2.0\]\]"):
        loss(y, p)
    assert np.isnan(float(loss(tensor(y), p)))
    assert float(loss(y, p, np.array([[0.0, 1.0]]))) == 0


def test_slopes_are_those_of_the_distance() -> None:
    """In between the loss is flat: its second derivative is 0, too."""
    p = np.array([[0.0, 2.0, 4.0, 1.0]], "float32")
    y = np.array([[[1, 3], [1, 3], [-INF, 3], [2, 2]]], "float32")
    loss = L.MeanSquaredError(censored=True, reduction="sum")
    _, slopes = value_and_grad(lambda p: loss(tensor(y), p))(tensor(p))
    np.testing.assert_allclose(to_numpy(slopes), np.array([[-2, 0, 2, -2]]) / 4)
    second = gradient_of_sum_of_gradient(lambda p: loss(tensor(y), p), tensor(p))
    np.testing.assert_allclose(to_numpy(second), np.array([[2, 0, 2, 2]]) / 4)
