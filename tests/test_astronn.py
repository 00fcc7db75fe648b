"""astroNN's page: its equations, row by row, and the correction term."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.astronn_data import BOTH, LABELS, MAGIC, OBSERVED, P, Y, marked, rows
from tests.backend import BACKEND, compile_, tensor, to_numpy

L, M = km.losses, km.metrics


# Rows, and the correction term


def test_magic_correction_term() -> None:
    for y in (marked(Y), tensor(marked(Y), "float32")):
        terms = to_numpy(L.magic_correction_term(y, missing=BOTH))
        counts = OBSERVED.sum(-1)
        expected = np.where(counts > 0, LABELS / np.maximum(counts, 1), 1)
        np.testing.assert_allclose(terms, expected, rtol=1e-6)
    np.testing.assert_array_equal(to_numpy(L.magic_correction_term(np.ones((2, 3)))), 1)
    ids = np.array([[1, -1, 0]])
    np.testing.assert_array_equal(to_numpy(L.magic_correction_term(ids)), 1)
    np.testing.assert_array_equal(to_numpy(L.magic_correction_term(ids, missing=-1)), 1.5)
    assert L.magic_correction_term(np.ones((2, 3, 4))).shape == (2, 3)
    half = np.array([[MAGIC, 1.0]], "float16")
    assert to_numpy(L.magic_correction_term(half, missing=MAGIC)) == 2
    traced = compile_(lambda y: L.magic_correction_term(y, missing=BOTH))
    np.testing.assert_allclose(to_numpy(traced(tensor(marked(Y)))), to_numpy(terms), rtol=1e-6)
    with pytest.raises(ValueError, match="at least one axis"):
        L.magic_correction_term(np.array(1.0))
    with pytest.raises(ValueError, match="masked array"):
        L.magic_correction_term(np.ma.masked_invalid(marked(Y)))


PAGE: list[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = [
    ("mean_squared_error", lambda y, p: (p - y) ** 2),
    ("mean_absolute_error", lambda y, p: np.abs(p - y)),
    ("mean_error", lambda y, p: p - y),
    ("mean_absolute_percentage_error", lambda y, p: 100 * np.abs((y - p) / y)),
    ("mean_percentage_error", lambda y, p: 100 * (y - p) / y),
    ("mean_squared_logarithmic_error",
     lambda y, p: (np.log1p(np.maximum(p, 0)) - np.log1p(np.maximum(y, 0))) ** 2),
    ("zeros_loss", lambda y, p: 0 * y),
]  # fmt: skip
CLASSES = {"mean_error": "MeanError", "zeros_loss": "ZerosLoss"}


@pytest.mark.parametrize(("name", "formula"), PAGE)
def test_rows_of_the_page(name: str, formula: Any) -> None:
    expected = rows(formula(Y, P))
    found = getattr(L, name)(marked(Y), P, missing=BOTH)
    np.testing.assert_allclose(to_numpy(found), expected, rtol=2e-5, atol=1e-6)
    class_name = CLASSES.get(name, "".join(part.title() for part in name.split("_")))
    loss = getattr(L, class_name)(average="samples", missing=BOTH)
    mean = expected[OBSERVED.any(-1)].mean()
    np.testing.assert_allclose(to_numpy(loss(marked(Y), P)), mean, rtol=2e-5, atol=1e-6)


def test_percentages_keep_the_sign_of_labels_near_0() -> None:
    y = np.array([[-1e-9, 1e-9, 0.0]])
    p = np.zeros_like(y)
    epsilon = keras.config.epsilon()
    loss = L.MeanPercentageError(reduction="sum")
    for label, sign in zip(y[0], (-1, 1, 1), strict=True):
        found = to_numpy(loss([[label]], [[1.0]]))
        np.testing.assert_allclose(found, 100 * (label - 1) / (sign * epsilon), rtol=1e-5)
    assert np.isfinite(to_numpy(L.mean_percentage_error(y, p))).all()


def test_accuracies_never_exceed_1() -> None:
    """Every label right, whatever is missing."""
    y, p = (Y > 0).astype(float), np.where(Y > 0, 5.0, -5.0)
    found = to_numpy(M.binary_accuracy(marked(y), p, from_logits=True, missing=BOTH))
    np.testing.assert_array_equal(found, OBSERVED)
    metric = M.BinaryAccuracy(from_logits=True, missing=BOTH)
    metric.update_state(marked(y), p)
    assert to_numpy(metric.result()) == 1


def test_lists() -> None:
    y, p = [[1.0, 0.0]], [[[1.0, 0.0], [2.0, 0.0]]]
    for obj in (L.NegativeLogLikelihood(), L.RobustBinaryCrossentropy(), L.negative_log_likelihood):
        np.testing.assert_array_equal(to_numpy(obj(y, p)), to_numpy(obj(np.array(y), np.array(p))))
    metric = M.OfMean(M.MeanAbsoluteError())
    metric.update_state(y, p)
    assert to_numpy(metric.result()) == 1


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's compiler makes symbols of what changes")
def test_one_compiled_function_for_many_losses() -> None:
    import torch

    torch._dynamo.reset()
    compiled = torch.compile(lambda loss, y, p: loss(y, p), fullgraph=True, backend="eager")
    y, p = torch.eye(3), torch.zeros(3, 3)
    for loss in (L.MeanSquaredError(), L.CategoricalCrossentropy(), L.BinaryCrossentropy()):
        np.testing.assert_allclose(to_numpy(compiled(loss, y, p)), to_numpy(loss(y, p)), rtol=1e-5)
    p = torch.zeros(3, 3, 2)
    for loss in (L.NegativeLogLikelihood(), L.RobustCategoricalCrossentropy(2)):
        np.testing.assert_allclose(to_numpy(compiled(loss, y, p)), to_numpy(loss(y, p)), rtol=1e-5)
