"""Cox's partial likelihood: the papers' in float64, other packages', holes, ties, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, set_mask, tensor, to_numpy, value_and_grad
from tests.survival_oracles import as_labels, cox, draw
from tests.test_loss_gradients import GARBAGE, value_and_gradient

Array = np.ndarray
Loss = km.losses.CoxPartialLikelihood
TIES = ("efron", "breslow")
INF = np.float32(np.inf)
JAX = BACKEND == "jax"
"""There gradients are taken in graphs: operations compiled one by one take longer."""


def columns(t: Array, e: Array, p: Array, o: Array, ties: str, w: Array | None = None) -> Array:
    """The oracle of each column, what is missing deleted."""
    w = np.ones(t.shape) if w is None else np.broadcast_to(w, t.shape)
    kept = [o[:, c] & (w[:, c] != 0) for c in range(t.shape[1])]
    return np.array([cox(t[k, c], e[k, c], p[k, c], w[k, c], ties) for c, k in enumerate(kept)])


@pytest.mark.parametrize("ties", TIES)
def test_deletion(ties: str) -> None:
    for seed in range(3):
        t, e, p, o = draw(seed)
        oracle, deaths = columns(t, e, p, o, ties), (e & o).sum(axis=0)
        y = as_labels(t, e, o)
        for reduction, expected in (("sum_over_batch_size", oracle.sum() / deaths.sum()),
                                    ("sum", oracle.sum())):  # fmt: skip
            np.testing.assert_allclose(to_numpy(Loss(ties, reduction)(y, p)), expected, rtol=1e-6)
        each = to_numpy(Loss(ties, None)(y, p))
        np.testing.assert_allclose(each.sum(axis=0), oracle, rtol=1e-6)
        assert not each[~(e & o)].any() and (each[e & o] > 0).any()
        macro = to_numpy(Loss(ties, average="macro")(y, p))
        np.testing.assert_allclose(macro, np.mean(oracle / deaths), rtol=1e-6)
        weighed = to_numpy(Loss(ties, "sum", label_weights=[1, 2, 0])(y, p))
        np.testing.assert_allclose(weighed, oracle @ [1, 2, 0], rtol=1e-6)
        marked = np.where(o[..., None], y, np.float32(-9999))
        same = to_numpy(Loss(ties, None, missing=-9999.0)(marked, p))
        np.testing.assert_array_equal(same, each)
        rows = np.arange(len(t)) % 3 > 0
        masked = to_numpy(Loss(ties, "sum")(y, set_mask(p, rows)))
        expected = columns(t, e, p, o & rows[:, None], ties).sum()
        np.testing.assert_allclose(masked, expected, rtol=1e-6)
        alone = to_numpy(Loss(ties, "sum")(y[:, 0], p[:, 0]))
        np.testing.assert_allclose(alone, oracle[0], rtol=1e-6)
    function: Any = km.losses.cox_partial_likelihood
    np.testing.assert_array_equal(to_numpy(function(y, p, ties=ties)), each)


@pytest.mark.parametrize("ties", TIES)
def test_weights(ties: str) -> None:
    t, e, p, o = draw(3)
    y, w = as_labels(t, e, o), np.random.default_rng(0).integers(0, 4, t.shape).astype("float32")
    for weight, full in ((w, w), (w[:, :1], w[:, :1]), (w[:, 0], w[:, :1]), (2.5, np.array([2.5]))):
        full = np.broadcast_to(full, t.shape)
        expected = columns(t, e, p, o, ties, full)
        value = to_numpy(Loss(ties, "sum")(y, p, weight))
        np.testing.assert_allclose(value, expected.sum(), rtol=1e-6)
        counted = to_numpy(Loss(ties)(y, p, weight))
        np.testing.assert_allclose(counted, expected.sum() / (e & o).sum(), rtol=1e-6)
        weighted = to_numpy(Loss(ties, "mean_with_sample_weight")(y, p, weight))
        np.testing.assert_allclose(weighted, expected.sum() / full[e & o].sum(), rtol=1e-6)
    if ties == "breslow":
        repeats = np.tile([2, 0, 1, 1, 2, 0], 4)  # as many as before: JAX compiles once
        again = (np.repeat(x, repeats, axis=0) for x in (y, p))
        weighted = to_numpy(Loss(ties, "mean_with_sample_weight")(y, p, repeats))
        np.testing.assert_allclose(weighted, to_numpy(Loss(ties)(*again)), rtol=1e-6)


def test_other_packages() -> None:
    """Events with ties: partial likelihoods at given coefficients, and coefficients fitted."""
    torchsurv = pytest.importorskip("torchsurv.loss.cox")
    import torch

    t, e, p, o = draw(5, rows=60)
    for ties in TIES:
        with pytest.warns(UserWarning, match="Ties"):
            theirs = sum(
                torchsurv.neg_partial_log_likelihood(
                    *(torch.tensor(x[o[:, c], c]) for x in (p, e, t)), ties, reduction="sum"
                ).item()
                for c in range(3)
            )
        ours = to_numpy(Loss(ties, "sum")(as_labels(t, e, o), p))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_lifelines() -> None:
    """The partial likelihood of its fit, at its coefficients, and weighted; Efron's ties."""
    lifelines = pytest.importorskip("lifelines")
    from lifelines.datasets import load_rossi

    rossi = load_rossi()
    x = rossi.drop(columns=["week", "arrest"])
    t, e = rossi["week"].to_numpy("float32"), rossi["arrest"].to_numpy() == 1
    for w in (np.ones(len(x)), np.random.default_rng(0).integers(1, 4, len(x)).astype("float64")):
        data = rossi.assign(weight=w)
        fit = lifelines.CoxPHFitter().fit(data, "week", "arrest", weights_col="weight")
        p = (x.to_numpy("float64") - x.mean().to_numpy()) @ fit.params_.to_numpy()
        p = p.astype("float32")[:, None]
        value = to_numpy(Loss(reduction="sum")(as_labels(t, e)[:, None], p, w))
        np.testing.assert_allclose(value, -fit.log_likelihood_, rtol=1e-6)


def test_scores_far_apart() -> None:
    """Risk sets of which the score is 100 less than another in the batch; slopes by differences."""
    t, e, _, o = draw(1)
    rng = np.random.default_rng(0)
    p = rng.choice(np.float32([-50, -49, 50, 49.5, 0]), size=t.shape)
    y = as_labels(t, e, o)
    for ties in TIES:
        loss = Loss(ties)
        value, gradient = value_and_gradient(loss, y, p, compiled=JAX)
        scale = (e & o).sum()
        np.testing.assert_allclose(value, columns(t, e, p, o, ties).sum() / scale, rtol=1e-6)
        differences, step = np.zeros(p.shape), 1e-5
        for at in np.ndindex(p.shape):
            up, down = p.astype("float64"), p.astype("float64")
            up[at], down[at] = up[at] + step, down[at] - step
            both = (columns(t, e, each, o, ties).sum() for each in (up, down))
            differences[at] = (next(both) - next(both)) / (2 * step) / scale
        np.testing.assert_allclose(gradient, differences, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(gradient[~o], 0)
        assert np.abs(gradient).max() > 0.01


@pytest.mark.parametrize("ties", TIES)
def test_blindness_and_visibility(ties: str) -> None:
    """In one graph, where there is no check of values, and in another outside of any."""
    t, e, p, o = draw(2)
    y, w = as_labels(t, e, o), np.where(np.arange(24) % 4 == 1, 0, 1.5).astype("float32")
    for compiled in (False, True) if BACKEND == "tensorflow" else (BACKEND == "jax",):
        both = value_and_grad(lambda p, y: Loss(ties)(y, p, w), compiled)

        def run(p: Array, y: Array = y, both: Any = both) -> tuple[Array, Array]:
            value, gradient = both(tensor(p), tensor(y))
            return to_numpy(value), to_numpy(gradient)

        clean = run(p)
        hidden = ~o | (w == 0)[:, None]
        assert np.isfinite(clean[1]).all() and clean[1].any()
        for garbage in GARBAGE:
            labels = y.copy()
            labels[hidden & (np.arange(24) % 2 == 0)[:, None], 0] = np.nan
            value, gradient = run(np.where(hidden, np.float32(garbage), p), labels)
            np.testing.assert_array_equal(value, clean[0])
            np.testing.assert_array_equal(gradient, clean[1])
            np.testing.assert_array_equal(gradient[hidden], 0)
        for row, column in np.argwhere(~hidden)[::5]:
            diverged = p.copy()
            diverged[row, column] = np.nan
            assert np.isnan(run(diverged)[0])


def test_nothing_happened() -> None:
    """No label, no row, no event, one alone, all at one time."""
    t, e, p, o = draw()
    for reduction in ("sum_over_batch_size", "sum"):
        for labels in (np.full((24, 3, 2), np.nan, "float32"), as_labels(t, e & False, o)):
            loss = Loss(reduction=reduction)
            value, gradient = value_and_gradient(loss, labels, p, compiled=JAX)
            assert value == 0 and not gradient.any()
        empty = Loss(reduction=reduction)(np.zeros((0, 3, 2), "float32"), p[:0])
        assert to_numpy(empty) == 0
    one = np.zeros_like(e)
    one[5, 1] = True
    for ties in TIES:
        for events, times in ((one, t), (e, np.full_like(t, 3))):
            expected = columns(times, events, p, o | one, ties).sum() / (events & (o | one)).sum()
            value = to_numpy(Loss(ties)(as_labels(times, events, o | one), p))
            np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_other_kinds_of_censoring_and_bad_shapes() -> None:
    y = as_labels(*draw()[:2])[:, :1]
    p = draw()[2][:, :1]
    for ends in ([-INF, 3], [1, 2], [INF, INF], [4, 3]):
        labels = y.copy()
        labels[4, 0] = ends
        with pytest.raises(ValueError, match=r"above the upper|right-censored"):
            Loss()(labels, p)
        assert np.isnan(to_numpy(Loss()(tensor(labels), p)))
        labels[5:] = np.nan  # no event is left but what is none
        assert np.isnan(to_numpy(Loss()(tensor(labels), p)))
    for labels, predictions in ((y[..., 0], p), (y, p[:3]), (y[:, 0], p[:, :0])):
        with pytest.raises(ValueError, match="shape"):
            Loss()(labels, predictions)
    for hostile in ({"average": "samples"}, {"observed_rate": 0.5}):
        with pytest.raises(ValueError, match="mean over events"):
            Loss(**hostile)


def test_half_precision_and_ranks() -> None:
    t, e, p, o = draw(4)
    y = as_labels(t, e, o)
    for dtype in ("float16", "bfloat16"):
        value = to_numpy(Loss(dtype=dtype)(tensor(y, dtype), tensor(p, dtype)))
        np.testing.assert_allclose(value, to_numpy(Loss()(y, p)), rtol=1e-2)
    steps = to_numpy(Loss()(y.reshape(6, 4, 3, 2), p.reshape(6, 4, 3)))
    np.testing.assert_allclose(steps, to_numpy(Loss()(y, p)), rtol=1e-6)
    one = to_numpy(Loss()(y, p[..., None]))  # as recurrent layers put it out: one column of all
    flat = (x.reshape(-1)[o.reshape(-1)] for x in (t, e, p))
    np.testing.assert_allclose(one, cox(*flat) / (e & o).sum(), rtol=1e-6)


def test_graphs() -> None:
    """One graph, on all backends; the gradient is that outside of it."""
    t, e, p, o = draw(6)
    y = as_labels(t, e, o)
    eager, graph = (value_and_gradient(Loss(), y, p, compiled=c) for c in (False, True))
    np.testing.assert_allclose(graph[0], eager[0], rtol=1e-6)
    np.testing.assert_allclose(graph[1], eager[1], rtol=1e-5, atol=1e-7)
