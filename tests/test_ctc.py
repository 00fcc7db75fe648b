"""CTC: sequences of several lengths, of ids and of steps, against a forward pass in NumPy."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import set_keras_mask
from tests.backend import tensor, to_numpy
from tests.test_loss_gradients import value_and_gradient

L = km.losses
NAN = np.nan
IDS = np.array([[1, 2, 3], [2, 4, -1], [-1, -1, -1], [1, -1, -1], [3, 3, 2], [0, 0, 0]])
OBSERVED = np.array([True, True, False, True, True, True])
STEPS = 8


def ctc(ids: Any, logits: Any) -> float:
    """-log of the sum over all paths: a forward pass through the ids, with blanks between them."""
    logits = np.asarray(logits, "float64")
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    states = [0]
    for each in ids:
        states += [int(each), 0]
    paths = np.zeros(len(states))
    paths[:2] = p[0, states[:2]]
    for step in p[1:]:
        before, paths = paths, np.zeros(len(states))
        for s, state in enumerate(states):
            paths[s] = before[max(s - 1, 0) : s + 1].sum()
            if s > 1 and state not in (0, states[s - 2]):  # a blank between others may be left out
                paths[s] += before[s - 2]
            paths[s] *= step[state]
    return float(-np.log(paths[-2:].sum()))


def logits() -> Any:
    return np.random.default_rng(0).normal(size=(len(IDS), STEPS, 5)).astype("float32")


def expected(steps: Any = None) -> Any:
    """Of each sequence, or of those of its steps that are true."""
    steps = np.ones((len(IDS), STEPS), bool) if steps is None else steps
    rows = zip(IDS, logits(), steps, OBSERVED & steps.any(-1), strict=True)
    return np.array([ctc(y[y > 0], p[s]) if o else 0 for y, p, s, o in rows])


@pytest.mark.parametrize("marker", [-1, NAN, 0, -9999])
def test_a_missing_tail_is_padding(marker: float) -> None:
    tails = np.where(IDS == -1, marker, IDS) if marker else np.maximum(IDS, 0)
    tails = tails.astype("float32" if np.isnan(marker) else "int32")
    if marker == 0:
        tails[2] = -1
    options: dict[str, Any] = {"missing": -9999} if marker == -9999 else {}
    values = L.ctc(tails, logits(), **options)
    np.testing.assert_allclose(to_numpy(values), expected(), rtol=1e-5)


def test_gradient_is_that_of_the_sequences_observed() -> None:
    value, gradient = value_and_gradient(L.CTC(), IDS, logits())
    np.testing.assert_allclose(value, expected()[OBSERVED].mean(), rtol=1e-5)
    zeros = np.maximum(IDS[OBSERVED], 0)
    _, theirs = value_and_gradient(keras.losses.CTC(), zeros, logits()[OBSERVED])
    np.testing.assert_allclose(gradient[OBSERVED], theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(gradient[~OBSERVED], 0)


def test_what_is_no_sequence() -> None:
    """A hole before an id, or an id of no class: an error in arrays, NaN in tensors."""
    y = IDS.astype("float32")
    y[:4] = [[1, -1, 2], [0, 1, 2], [1, 5, 2], [-7, 1, 2]]
    for row in range(4):
        for values in (L.CTC(), L.ctc):
            with pytest.raises(ValueError, match="hole|class ids"):
                values(y[[row, 4]], logits()[[row, 4]])
    rows = expected()
    rows[:4] = NAN
    np.testing.assert_allclose(to_numpy(L.ctc(tensor(y), logits())), rows, rtol=1e-5)
    y[:2] = [[1, NAN, 2], [1, 1.5, 2]]
    values = L.CTC(reduction=None)(tensor(y), logits())
    np.testing.assert_allclose(to_numpy(values), rows, rtol=1e-5)


def test_shapes() -> None:
    for y, p in [(IDS[..., None], logits()), (IDS, logits()[0]), (IDS[:2], logits())]:
        with pytest.raises(ValueError, match=r"\(batch, length\)"):
            L.CTC()(y, p)


@pytest.mark.parametrize("where", ["behind", "in front", "anywhere", "sequences"])
def test_masked_steps_are_no_input(where: str) -> None:
    index = np.arange(STEPS)
    lengths = np.array([8, 5, 6, 0, 7, 4])[:, None]
    steps = {
        "behind": index < lengths,
        "in front": index >= STEPS - lengths,
        "anywhere": np.random.default_rng(1).permuted(index < lengths, axis=1),
        "sequences": np.broadcast_to(lengths > 5, (6, STEPS)),
    }[where]
    p = np.where(steps[..., None], logits(), NAN)
    mask = steps[:, 0] if where == "sequences" else steps
    rows = expected(steps)

    def masked(y: Any, p: Any, weight: Any) -> Any:
        set_keras_mask(p, tensor(mask))
        return L.CTC()(y, p)

    value, gradient = value_and_gradient(masked, IDS, p)
    np.testing.assert_allclose(value, rows[OBSERVED & steps.any(-1)].mean(), rtol=1e-5)
    seen = steps & OBSERVED[:, None]
    np.testing.assert_array_equal(np.any(gradient != 0, axis=-1), seen)
    assert np.all(np.isfinite(gradient))


def test_masked_steps_of_a_model() -> None:
    x = logits()
    lengths = np.array([8, 5, 6, 4, 7, 4])[:, None]
    steps = np.arange(STEPS) < lengths
    x[~steps] = 0
    model = keras.Sequential(
        [keras.Input((STEPS, 5)), keras.layers.Masking(), keras.layers.Dense(5, use_bias=False)]
    )
    model.layers[-1].set_weights([np.eye(5)])
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=L.CTC(), jit_compile=False)
    rows = expected(steps)[OBSERVED]
    found = model.evaluate(x, IDS, batch_size=6, verbose=0)
    np.testing.assert_allclose(found, rows.mean(), rtol=1e-5)
    losses = model.fit(x, IDS, batch_size=6, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses[0], rows.mean(), rtol=1e-5)
    assert losses[1] < losses[0]


def test_divergence_and_weights() -> None:
    """One NaN among many logits is seen, unless its sequence has no weight."""
    p = logits()
    p[1, 3, 2] = NAN
    rows = expected()
    rows[1] = NAN
    np.testing.assert_allclose(to_numpy(L.CTC(reduction=None)(IDS, p)), rows, rtol=1e-5)
    weight = np.array([1, 0, 1, 2, 3, 4.0])
    value, gradient = value_and_gradient(L.CTC(), IDS, p, weight)
    rows[1] = 0
    np.testing.assert_allclose(value, (weight * rows).sum() / 5, rtol=1e-5)
    np.testing.assert_array_equal(np.any(gradient != 0, axis=(1, 2)), OBSERVED & (weight > 0))
    assert np.all(np.isfinite(gradient))


def test_observed_rate_of_sequences() -> None:
    """Tails that are missing are padding: a sequence is missing where its first id is."""
    nan = float("nan")
    for labels in ([[1, 2, nan], [nan] * 3, [2, 3, 1]], [[1, nan, nan], [3, 3, nan], [nan] * 3]):
        assert km.observed_rate(np.array(labels)[:, 0]) == pytest.approx(2 / 3)
