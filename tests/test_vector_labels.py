"""Labels that are vectors: the entries they miss, the axis they are on, the class they ignore."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import oracles
from tests import test_functions as functions
from tests.backend import set_mask, to_numpy
from tests.cases import Draw, draw
from tests.laws import grid
from tests.test_exact import value_of
from tests.test_functions import ROWS, Function

pytestmark = pytest.mark.slow

Array = np.ndarray
L, M, KL = km.losses, km.metrics, keras.losses
NAN = float("nan")


def test_vector_label_is_missing_if_any_entry_is() -> None:
    rng = np.random.default_rng(0)
    y, p = np.eye(4)[[0, 1, 2, 3, 0]], rng.dirichlet(np.ones(4), 5)
    holes = y.copy()
    holes[1, 0] = holes[2, 2] = NAN  # where the label is 0, and where it is 1
    holes[4] = NAN
    left = [0, 3]
    expected = oracles.categorical_crossentropy(y[left], p[left])
    for cls in (L.CategoricalCrossentropy, M.CategoricalCrossentropy):
        value = cls()(holes, p)
        np.testing.assert_allclose(to_numpy(value), expected.mean(), rtol=1e-5)
    rows = to_numpy(L.CategoricalCrossentropy(reduction=None)(holes, p))
    np.testing.assert_allclose(rows, [expected[0], 0, 0, expected[1], 0], rtol=1e-5, atol=1e-7)
    match = oracles.categorical_match(y[left], p[left]).mean()
    assert value_of(M.CategoricalAccuracy(), holes, p) == match


AXIS = [each for each in ROWS if "axis" in inspect.signature(each.function).parameters]


def elsewhere(each: Function, data: Draw, axis: int) -> tuple[Array, Array]:
    """Labels with holes, and predictions, with their last axis where the object looks for it."""
    y, p = data.with_missing(), data.p
    return (y if each.case.class_ids else np.moveaxis(y, -1, axis)), np.moveaxis(p, -1, axis)


@grid("each", AXIS, axis=[1, 2, -2, 0, -1])
def test_axis(each: Function, axis: int) -> None:
    data = draw(each.case, (2, 3, 5))
    y, p = elsewhere(each, data, axis)
    rows = functions.expected(each, data)
    np.testing.assert_allclose(to_numpy(each(y, p, axis=axis)), rows, rtol=2e-5, atol=1e-6)
    loss = each.case.make(axis=axis, reduction=None)
    np.testing.assert_allclose(to_numpy(loss(y, p)), rows, rtol=2e-5, atol=1e-6)
    losses = functions.per_label(each, data, data.observed)[data.observed]
    np.testing.assert_allclose(to_numpy(each.case.make(axis=axis)(y, p)), losses.mean(), rtol=2e-5)


def test_label_smoothing_counts_the_classes_of_its_axis() -> None:
    """Keras 3.15 counts the last axis, whatever `axis` says."""
    rng = np.random.default_rng(0)
    y, p = np.eye(3)[rng.integers(0, 3, (2, 5))], rng.dirichlet(np.ones(3), (2, 5))
    smooth = y * 0.7 + 0.1
    crossentropy = -(smooth * np.log(p)).sum(-1)
    focal = -(0.25 * (1 - p) ** 2 * smooth * np.log(p)).sum(-1)
    y, p = np.moveaxis(y, -1, 1), np.moveaxis(p, -1, 1)
    options: dict[str, Any] = {"label_smoothing": 0.3, "axis": 1}
    for name, rows in (("Crossentropy", crossentropy), ("FocalCrossentropy", focal)):
        loss = getattr(L, f"Categorical{name}")(**options, reduction=None)
        np.testing.assert_allclose(to_numpy(loss(y, p)), rows, rtol=1e-5)
    function = L.categorical_focal_crossentropy(y, p, **options)
    np.testing.assert_allclose(to_numpy(function), focal, rtol=1e-5)
    metric = M.CategoricalCrossentropy(**options)
    np.testing.assert_allclose(value_of(metric, y, p), crossentropy.mean(), rtol=1e-5)


@grid("each", AXIS, shape=[(3,), (3, 3), (3, 3, 3)])
def test_axis_and_weights(each: Function, shape: tuple[int, ...]) -> None:
    """Per label, weights and masks have the axes of the labels; with fewer, those of the rows."""
    data = draw(each.case, (3, 3, 3))
    y, p = elsewhere(each, data, 1)
    weight = np.random.default_rng(1).random(shape)
    full = np.broadcast_to(weight.reshape(shape + (1,) * (3 - len(shape))), (3, 3, 3))
    if not each.case.label_axes and len(shape) == 3:
        full = np.moveaxis(full, 1, -1)
    losses = functions.per_label(each, data, data.observed)
    expected = (losses * full)[data.observed].mean()
    np.testing.assert_allclose(to_numpy(each.case.make(axis=1)(y, p, weight)), expected, rtol=2e-5)
    expected = losses[data.observed & (full > 0.5)].mean()
    masked = set_mask(p, weight > 0.5)
    np.testing.assert_allclose(to_numpy(each.case.make(axis=1)(y, masked)), expected, rtol=2e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
@pytest.mark.parametrize("ignored", [2, -1, -100, 255])
def test_ignore_class_is_that_of_keras(ignored: int, reduction: str | None) -> None:
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 4, (5, 6)), rng.dirichlet(np.ones(4), (5, 6))
    y[rng.random(y.shape) < 0.3] = ignored
    options: dict[str, Any] = {"ignore_class": ignored}
    ours = L.SparseCategoricalCrossentropy(**options, reduction=reduction, missing="nan")(y, p)
    theirs = KL.SparseCategoricalCrossentropy(**options, reduction=reduction)(y, p)
    np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-5, atol=1e-6)
    left = oracles.sparse_crossentropy(y[y != ignored], p[y != ignored]).mean()
    found = value_of(M.SparseCategoricalCrossentropy(**options), y, p)
    np.testing.assert_allclose(found, left, rtol=1e-5)
    y[0] = -1  # what `missing=` names is missing beside it
    observed = (y != ignored) & (y != -1)
    left = oracles.sparse_crossentropy(y[observed], p[observed]).mean()
    found = to_numpy(L.SparseCategoricalCrossentropy(**options)(y, p))
    np.testing.assert_allclose(found, left, rtol=1e-5)
