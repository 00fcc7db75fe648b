"""Quantiles that are found by search, where the search had gone astray."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from scipy import stats

import keras_masked as km
from tests.backend import tensor, to_numpy, value_and_grad


def test_medians_of_many_degrees_of_freedom() -> None:
    """Where rounding gives the median exactly 0, the search must stay there."""
    found_before = [5.66359615, 5.64791489, 5.84315681, 5.79566383, 5.82003450]
    log_df = np.append(found_before, np.linspace(4.5, 6.0, 20)).reshape(5, 5)
    p = np.stack([np.full((5, 5), 3.0), np.zeros((5, 5)), log_df], axis=-1)
    found = to_numpy(km.distributions.StudentT().quantile(0.5, tensor(p, "float32")))
    np.testing.assert_allclose(found, 3.0, atol=1e-5)


def test_betas_of_hardly_any_precision() -> None:
    """Most of the probability next to 0 and 1, so that bounds of the logit are in the hundreds."""
    a = np.array([6e-4, 0.085, 0.2, 0.0078, 0.27], "float32")
    b = np.array([0.15, 0.002, 5e-4, 0.0986, 0.0028], "float32")
    q = np.array([0.999, 0.01, 0.01, 0.6, 0.01], "float32")
    p = np.stack([np.log(a / b), np.log(a + b)], axis=-1)
    found = to_numpy(km.distributions.Beta().quantile(tensor(q, "float32"), tensor(p, "float32")))
    share = 1 / (1 + np.exp(-p[:, 0].astype("float64")))
    size = np.exp(p[:, 1].astype("float64"))
    expected = stats.beta(share * size, (1 - share) * size).ppf(q)
    np.testing.assert_allclose(found, expected, rtol=5e-3)


def test_slopes_of_quantiles_that_are_0_to_rounding() -> None:
    """Gamma variables of hardly any shape: no slope is NaN."""

    def total(p: Any) -> Any:
        return ops.sum(km.distributions.Gamma().quantile(0.5, p))

    found, slope = value_and_grad(total)(tensor([[0.0, -7.4], [-5.8, -11.4]], "float32"))
    np.testing.assert_array_equal(to_numpy(found), 0.0)
    np.testing.assert_array_equal(to_numpy(slope), 0.0)
