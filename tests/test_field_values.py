"""What single losses of rows, sets and fields are known to be, and what they refuse."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import field_oracles as oracles
from tests.backend import to_numpy
from tests.field_cases import case, marked
from tests.test_loss_gradients import value_and_gradient

L = km.losses


def test_focal_of_tensorflow_addons() -> None:
    """Values of its documentation: rows of one label."""
    y, p = np.array([[1.0], [1.0], [0.0]]), np.array([[0.97], [0.91], [0.03]])
    expected = [6.8532745e-06, 1.9097870e-04, 2.0559824e-05]
    value = to_numpy(L.SigmoidFocalCrossEntropy(reduction=None)(y, p))
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    assert L.SigmoidFocalCrossEntropy(alpha=0)(y, p) == L.SigmoidFocalCrossEntropy(alpha=None)(y, p)


def test_focal_is_the_sum_where_keras_has_the_mean() -> None:
    y, p, _ = case("SigmoidFocalCrossEntropy").draw(missing=0)
    ours = to_numpy(L.SigmoidFocalCrossEntropy(reduction=None)(y, p))
    theirs = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, reduction=None)
    np.testing.assert_allclose(ours, y.shape[-1] * to_numpy(theirs(y, p)), rtol=1e-4)


def test_focal_saturates_with_finite_slopes() -> None:
    y = np.array([[0.0, 1.0, 0.0, 1.0, np.nan]])
    for gamma in (0.0, 0.5, 1.0, 2.0):
        for logits, p in ((False, [0, 1, 1, 0, 2]), (True, [-500, 500, 500, -500, np.nan])):
            loss = L.SigmoidFocalCrossEntropy(from_logits=logits, gamma=gamma)
            value, gradient = value_and_gradient(loss, y, np.array([p], "float32"))
            assert np.isfinite(value) and np.all(np.isfinite(gradient))


def test_dual_weights_have_finite_slopes_at_0() -> None:
    """The slope of a power below 1 is infinite there."""
    y = np.array([[0.0, 0.0, 1.0, np.nan]])
    for gamma in (0.0, 0.3, 1.0, 2.0):
        p = np.array([[0.0, 0.5, 0.0, np.nan]], "float32")
        value, gradient = value_and_gradient(L.DualWeightedMSE(gamma=gamma), y, p)
        np.testing.assert_allclose(value, (0.5 ** (2 + gamma) + 1) / 3, rtol=1e-6)
        assert np.all(np.isfinite(gradient))


def test_jaccard_is_tversky() -> None:
    y, p, o = case("Jaccard-batch").draw()
    value = to_numpy(L.Tversky(alpha=1.0, beta=1.0)(marked(y, o), p))
    np.testing.assert_allclose(to_numpy(L.Jaccard()(marked(y, o), p)), value, rtol=1e-6)
    np.testing.assert_allclose(
        to_numpy(L.CriticalSuccessIndex()(marked(y, o), p)), value, rtol=1e-6
    )


def test_fractions_of_a_shift() -> None:
    """Roberts and Lean's point: a shift by one pixel is forgiven as windows grow."""
    y, p = np.zeros((1, 16, 16)), np.zeros((1, 16, 16))
    y[0, 6:9, 6:9], p[0, 6:9, 7:10] = 1, 1
    values = [float(L.fractions_skill_score(y, p, window=n, threshold=None)) for n in (1, 3, 5, 9)]
    assert values == sorted(values, reverse=True)
    np.testing.assert_allclose(values[0], 1 / 3, rtol=1e-5)
    assert values[-1] < 0.05
    far = np.zeros_like(y)
    far[0, :2, :2] = 1
    np.testing.assert_allclose(
        float(L.fractions_skill_score(y, far, window=1, threshold=None)), 1, rtol=1e-5
    )


def test_fractions_of_nothing_are_right() -> None:
    y = np.zeros((2, 5, 5), "float32")
    value, gradient = value_and_gradient(L.FractionsSkillScore(threshold=None), y, y)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_slopes_see_no_constant() -> None:
    y, p, o = case("SobelMSE").draw()
    np.testing.assert_allclose(to_numpy(L.SobelMSE()(marked(y, o), y + 3)), 0, atol=1e-9)
    ramp = np.broadcast_to(np.arange(7.0), (1, 5, 7))
    np.testing.assert_allclose(to_numpy(L.SobelMSE()(0 * ramp, ramp)), 64 / 2)


def test_garbage_beside_holes_reaches_no_other_slope() -> None:
    """A diverged prediction in stencils that do not count changes nothing."""
    y, p, o = case("SobelMSE").draw()
    o[:, :, 4] = False
    o[:, 0, 3] = True
    clean = value_and_gradient(L.SobelMSE(), marked(y, o), p)
    o_of_slopes = oracles.sobel(y, p, o)[1]
    assert o_of_slopes.any()
    unused = p.copy()
    unused[:, 0, 5:] = np.nan
    o[:, 1, 5:] = False
    o[:, 2, 5:] = False
    clean = value_and_gradient(L.SobelMSE(), marked(y, o), p)
    value = value_and_gradient(L.SobelMSE(), marked(y, o), unused)
    np.testing.assert_array_equal(value[0], clean[0])
    np.testing.assert_array_equal(value[1], clean[1])


@pytest.mark.parametrize("name", ["SobelMSE", "FractionsSkillScore"])
def test_fields_of_a_wrong_shape(name: str) -> None:
    loss = getattr(L, name)()
    for shape in ((5,), (5, 5), (2, 2, 5), (2, 5, 2, 1), (1, 5, 5, 5, 1)):
        with pytest.raises(ValueError, match="height, width.*Received"):
            loss(np.ones(shape), np.ones(shape))
    with pytest.raises(ValueError, match="same shape"):
        loss(np.ones((1, 5, 5)), np.ones((1, 5, 6)))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("FractionsSkillScore", {"window": 0}, "window=0"),
        ("FractionsSkillScore", {"window": 2.5}, "window=2.5"),
        ("FractionsSkillScore", {"window": True}, "window=True"),
        ("FractionsSkillScore", {"padding": "full"}, "padding='full'"),
        ("SigmoidFocalCrossEntropy", {"gamma": -1.0}, "gamma=-1.0"),
    ],
)
def test_bad_options(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(L, name)(**options)
