"""Positive and unlabelled examples: the authors' equation in float64, holes, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests.backend import set_mask, to_numpy
from tests.test_loss_gradients import GARBAGE, value_and_gradient

Array = np.ndarray
PRIORS = (0.3, 0.2, 0.6)
Loss = km.losses.NonNegativePULoss


def risk(y: Array, z: Array, prior: float, w: Array | None = None) -> float:
    """Kiryo et al. 2017, equation 6, with the sigmoid loss, of one column."""
    y, z = y.astype(float), z.astype(float)
    w = np.ones(len(y)) if w is None else w

    def of(which: Array, sign: int) -> float:
        loss = 1 / (1 + np.exp(sign * z[which]))
        return float(np.average(loss, weights=w[which])) if w[which].sum() else 0.0

    positive, unlabelled = y == 1, y == 0
    return prior * of(positive, 1) + max(0.0, of(unlabelled, -1) - prior * of(positive, -1))


def draw(seed: int = 0) -> tuple[Array, Array, Array, Array]:
    """Labels, logits, weights, and which labels stay: of the last column none, nor of row 3."""
    rng = np.random.default_rng(seed)
    y = (rng.random((12, 4)) < 0.4).astype("float32")
    z = rng.normal(size=(12, 4)).astype("float32") - np.float32([0, 3, 0, 0])
    o = rng.random((12, 4)) < 0.7
    o[3], o[:, 3] = False, False
    return y, z, rng.integers(0, 3, (12, 4)).astype("float32"), o


def columns(y: Array, z: Array, o: Array, w: Array | None = None) -> Array:
    each = ((y[o[:, c], c], z[o[:, c], c], PRIORS[c], None if w is None else w[o[:, c], c])
            for c in range(3))  # fmt: skip
    return np.array([risk(*column) for column in each])


def hide(y: Array, o: Array, marker: float = np.nan) -> Array:
    return np.where(o, y, np.float32(marker))


PRIOR = (*PRIORS, 0.5)  # of the last column nothing is observed


def test_deletion() -> None:
    for seed in range(3):
        y, z, w, o = draw(seed)
        oracle = columns(y, z, o)
        for missing, marker in (("nan", np.nan), (-9999.0, -9999.0)):
            labels = hide(y, o, marker)
            value = to_numpy(Loss(PRIOR, missing=missing)(labels, z))
            np.testing.assert_allclose(value, oracle.mean(), rtol=2e-6)
            rows = to_numpy(Loss(PRIOR, reduction=None, missing=missing)(labels, z))
            np.testing.assert_allclose(rows, [*oracle, 0], rtol=2e-6)
        full = np.ones_like(y)
        alone = to_numpy(Loss(0.3)(y[:, 0], z[:, 0]))
        np.testing.assert_allclose(alone, risk(y[:, 0], z[:, 0], 0.3), rtol=2e-6)
        cube = to_numpy(Loss(PRIOR)(hide(y, o).reshape(3, 4, 4), z.reshape(3, 4, 4)))
        np.testing.assert_allclose(cube, oracle.mean(), rtol=2e-6)
        weighted = to_numpy(Loss(PRIOR)(hide(y, o), z, 3 * full))
        np.testing.assert_allclose(weighted, 3 * oracle.mean(), rtol=2e-6)
    assert oracle.min() < oracle.max()


def test_the_difference_of_risks_is_not_negative() -> None:
    """Where it would be, the risk of positives alone is left; elsewhere, as in the data above."""
    y, z, _, o = draw()

    def difference(c: int, prior: float) -> float:
        here = o[:, c]
        positive, unlabelled = (
            (1 / (1 + np.exp(-z[here, c])))[y[here, c] == label].mean() for label in (1, 0)
        )
        return unlabelled - prior * positive

    assert max(difference(c, PRIORS[c]) for c in range(3)) > 0, "else the tests above are of less"
    z[:, 0] = np.where(y[:, 0] == 1, 4, -4)
    assert difference(0, 0.9) < 0
    value = to_numpy(Loss(0.9)(hide(y, o)[:, 0], z[:, 0]))
    np.testing.assert_allclose(value, 0.9 / (1 + np.exp(4.0)), rtol=2e-6)


def test_integer_weights_equal_repeated_rows() -> None:
    y, z, w, o = draw(1)
    w = w[:, 0]
    loss = Loss(PRIOR, reduction="mean_with_sample_weight")
    repeats = w.astype(int)
    weighted = to_numpy(loss(hide(y, o), z, w))
    of_each = columns(y, z, o, np.repeat(w[:, None], 4, 1))
    mean_weights = [w[o[:, c]].mean() for c in range(3)]
    np.testing.assert_allclose(weighted, np.average(of_each, weights=mean_weights), rtol=2e-6)
    rows = to_numpy(Loss(PRIOR, None)(np.repeat(hide(y, o), repeats, 0), np.repeat(z, repeats, 0)))
    np.testing.assert_allclose(rows[:3], of_each, rtol=2e-6)


def test_weights_of_columns() -> None:
    y, z, _, o = draw()
    oracle = columns(y, z, o)
    value = to_numpy(Loss(PRIOR, label_weights=[1, 2, 0.5, 7])(hide(y, o), z))
    np.testing.assert_allclose(value, (oracle * [1, 2, 0.5]).sum() / 3, rtol=2e-6)


def test_gradient_by_finite_differences_and_blindness() -> None:
    y, z, _, o = draw()
    loss, labels = Loss(PRIOR), hide(y, o)
    value, gradient = value_and_gradient(loss, labels, z)
    np.testing.assert_array_equal(gradient[~o], 0)
    step, differences = 1e-6, np.zeros(z.shape)
    for at in np.ndindex(z.shape):
        shifted = [z.astype(float), z.astype(float)]
        shifted[0][at] += step
        shifted[1][at] -= step
        up, down = (columns(y, each, o).mean() for each in shifted)
        differences[at] = (up - down) / (2 * step)
    np.testing.assert_allclose(gradient, differences, rtol=1e-4, atol=1e-7)
    for garbage in GARBAGE:
        dirty = np.where(o, z, np.float32(garbage))
        again = value_and_gradient(loss, labels, dirty)
        np.testing.assert_array_equal(again[0], value)
        np.testing.assert_array_equal(again[1], gradient)


def test_emptiness_masks_and_visibility() -> None:
    y, z, _, o = draw()
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight", "sum", None):
        value, gradient = value_and_gradient(Loss(0.3, "sum"), np.full_like(y, np.nan), z)
        assert value == 0 and not gradient.any()
        empty = to_numpy(Loss(0.3, reduction)(np.zeros((0, 4), "float32"), z[:0]))
        np.testing.assert_array_equal(empty, np.zeros(empty.shape))
    rows = np.arange(12) % 2 == 0
    value = to_numpy(Loss(0.3)(y, set_mask(z, rows)))
    np.testing.assert_allclose(value, to_numpy(Loss(0.3)(y[rows], z[rows])), rtol=2e-6)
    z[0, 0] = np.nan
    assert np.isnan(to_numpy(Loss(0.3)(y, z)))


def test_bad_input() -> None:
    y, z, _, _ = draw()
    with pytest.raises(ValueError, match=r"`prior`.*2 values for 4 columns"):
        Loss((0.3, 0.2))(y, z)
    with pytest.raises(ValueError, match="one mean"):
        Loss(0.3, average="macro")
    function: Any = km.losses.non_negative_pu_loss
    np.testing.assert_allclose(to_numpy(function(y, z, prior=0.3)), to_numpy(Loss(0.3, None)(y, z)))
    with pytest.raises(ValueError, match="`prior` must be"):
        function(y, z, prior=2.0)
