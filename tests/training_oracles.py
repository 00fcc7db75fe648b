"""A linear model, and its training in float64 on labels from which the missing are deleted."""

import numpy as np

from tests.interchange_models import network


def close(actual, expected, rtol=1e-5, name=""):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=1e-6, err_msg=name)


def assert_same(actual, expected, rtol=1e-5):
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert np.isfinite(value).all(), name
        close(actual[name], value, rtol, name)


def linear(*names):
    """A linear model, with one output for each name."""
    return network(**dict.fromkeys(names or ["values"]))


def forward(x, weights):
    kernel, bias = (np.asarray(w, "float64") for w in weights)
    return x @ kernel + bias


def crossentropies(ids, logits):
    """One value per class id."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(logits, ids[..., None], axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - picked


def sgd_on_deleted(weights, x, y, gone, batch_size, rate):
    """Gradient descent on the mean squared error over a list of the labels that are there."""
    kernel, bias = (np.asarray(w, "float64") for w in weights)
    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)
        there = [(r, c) for r, c in np.argwhere(~gone[batch])]
        slopes, offsets = np.zeros_like(kernel), np.zeros_like(bias)
        for r, c in there:
            error = x[batch][r] @ kernel[:, c] + bias[c] - y[batch][r, c]
            slopes[:, c] += 2 * error * x[batch][r] / len(there)
            offsets[c] += 2 * error / len(there)
        kernel, bias = kernel - rate * slopes, bias - rate * offsets
    return kernel, bias
