"""Rows drawn for a bootstrap: Poisson's counts, of as many rows as there may be."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy import stats

import keras_masked as km
from keras_masked.metrics.rows import drawn, drawn_array
from tests.backend import tensor, to_numpy
from tests.interval_data import drawn_rows

M = km.metrics


def test_draws_of_arrays_are_those_of_tensors() -> None:
    numbers = np.arange(-3, 40, dtype="int32")
    whole = to_numpy(drawn(tensor(numbers), 9, -5))
    np.testing.assert_array_equal(drawn_array(numbers, 9, -5), whole)
    np.testing.assert_array_equal(
        drawn_array(numbers, 9, -5, np.array([3, 4])), whole[:, [3, 4, 8]]
    )


def test_draws_are_those_of_poisson() -> None:
    """Mean, variance and shares; no correlation of rows, nor of replicates, beyond chance."""
    numbers = keras.ops.arange(10_000, dtype="int32")
    counts = to_numpy(drawn(numbers, 100, 3))
    shares = np.bincount(counts.astype(int).ravel(), minlength=9) / 1e6
    np.testing.assert_allclose(shares[:7], stats.poisson(1).pmf(range(7)), atol=2e-3)
    assert counts.var() == pytest.approx(1, abs=0.01)
    between = np.corrcoef(counts.T)[np.triu_indices(100, 1)]
    assert np.abs(between).max() < 5 / 100
    assert between.std() == pytest.approx(1 / 100, rel=0.1)
    following = np.mean((counts[1:] - 1) * (counts[:-1] - 1))
    assert abs(following) < 5 / 1000
    other = to_numpy(drawn(numbers, 100, 4))
    assert abs(np.corrcoef(counts.ravel(), other.ravel())[0, 1]) < 5 / 1000
    # The same numbers on every backend, for ever.
    assert drawn_rows(8)[:3].tolist() == DRAWN


DRAWN = [[0, 0, 1, 2, 3, 0, 1, 3], [1, 1, 2, 3, 1, 1, 2, 1], [1, 1, 2, 4, 1, 0, 0, 1]]


def test_integers_beyond_float32() -> None:
    metric = M.WithInterval(M.MeanSquaredError(), replicates=10, start=2**24 - 1)
    metric.update_state(np.zeros(3), np.ones(3))
    metric.update_state(np.zeros(3), np.ones(3))
    assert int(to_numpy(metric._counted())) == 6
    many = metric.accumulator()
    for _ in range(5):
        many.add(tensor(2.0**24 - 1))
    metric._rows = many
    assert int(keras.ops.convert_to_numpy(metric._counted())) == 5 * (2**24 - 1)
