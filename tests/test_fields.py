"""Losses of rows, sets, windows and stencils: values and weights, by oracles that pick pixels."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import field_oracles as oracles
from tests.backend import set_mask, tensor, to_numpy, value_and_grad
from tests.field_cases import CASES, EACH, Field, marked
from tests.field_cases import case as case_of
from tests.laws import grid
from tests.test_loss_gradients import value_and_gradient

pytestmark = pytest.mark.slow

L = km.losses
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]


# Values


@grid("case", CASES, reduction=REDUCTIONS)
def test_deletion(case: Field, reduction: str | None) -> None:
    for seed, missing in ((0, 0.15), (1, 0.5), (2, 0.0)):
        y, p, o = case.draw(seed, missing)
        value = to_numpy(case.make(reduction=reduction)(marked(y, o), p))
        expected = case.expected(y, p, o, reduction)
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=3e-5, atol=1e-6)


@EACH
def test_keras_mask(case: Field) -> None:
    y, p, o = case.draw()
    mask = np.arange(len(y)) != 2
    p[2], kept = np.nan, o.copy()
    kept[2] = False
    value = to_numpy(case.make()(marked(y, o), set_mask(p, mask)))
    np.testing.assert_allclose(value, case.expected(y, p, kept), rtol=3e-5)


@grid("case", CASES, marker=[-9999.0, np.inf, (-9999.0, -8.0)])
def test_sentinel(case: Field, marker: Any) -> None:
    y, p, o = case.draw()
    first = marker[0] if isinstance(marker, tuple) else marker
    value = to_numpy(case.make(missing=marker)(marked(y, o, first), p))
    np.testing.assert_array_equal(value, to_numpy(case.make()(marked(y, o), p)))


@EACH
def test_a_nan_that_is_not_missing_is_seen(case: Field) -> None:
    y, p, o = case.draw(missing=0)
    y[-1] = np.nan
    assert np.isnan(to_numpy(case.make(missing=-9999.0)(y, p)))


@EACH
def test_emptiness(case: Field) -> None:
    y, p, _ = case.draw()
    nothing = np.full_like(y, np.nan)
    for reduction in REDUCTIONS:
        loss = case.make(reduction=reduction)
        for value in (loss(nothing, p), loss(nothing, p, np.arange(len(y)))):
            np.testing.assert_array_equal(to_numpy(value), np.zeros(value.shape))
    value, gradient = value_and_gradient(case.make(), nothing, np.full_like(p, np.nan))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@EACH
def test_visibility(case: Field) -> None:
    y, p, o = case.draw(missing=0)
    p[(0,) + tuple(n // 2 for n in p.shape[1:])] = np.nan
    for reduction in REDUCTIONS[:3]:
        assert np.isnan(to_numpy(case.make(reduction=reduction)(marked(y, o), p)))


@grid("case", CASES, dtype=["float16", "bfloat16"])
def test_half(case: Field, dtype: str) -> None:
    y, p, o = case.draw()
    y, p = to_numpy(tensor(y, dtype)), to_numpy(tensor(p, dtype))
    eps = 2.0**-10 if dtype == "float16" else 2.0**-7
    for marker in (np.nan, -9999.0):
        loss = case.make(dtype=dtype, missing="nan" if marker != marker else marker)
        value = loss(tensor(np.where(o, y, marker), dtype), tensor(p, dtype))
        assert dtype in str(value.dtype)
        np.testing.assert_allclose(to_numpy(value), case.expected(y, p, o), rtol=eps)

    def function(p: Any, y: Any) -> Any:
        return keras.ops.cast(case.make(dtype=dtype)(y, p), "float32")

    _, gradient = value_and_grad(function)(tensor(p, dtype), tensor(np.where(o, y, np.nan), dtype))
    assert np.all(np.isfinite(to_numpy(gradient)))


# Weights


@grid("case", CASES, reduction=REDUCTIONS)
def test_weights_of_rows(case: Field, reduction: str | None) -> None:
    """A scalar multiplies, and so does a weight of a row; a mean by weight divides by them."""
    y, p, o = case.draw()
    loss = case.make(reduction=reduction)
    plain = to_numpy(loss(marked(y, o), p))
    by_weight = reduction == "mean_with_sample_weight"
    value = to_numpy(loss(marked(y, o), p, 2.0))
    np.testing.assert_allclose(value, plain if by_weight else 2 * plain, rtol=1e-5)
    losses, counted = case.rows(y, p, o)
    if not losses.ndim:
        return  # the batch is one set, and has no rows
    weight = np.array([1.5, 2.0, 0.0, 0.5, 3.0])[: len(y)]
    full = weight.reshape(-1, *[1] * (losses.ndim - 1)) * counted
    value = to_numpy(loss(marked(y, o), p, weight))
    expected = losses * full
    if reduction in (None, "sum") and case.slopes:
        expected = expected.sum(-1) / np.maximum(counted.sum(-1), 1)
    if reduction is not None:
        expected = expected.sum()
    if reduction == "sum_over_batch_size":
        expected = expected / counted.sum()
    if by_weight:
        expected = expected / full.sum()
    np.testing.assert_allclose(value, expected, rtol=3e-5, atol=1e-7)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.name == "SigmoidFocalCrossEntropy"], ids=str
)
def test_weights_of_labels_in_a_sum(case: Field) -> None:
    """As the sum of weighted labels."""
    y, p, o = case.draw()
    weight = np.random.default_rng(5).uniform(0, 2, y.shape)
    weight[weight < 0.4] = 0
    p[weight == 0] = np.nan
    rows = to_numpy(case.make(reduction=None)(marked(y, o), p, weight))
    one = case.oracle
    for i in range(len(y)):
        expected = 0.0
        for j in np.flatnonzero(o[i] & (weight[i] > 0)):
            at = (slice(i, i + 1), slice(j, j + 1))
            expected += weight[i, j] * one(y[at], p[at].astype("float64"), o[at])[0][0]
        np.testing.assert_allclose(rows[i], expected, rtol=2e-5, atol=1e-8)
    mean = to_numpy(case.make()(marked(y, o), p, weight))
    np.testing.assert_allclose(mean, rows.sum() / o.any(-1).sum(), rtol=1e-6)


def test_weights_of_labels_in_a_root() -> None:
    """Integer weights equal repeated labels, where the mean divides by them."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 5)).astype("float32")
    weight = rng.integers(0, 3, y.shape)
    y[0, :2] = np.nan
    again = np.isfinite(y) * weight
    error = np.repeat((y - p).astype("float64"), again.ravel())
    loss = L.RootMeanSquaredError(reduction="mean_with_sample_weight")
    value = to_numpy(loss(y, p, weight))
    np.testing.assert_allclose(value, np.sqrt(np.mean(error**2)), rtol=1e-5)
    mean = again.sum() / np.isfinite(y).sum()
    np.testing.assert_allclose(to_numpy(L.RootMeanSquaredError()(y, p, weight)), mean * value,
                               rtol=1e-5)  # fmt: skip


def test_weights_of_pixels_in_slopes() -> None:
    """A slope has the weight of the pixel in the middle."""
    y, p, o = case_of("SobelMSE").draw()
    weight = np.random.default_rng(5).uniform(0, 2, y.shape)
    losses, counted = oracles.sobel(y.astype("float64"), p.astype("float64"), o)
    expected = (losses * weight[:, 1:-1, 1:-1, None]).sum() / counted.sum()
    np.testing.assert_allclose(to_numpy(L.SobelMSE()(marked(y, o), p, weight)), expected, rtol=1e-5)
    weight[:, :3] = 0
    p[:, 0] = np.nan  # only slopes of weight 0 look there
    assert np.isfinite(to_numpy(L.SobelMSE()(marked(y, o), p, weight)))


@EACH
def test_bad_weights(case: Field) -> None:
    y, p, o = case.draw()
    if not case.per_label and not case.expected(y, p, o, None).ndim:
        pytest.skip("as in Keras, the loss of the batch is repeated for each weight")
    with pytest.raises(ValueError, match="sample_weight"):
        case.make(reduction=None)(y, p, np.ones((2, 7, 3, 3, 3, 3)))


# Configs and functions


@EACH
def test_config(case: Field) -> None:
    y, p, o = case.draw()
    loss = case.make(missing=(-9999.0, "nan"), name="a", reduction="sum", dtype="float32")
    config = json.loads(json.dumps(L.serialize(loss)))
    for again in (L.deserialize(config), keras.saving.deserialize_keras_object(config)):
        assert type(again) is type(loss)
        again_config = json.loads(json.dumps(again.get_config()))
        assert again_config == json.loads(json.dumps(loss.get_config()))
        value = to_numpy(again(marked(y, o), p))
        np.testing.assert_array_equal(value, to_numpy(loss(marked(y, o), p)))
    for option, value in case.options.items():
        assert loss.get_config()[option] == value


@EACH
def test_function(case: Field) -> None:
    from keras_masked._backend import get_keras_mask

    y, p, o = case.draw(1, 0.4)
    rows = case.function(marked(y, o), p, **case.options)
    expected = case.expected(y, p, o, None)
    np.testing.assert_allclose(to_numpy(rows), expected, rtol=3e-5, atol=1e-6)
    _, counted = case.rows(y, p, o)
    counted = counted.any(-1) if case.slopes else counted
    np.testing.assert_array_equal(to_numpy(get_keras_mask(rows)) > 0, counted)
    half = case.function(marked(y, o), tensor(p, "float16"), **case.options)
    assert "float16" in str(half.dtype)


@EACH
def test_saved_model(case: Field, tmp_path: Any) -> None:
    y, p, o = case.draw()
    model = keras.Sequential([keras.Input(p.shape[1:]), keras.layers.Identity()])
    model.compile(loss=case.make(reduction="sum"))
    model.save(tmp_path / "model.keras")
    for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
        value = each.evaluate(p, marked(y, o), batch_size=len(y), verbose=0)
        np.testing.assert_allclose(value, case.expected(y, p, o, "sum"), rtol=3e-5)


@EACH
def test_observed_rate_and_averages(case: Field) -> None:
    """`observed_rate` divides by all rows; each field is a sample."""
    y, p, o = case.draw()
    losses, counted = case.rows(y, p, o)
    value = to_numpy(case.make(observed_rate=0.5)(marked(y, o), p))
    np.testing.assert_allclose(value, losses.sum() / counted.size / 0.5, rtol=3e-5)
    value = to_numpy(case.make(average="samples")(marked(y, o), p))
    expected = case.expected(y, p, o)
    if case.slopes:
        rest = tuple(range(1, counted.ndim))
        fields = losses.sum(rest) / np.maximum(counted.sum(rest), 1)
        expected = fields.sum() / counted.any(rest).sum()
    np.testing.assert_allclose(value, expected, rtol=3e-5)
