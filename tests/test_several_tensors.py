"""astroNN's functions of several tensors: means, variances and errors of their own."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests import likelihood_oracles as oracles
from tests.astronn_data import (
    BOTH,
    LABELS,
    MAGIC,
    NAN,
    OBSERVED,
    ROWS,
    E,
    P,
    S,
    Y,
    classification,
    marked,
    rows,
)
from tests.backend import set_mask, tensor, to_numpy, value_and_grad

L = km.losses


# Functions of several tensors


def gaussian_rows(errors: np.ndarray) -> np.ndarray:
    variance = np.exp(S) + errors**2
    return rows((Y - P) ** 2 / (2 * variance) + np.log(variance) / 2)


@pytest.mark.parametrize("known", ["all", "some", "none"])
def test_robust_mse(known: str) -> None:
    some = np.random.default_rng(4).random(E.shape) > 0.5
    errors, expected = {
        "all": (E, E),
        "some": (np.where(some, E, MAGIC), np.where(some, E, 0)),
        "none": (0.0, 0 * E),
    }[known]
    labels = marked(Y)
    found = L.robust_mse(labels, P, S, errors, missing=BOTH)
    np.testing.assert_allclose(to_numpy(found), gaussian_rows(expected), rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(to_numpy(get_keras_mask(found)) > 0, OBSERVED.any(-1))
    of_lin = L.mse_lin_wrapper(S, errors, missing=BOTH)(labels, P)
    of_var = L.mse_var_wrapper(P, errors, missing=BOTH)(labels, S)
    for each in (of_lin, of_var):
        np.testing.assert_array_equal(to_numpy(each), to_numpy(found))
    weight = np.arange(1.0, ROWS + 1)
    weighted = L.robust_mse(labels, P, S, errors, weight, missing=BOTH)
    np.testing.assert_allclose(to_numpy(weighted), to_numpy(found) * weight, rtol=1e-5)
    weighted = L.mse_lin_wrapper(S, errors, missing=BOTH)(labels, P, weight)
    np.testing.assert_allclose(to_numpy(weighted), to_numpy(found) * weight, rtol=1e-5)


def test_blindness_of_robust_mse() -> None:
    """In values and in the gradients of predictions and of variances."""
    labels = tensor(marked(Y), "float32")

    def of_p(p: Any, s: Any, e: Any) -> Any:
        return keras.ops.sum(L.robust_mse(labels, p, s, e, missing=BOTH))

    by_p, by_s = (value_and_grad(f, True) for f in (of_p, lambda s, p, e: of_p(p, s, e)))

    def found(*arrays: np.ndarray) -> list[np.ndarray]:
        p, s, e = (tensor(x, "float32") for x in arrays)
        return [to_numpy(x) for x in (*by_p(p, s, e), by_s(s, p, e)[1])]

    clean = found(P, S, E)
    for garbage in (NAN, np.inf, 1e30):
        blind = found(*(np.where(OBSERVED, x, garbage) for x in (P, S, E)))
        for one, other in zip(clean, blind, strict=True):
            np.testing.assert_array_equal(other, one)
        for gradient in blind[1:]:
            np.testing.assert_array_equal(gradient[~OBSERVED], 0)
            assert np.all(gradient[OBSERVED] != 0)


def test_mask_of_the_predictions() -> None:
    mask = np.arange(ROWS) < 3
    found = to_numpy(L.robust_mse(marked(Y), set_mask(P, mask), S, E, missing=BOTH))
    np.testing.assert_allclose(found, np.where(mask, gaussian_rows(E), 0), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["categorical", "binary"])
@pytest.mark.parametrize("loop", [False, True])
def test_robust_crossentropies(kind: str, loop: bool) -> None:
    y, logits, log_var, expected = classification(kind == "categorical")
    options: dict[str, Any] = {"missing": BOTH, "loop_over_draws": loop}
    function = getattr(L, f"robust_{kind}_crossentropy")
    found = function(y, logits, log_var, **options)
    np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-4, atol=1e-5)
    of_logits = getattr(L, f"bayesian_{kind}_crossentropy_wrapper")(log_var, **options)
    of_variances = getattr(L, f"bayesian_{kind}_crossentropy_var_wrapper")(logits, **options)
    weight = np.arange(1.0, ROWS + 1)
    for args, scale in (((), 1), ((weight,), weight)):
        for each in (
            function(y, logits, log_var, *args, **options),
            of_logits(y, logits, *args),
            of_variances(y, log_var, *args),
        ):
            np.testing.assert_allclose(to_numpy(each), to_numpy(found) * scale, rtol=1e-5)
    p = np.stack([logits, log_var], -1)
    loss = getattr(L, f"Robust{kind.title()}Crossentropy")(
        loop_over_draws=loop, reduction=None, missing=BOTH
    )
    np.testing.assert_allclose(to_numpy(loss(y, p)), to_numpy(found), rtol=1e-5)


def test_number_of_draws() -> None:
    y, logits, log_var, _ = classification(True)
    whole = OBSERVED.all(-1)
    for draws in (3, 40):
        found = L.robust_categorical_crossentropy(y, logits, log_var, draws=draws, missing=BOTH)
        p = np.stack([logits, log_var], -1)[whole]
        expected = oracles.robust(draws, True)(y[whole], p)
        np.testing.assert_allclose(to_numpy(found)[whole], expected, rtol=1e-4, atol=1e-5)


def test_outputs_that_stand_for_no_numbers() -> None:
    """Closures over outputs of layers, as in Keras 2: an error that says what to do."""
    output = keras.Input((LABELS,))
    for name in (
        "mse_lin_wrapper",
        "mse_var_wrapper",
        "bayesian_categorical_crossentropy_wrapper",
        "bayesian_categorical_crossentropy_var_wrapper",
        "bayesian_binary_crossentropy_wrapper",
        "bayesian_binary_crossentropy_var_wrapper",
    ):
        [argument, *_] = inspect.signature(getattr(L, name)).parameters
        with pytest.raises(ValueError, match=f"`{argument}`.*LossEndpoint"):
            getattr(L, name)(output)
    with pytest.raises(ValueError, match="`variance`.*LossEndpoint"):
        L.robust_mse(marked(Y), P, output)


# Bad input


def test_variances_of_integer_predictions_are_no_integers() -> None:
    y, p, s = np.array([[1.0, 2.0]]), np.array([[6, 7]]), np.array([[1.6, 1.6]])
    found = L.robust_mse(y, p, s)
    np.testing.assert_allclose(to_numpy(found), to_numpy(L.robust_mse(y, p * 1.0, s)), rtol=1e-6)
    number = L.robust_mse(y, p * 1.0, 1.6)  # for all
    np.testing.assert_allclose(to_numpy(number), to_numpy(found), rtol=1e-6)


def test_shapes_of_several_tensors() -> None:
    y, p = np.ones((2, 3)), np.ones((2, 3))
    for shape in ((2, 1), (2,), (3,), (2, 3, 1)):
        with pytest.raises(ValueError, match=r"`variance`.*\(2, 3\)"):
            L.robust_mse(y, p, np.ones(shape))
        with pytest.raises(ValueError, match=r"`logit_var`.*\(2, 3\)"):
            L.robust_binary_crossentropy(y, p, np.ones(shape))
    for shape in ((2,), (3,), (6,), (3, 2)):
        with pytest.raises(ValueError, match=r"errors of labels.*\(2, 3\)"):
            L.robust_mse(y, p, p, np.ones(shape))
    for kind in ("categorical", "binary"):
        with pytest.raises(ValueError, match="log-variances of the logits"):
            getattr(L, f"bayesian_{kind}_crossentropy")(y, np.ones((2, 3, 3)))


def test_numpy_masked_arrays() -> None:
    y, p = np.ones((2, 3)), np.ones((2, 3))
    masked = np.ma.masked_array(p, p > 0)
    for args in ((masked, p, p, p), (y, masked, p, p), (y, p, masked, p), (y, p, p, masked)):
        with pytest.raises(ValueError, match="masked array"):
            L.robust_mse(*args)
