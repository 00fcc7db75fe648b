"""The laws for losses in which labels depend on each other: pairs, sets, sequences, holes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests import oracles, plain
from tests.backend import BACKEND, set_mask, tensor, to_numpy
from tests.test_loss_gradients import GARBAGE, value_and_gradient

Array = np.ndarray
L, KL = km.losses, keras.losses
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "sum", None]


class Special:
    """A loss, complete data for it, and how a label is taken away and deleted."""

    def __init__(self, name: str, entries: bool = False, **options: Any) -> None:
        self.name, self.entries, self.options = name, entries, options

    def __repr__(self) -> str:
        return self.name + ("-axis" if "axis" in self.options else "")

    def ours(self, **kwargs: Any) -> Any:
        return getattr(L, self.name)(**self.options, **kwargs)

    def theirs(self, reduction: str | None = "sum_over_batch_size", **options: Any) -> Any:
        options = {**self.options, **options}
        if self.name == "Tversky":
            return plain.tversky(**options)(reduction=reduction)
        return getattr(KL, self.name)(**options, reduction=reduction)

    def data(self, seed: int = 0) -> tuple[Array, Array, Array]:
        """Labels, predictions, and which labels stay."""
        rng = np.random.default_rng(seed)
        if self.name == "Circle":
            p = rng.normal(size=(12, 3))
            y = np.arange(12) % 3
            p, observed = p / np.linalg.norm(p, axis=-1, keepdims=True), rng.random(12) > 0.3
        elif self.name == "CTC":
            y, p = rng.integers(1, 4, (5, 3)), rng.normal(size=(5, 8, 4))
            observed = np.array([True, False, True, True, False])
        else:
            y = (rng.random((4, 3, 5)) < 0.5).astype("float64")
            p, observed = rng.random((4, 3, 5)), rng.random((4, 3, 5)) > 0.3
        return y.astype("float32"), p.astype("float32"), observed

    def deleted(self, y: Array, p: Array, o: Array) -> Any:
        """The loss of the labels that stay, as a mean, by Keras: an oracle that knows no masks."""
        if not self.entries:
            return to_numpy(self.theirs()(y[o], p[o]))
        if self.options.get("axis") is None:
            return to_numpy(self.theirs()(y[o], p[o]))
        one_set = self.theirs(axis=None)
        return np.mean([to_numpy(one_set(a[b], c[b])) for a, c, b in zip(y, p, o, strict=True)])

    def without(self, y: Array, o: Array, marker: float = np.nan) -> Array:
        y = y.copy()
        y[~o] = marker
        return y


SPECIAL = [
    Special("Circle", gamma=4.0),
    Special("CTC"),
    Special("Dice", entries=True),
    Special("Dice", entries=True, axis=(1, 2)),
    Special("Tversky", entries=True, alpha=0.3, beta=0.6),
    Special("Tversky", entries=True, alpha=0.3, axis=(1, 2)),
]
specials = pytest.mark.parametrize("special", SPECIAL, ids=repr)


@specials
def test_deletion(special: Special) -> None:
    for seed in range(3):
        y, p, o = special.data(seed)
        for marker in (np.nan, -1.0) if not special.entries else (np.nan,):
            value = to_numpy(special.ours()(special.without(y, o, marker), p))
            np.testing.assert_allclose(value, special.deleted(y, p, o), rtol=2e-5)
        value = to_numpy(special.ours(missing=-9999.0)(special.without(y, o, -9999.0), p))
        np.testing.assert_allclose(value, special.deleted(y, p, o), rtol=2e-5)


@specials
def test_gradient_is_that_of_the_deleted_data(special: Special) -> None:
    y, p, o = special.data()
    _, gradient = value_and_gradient(special.ours(), special.without(y, o), p)
    np.testing.assert_array_equal(gradient[~o], 0)
    assert np.all(np.isfinite(gradient))
    if "axis" not in special.options:
        _, deleted = value_and_gradient(special.theirs(), y[o], p[o])
        np.testing.assert_allclose(gradient[o], deleted, rtol=1e-4, atol=1e-6)


@specials
@pytest.mark.parametrize("garbage", GARBAGE)
def test_blindness(special: Special, garbage: float) -> None:
    y, p, o = special.data()
    labels = special.without(y, o)
    clean = value_and_gradient(special.ours(), labels, p)
    p = p.copy()
    p[~o] = garbage
    value, gradient = value_and_gradient(special.ours(), labels, p)
    np.testing.assert_array_equal(value, clean[0])
    np.testing.assert_array_equal(gradient, clean[1])


@specials
def test_keras_mask_hides(special: Special) -> None:
    y, p, _ = special.data()
    rows = np.arange(len(y)) % 2 == 0
    labels, predictions = y.copy(), p.copy()
    labels[~rows], predictions[~rows] = 2, np.nan
    value = to_numpy(special.ours()(labels, set_mask(predictions, rows)))
    keep = np.broadcast_to(rows.reshape(-1, *[1] * (y.ndim - 1)), y.shape)
    if special.options.get("axis"):
        oracle = to_numpy(special.theirs()(y[rows], p[rows]))
    else:
        oracle = special.deleted(y, p, keep if special.entries else rows)
    np.testing.assert_allclose(value, oracle, rtol=2e-5)


@specials
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_identity(special: Special, reduction: str | None) -> None:
    y, p, _ = special.data()
    ours, theirs = special.ours(reduction=reduction), special.theirs(reduction=reduction)
    weight = np.arange(1.0, len(y) + 1)
    for arguments in [(y, p), (y, p, weight)]:
        a, b = to_numpy(ours(*arguments)), to_numpy(theirs(*arguments))
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@specials
def test_emptiness(special: Special) -> None:
    y, p, _ = special.data()
    for reduction in REDUCTIONS:
        nothing = np.full_like(y, np.nan)
        loss = special.ours(reduction=reduction)
        value = to_numpy(loss(nothing, p))
        np.testing.assert_array_equal(value, np.zeros(value.shape))
    value, gradient = value_and_gradient(special.ours(), nothing, np.full_like(p, np.nan))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@specials
def test_visibility(special: Special) -> None:
    y, p, o = special.data()
    p = p.copy()
    p[np.nonzero(o)[0][0]] = np.nan
    if special.entries:
        p[...] = np.nan
    assert np.isnan(to_numpy(special.ours()(special.without(y, o), p)))


@specials
def test_compile(special: Special) -> None:
    if special.name == "CTC" and BACKEND != "jax":
        pytest.skip("Keras's CTC compiles to one graph on JAX alone")
    y, p, o = special.data()
    labels = special.without(y, o)
    eager = value_and_gradient(special.ours(), labels, p, compiled=False)
    compiled = value_and_gradient(special.ours(), labels, p, compiled=True)
    np.testing.assert_allclose(compiled[0], eager[0], rtol=1e-5)
    np.testing.assert_allclose(compiled[1], eager[1], rtol=1e-4, atol=1e-6)


@specials
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(special: Special, dtype: str) -> None:
    y, p, o = special.data()
    p = tensor(p, dtype)
    value = special.ours(dtype=dtype)(special.without(y, o), p)
    eps = 2.0**-9 if dtype == "float16" else 2.0**-6
    oracle = special.deleted(y, to_numpy(p).astype("float32"), o)
    np.testing.assert_allclose(to_numpy(value), oracle, rtol=eps)


@specials
def test_config(special: Special) -> None:
    y, p, o = special.data()
    loss = special.ours(missing=(-9999.0, "nan"), name="a", reduction="sum")
    again = L.deserialize(L.serialize(loss))
    assert again.get_config() == loss.get_config()
    labels = special.without(y, o)
    np.testing.assert_array_equal(to_numpy(again(labels, p)), to_numpy(loss(labels, p)))
    function = {"Circle": L.circle, "CTC": L.ctc, "Dice": L.dice, "Tversky": L.tversky}
    rows = function[special.name](labels, p, **special.options)
    oracle = special.ours(reduction=None)(labels, p)
    np.testing.assert_allclose(to_numpy(rows), to_numpy(oracle), rtol=1e-6)


def test_tversky_is_its_equation() -> None:
    """With alpha for false positives and beta for false negatives; Keras 3.15 has them swapped."""
    loss = L.Tversky(alpha=0.9, beta=0.1)
    y, p = np.array([[1.0, 1.0, 0.0, 0.0]]), np.ones((1, 4))
    np.testing.assert_allclose(float(loss(y, p)), 1 - 2 / (2 + 0.9 * 2), rtol=1e-6)
    y, p, o = SPECIAL[-1].data()
    labels = SPECIAL[-1].without(y, o)
    expected = []
    for a, b in ((a[c].astype("float64"), b[c]) for a, b, c in zip(y, p, o, strict=True)):
        right, alarms, misses = np.sum(a * b), np.sum((1 - a) * b), np.sum(a * (1 - b))
        expected.append(1 - right / (right + 0.9 * alarms + 0.1 * misses))
    sets = L.tversky(labels, p, alpha=0.9, beta=0.1, axis=(1, 2))
    np.testing.assert_allclose(to_numpy(sets), expected, rtol=1e-5)


def test_cosine_similarity_uses_the_entries_observed() -> None:
    """Pairwise deletion: holes leave the product and both norms."""
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(6, 5)).astype("float32")
    o = rng.random((6, 5)) > 0.4
    o[0] = False
    rows = np.zeros(6)
    for i in range(1, 6):
        rows[i] = oracles.cosine_similarity(y[i : i + 1, o[i]], p[i : i + 1, o[i]])[0]
    y[~o], p[~o] = np.nan, np.inf
    value = to_numpy(L.CosineSimilarity(reduction=None)(y, p))
    np.testing.assert_allclose(value, rows, rtol=1e-5)
    value, gradient = value_and_gradient(L.CosineSimilarity(), y, p)
    np.testing.assert_allclose(value, rows[1:].mean(), rtol=1e-5)
    np.testing.assert_array_equal(gradient[~o], 0)
    assert np.all(np.isfinite(gradient))


def test_circle_compares_with_references() -> None:
    y, p, o = SPECIAL[0].data()
    ref_y, ref_p, ref_o = SPECIAL[0].data(1)
    kwargs = {"gamma": 4.0, "remove_diagonal": False}
    rows = L.circle(
        np.where(o, y, -1), p, ref_labels=np.where(ref_o, ref_y, -1), ref_embeddings=ref_p, **kwargs
    )
    oracle = KL.circle(y[o], p[o], ref_labels=ref_y[ref_o], ref_embeddings=ref_p[ref_o], **kwargs)
    np.testing.assert_allclose(to_numpy(rows)[o], to_numpy(oracle), rtol=1e-4)
    np.testing.assert_array_equal(to_numpy(rows)[~o], 0)


def test_circle_slope_is_finite_without_pairs() -> None:
    """A single row of its class has no positive pair: its sum is over nothing."""
    y, p = np.array([0, 0, 1]), np.eye(3, dtype="float32")
    value, gradient = value_and_gradient(L.Circle(), y, p)
    assert np.isfinite(value) and np.all(np.isfinite(gradient))


def test_circle_takes_any_ids() -> None:
    """The last axis is of embeddings: there may be more classes than it has entries."""
    y, p = np.array([7, 7, 12, 12, -1]), np.random.default_rng(0).normal(size=(5, 3))
    p = p.astype("float32")
    target = float(keras.losses.Circle()(y[:4], p[:4]))
    np.testing.assert_allclose(float(km.losses.Circle()(y, p)), target, rtol=1e-5)
    rows = km.losses.circle(y[:4], p[:4])
    np.testing.assert_allclose(float(keras.ops.mean(rows)), target, rtol=1e-5)
