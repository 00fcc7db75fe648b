"""The laws for losses of rows, sets, windows and stencils, against oracles that pick pixels."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import field_oracles as oracles
from tests.backend import set_mask, tensor, to_numpy
from tests.test_loss_gradients import GARBAGE, value_and_gradient

Array = np.ndarray
L = km.losses
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]


@dataclasses.dataclass(frozen=True)
class Field:
    """A loss, its function and oracle, and the data that it takes.

    Attributes:
        slopes: Whether rows are the mean over a last axis of two slopes.
        per_label: Whether weights are those of labels rather than of sets.
    """

    name: str
    function: Callable[..., Any]
    oracle: Callable[..., tuple[Array, Array]]
    shape: tuple[int, ...]
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: str = "binary"
    slopes: bool = False
    per_label: bool = False
    label: str = ""

    def __str__(self) -> str:
        return self.name + (f"-{self.label}" if self.label else "")

    def make(self, **kwargs: Any) -> Any:
        return getattr(L, self.name)(**self.options, **kwargs)

    def draw(self, seed: int = 0, missing: float = 0.15) -> tuple[Array, Array, Array]:
        """Labels, predictions, and which labels are observed: of the second row none."""
        rng = np.random.default_rng(seed)
        y = (rng.random(self.shape) < 0.4).astype("float32")
        p = rng.uniform(0.05, 0.95, self.shape).astype("float32")
        if self.data == "reals":
            y, p = (rng.gamma(1.0, 0.5, self.shape).astype("float32") for _ in range(2))
        if self.data == "logits":
            p = (8 * p - 4).astype("float32")
        o = rng.random(self.shape) >= missing
        if missing:
            o[1] = False
        return y, p, o

    def rows(self, y: Array, p: Array, o: Array) -> tuple[Array, Array]:
        """Values of `reduction=None`, and the losses and what counts behind the mean."""
        losses, counted = self.oracle(y.astype("float64"), p.astype("float64"), o)
        return losses, counted

    def expected(self, y: Array, p: Array, o: Array, reduction: Any = "mean") -> Array:
        losses, counted = self.rows(y, p, o)
        if reduction in ("mean", "sum_over_batch_size", "mean_with_sample_weight"):
            return losses.sum() / max(counted.sum(), 1)
        if self.slopes:
            losses = losses.sum(-1) / np.maximum(counted.sum(-1), 1)
        return losses.sum() if reduction == "sum" else losses


ROWS, IMAGES, FIELDS = (5, 6), (4, 6, 7, 2), (4, 6, 7)


def fss(label: str, shape: tuple[int, ...], data: str = "reals", **options: Any) -> Field:
    oracle = {"window": 3, "threshold": 0.5, "scale": 10.0, **options}
    axis = oracle.pop("axis", None)
    rows = oracles.fractions_skill(**oracle, per_field=axis is not None)
    return Field("FractionsSkillScore", L.fractions_skill_score, rows, shape, options, data,
                 label=label)  # fmt: skip


def csi(label: str, axis: Any = None, data: str = "reals", **options: Any) -> Field:
    one = oracles.critical_success(options.get("threshold"), options.get("scale", 10.0))
    return Field("CriticalSuccessIndex", L.critical_success_index, oracles.of_sets(one, axis),
                 IMAGES, {**options, "axis": axis}, data, label=label)  # fmt: skip


def rmse(label: str, axis: Any, shape: tuple[int, ...]) -> Field:
    rows = oracles.of_sets(oracles.root_mean_squared_error, axis)
    return Field("RootMeanSquaredError", L.root_mean_squared_error, rows, shape, {"axis": axis},
                 "reals", per_label=True, label=label)  # fmt: skip


def focal(label: str, data: str = "binary", **options: Any) -> Field:
    one = oracles.focal_sum(
        options.get("alpha", 0.25), options.get("gamma", 2.0), options.get("from_logits", False)
    )
    return Field("SigmoidFocalCrossEntropy", L.sigmoid_focal_crossentropy, oracles.of_sets(one, -1),
                 ROWS, options, data, per_label=True, label=label)  # fmt: skip


def jaccard(label: str, axis: Any) -> Field:
    rows = oracles.of_sets(oracles.jaccard, axis)
    return Field("Jaccard", L.jaccard, rows, IMAGES, {"axis": axis}, label=label)


SOBEL = {"slopes": True, "data": "reals"}
CASES = [
    rmse("batch", None, ROWS),
    rmse("rows", -1, ROWS),
    rmse("images", (1, 2, 3), IMAGES),
    focal(""),
    focal("logits", "logits", from_logits=True),
    focal("plain", alpha=None, gamma=0.0),
    focal("half", alpha=0.6, gamma=0.5),
    jaccard("batch", None),
    jaccard("classes", (1, 2)),
    csi("probabilities", data="binary"),
    csi("threshold", threshold=0.4, scale=6.0),
    csi("images", axis=(1, 2, 3), threshold=0.4),
    fss("", FIELDS),
    fss("probabilities", FIELDS, "binary", threshold=None),
    fss("channels", IMAGES, window=4, scale=5.0),
    fss("images", IMAGES, window=2, axis=(1, 2, 3)),
    fss("same", FIELDS, window=3, padding="same"),
    fss("same, even", FIELDS, window=4, padding="same", axis=(1, 2)),
    fss("pixels", FIELDS, window=1),
    Field("SobelMSE", L.sobel_mse, oracles.sobel, (4, 8, 9), **SOBEL),
    Field("SobelMSE", L.sobel_mse, oracles.sobel, (3, 5, 8, 2), label="channels", **SOBEL),
]
EACH = pytest.mark.parametrize("case", CASES, ids=str)


def marked(y: Array, o: Array, marker: float = np.nan) -> Array:
    return np.where(o, y, np.float32(marker))


# Values


@EACH
@pytest.mark.parametrize("reduction", REDUCTIONS)
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


@EACH
@pytest.mark.parametrize("marker", [-9999.0, np.inf, (-9999.0, -8.0)], ids=str)
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


@EACH
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
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

    from tests.backend import value_and_grad

    _, gradient = value_and_grad(function)(tensor(p, dtype), tensor(np.where(o, y, np.nan), dtype))
    assert np.all(np.isfinite(to_numpy(gradient)))


# Weights


@EACH
@pytest.mark.parametrize("reduction", REDUCTIONS)
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
    y, p, o = CASES[-2].draw()
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


# Gradients


def numerical(case: Field, y: Array, p: Array, o: Array, step: float = 1e-6) -> Array:
    """Central differences of the oracle, in float64."""
    found = np.zeros(p.shape)
    p = p.astype("float64")
    for i in zip(*np.nonzero(o), strict=True):
        up, down = p.copy(), p.copy()
        up[i], down[i] = p[i] + step, p[i] - step
        found[i] = (case.expected(y, up, o) - case.expected(y, down, o)) / (2 * step)
    return found


@EACH
def test_gradient_is_that_of_what_is_observed(case: Field) -> None:
    y, p, o = case.draw()
    _, gradient = value_and_gradient(case.make(), marked(y, o), p)
    expected = numerical(case, y, p, o)
    assert np.any(expected != 0)
    np.testing.assert_allclose(gradient, expected, rtol=2e-3, atol=2e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(gradient[~o], 0)


@EACH
@pytest.mark.parametrize("garbage", GARBAGE)
def test_blindness(case: Field, garbage: float) -> None:
    y, p, o = case.draw()
    clean = value_and_gradient(case.make(missing=(-5.0, "nan")), marked(y, o), p)
    p[~o] = garbage
    value, gradient = value_and_gradient(case.make(missing=(-5.0, "nan")), marked(y, o, -5), p)
    np.testing.assert_array_equal(value, clean[0])
    np.testing.assert_array_equal(gradient, clean[1])
    np.testing.assert_array_equal(gradient[~o], 0)


@EACH
def test_gradient_where_all_is_right(case: Field) -> None:
    """Finite: the slope of a root is infinite at 0."""
    y, p, o = case.draw()
    right = 40 * y - 20 if case.data == "logits" else y
    _, gradient = value_and_gradient(case.make(), marked(y, o), right)
    assert np.all(np.isfinite(gradient))
    _, gradient = value_and_gradient(case.make(), np.zeros_like(y), np.zeros_like(y))
    assert np.all(np.isfinite(gradient))


@EACH
def test_compile(case: Field) -> None:
    y, p, o = case.draw()
    weight = tensor(np.arange(1.0, len(y) + 1, dtype="float32"))
    for w in (None, weight):
        eager = value_and_gradient(case.make(reduction="sum"), marked(y, o), p, w)
        compiled = value_and_gradient(case.make(reduction="sum"), marked(y, o), p, w, compiled=True)
        np.testing.assert_allclose(compiled[0], eager[0], rtol=1e-5)
        np.testing.assert_allclose(compiled[1], eager[1], rtol=1e-4, atol=1e-6)


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
    from keras.src.backend import get_keras_mask

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
def test_fit(case: Field) -> None:
    """In a model, on batches of which some have no label."""
    y, p, o = case.draw()
    model = keras.Sequential([keras.Input(p.shape[1:]), keras.layers.Identity()])
    model.compile(loss=case.make(reduction="sum"))
    value = model.evaluate(p, marked(y, o), batch_size=len(y), verbose=0)
    np.testing.assert_allclose(value, case.expected(y, p, o, "sum"), rtol=3e-5)


@EACH
def test_observed_rate_and_averages(case: Field) -> None:
    """`observed_rate` divides by all rows, and an average over rows is the same as without."""
    y, p, o = case.draw()
    losses, counted = case.rows(y, p, o)
    value = to_numpy(case.make(observed_rate=0.5)(marked(y, o), p))
    np.testing.assert_allclose(value, losses.sum() / counted.size / 0.5, rtol=3e-5)
    value = to_numpy(case.make(average="samples")(marked(y, o), p))
    expected = case.expected(y, p, o)
    if case.slopes:  # a row is a pixel
        rows = losses.sum(-1) / np.maximum(counted.sum(-1), 1)
        expected = rows.sum() / counted.any(-1).sum()
    np.testing.assert_allclose(value, expected, rtol=3e-5)


# Single objects


def test_focal_of_tensorflow_addons() -> None:
    """Values of its documentation: rows of one label."""
    y, p = np.array([[1.0], [1.0], [0.0]]), np.array([[0.97], [0.91], [0.03]])
    expected = [6.8532745e-06, 1.9097870e-04, 2.0559824e-05]
    value = to_numpy(L.SigmoidFocalCrossEntropy(reduction=None)(y, p))
    np.testing.assert_allclose(value, expected, rtol=1e-3)
    assert L.SigmoidFocalCrossEntropy(alpha=0)(y, p) == L.SigmoidFocalCrossEntropy(alpha=None)(y, p)


def test_focal_is_the_sum_where_keras_has_the_mean() -> None:
    y, p, _ = CASES[3].draw(missing=0)
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
    y, p, o = CASES[7].draw()
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
    y, p, o = CASES[-2].draw()
    np.testing.assert_allclose(to_numpy(L.SobelMSE()(marked(y, o), y + 3)), 0, atol=1e-9)
    ramp = np.broadcast_to(np.arange(7.0), (1, 5, 7))
    np.testing.assert_allclose(to_numpy(L.SobelMSE()(0 * ramp, ramp)), 64 / 2)


def test_garbage_beside_holes_reaches_no_other_slope() -> None:
    """A diverged prediction in stencils that do not count changes nothing."""
    y, p, o = CASES[-2].draw()
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
