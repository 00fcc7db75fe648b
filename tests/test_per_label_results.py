"""What `PerLabel` logs: means, undefined columns, support, and under which keys."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy
from tests.test_per_label import values

M = km.metrics


def test_weighted_average_and_support() -> None:
    metric = M.PerLabel(M.MeanAbsoluteError(name="mae"), ["t", "g"], "weighted", True)
    y = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, np.nan]])
    metric.update_state(y, np.array([[2.0, 0.0], [3.0, 6.0], [7.0, 0.0]]))
    expected = {"mae/t": 1.0, "mae/g": 2.0, "mae/weighted": 1.25}
    assert values(metric) == expected | {"mae/support/t": 3.0, "mae/support/g": 1.0}
    metric = M.PerLabel(M.MeanAbsoluteError(name="mae"), ["t", "g"], average=None)
    assert list(metric.result()) == ["mae/t", "mae/g"]


def test_log_macro() -> None:
    """Only the average is logged; the values are in one vector."""
    y = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, np.nan]])
    p = np.array([[2.0, 0.0], [3.0, 6.0], [7.0, 0.0]])
    for average, mean in (("macro", 1.5), ("weighted", 1.25)):
        metric = M.PerLabel(M.MeanAbsoluteError(name="mae"), ["t", "g"], average, log="macro")
        metric.update_state(y, p)
        assert values(metric) == {f"mae/{average}": mean}
        np.testing.assert_allclose(to_numpy(metric.scores()), [1.0, 2.0])
    wrapped = M.PerLabel(M.Masked(keras.metrics.MeanAbsoluteError()), ["t", "g"], name="mae")
    wrapped.update_state(y, p)
    np.testing.assert_allclose(to_numpy(wrapped.scores()), [1.0, 2.0])
    for options in ({"average": None}, {"show_support": True}):
        with pytest.raises(ValueError, match="Argument `log` must be"):
            M.PerLabel(M.AUC(), ["t", "g"], log="macro", **options)


@pytest.mark.parametrize("wrap", [M.OfMean, lambda m: m], ids=["OfMean", "itself"])
def test_undefined_columns_leave_the_mean(wrap: Any) -> None:
    """A column with a label, but of which R2 is undefined, is not one that has diverged."""
    y = np.array([[1.0, np.nan, 3.0], [2.0, 3.0, np.nan], [4.0, np.nan, 5.0]])
    p = np.array([[1.5, 0.0, 3.0], [2.0, 1.0, 0.0], [3.0, 0.0, 4.0]])
    metric = M.PerLabel(wrap(M.R2Score()), ["t", "g", "h"], name="m")
    stacked = np.stack([p, np.zeros_like(p)], axis=-1) if wrap is M.OfMean else p
    metric.update_state(y, stacked)
    found = values(metric)
    expected = {"m/t": 1 - 1.25 / (14 / 3), "m/g": np.nan, "m/h": 0.5}
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=1e-6)
    np.testing.assert_allclose(found["m/macro"], (expected["m/t"] + 0.5) / 2, rtol=1e-6)
    stacked = stacked.copy()
    stacked[0, 2] = np.nan
    metric.update_state(y, stacked)
    assert np.isnan(values(metric)["m/macro"])


def two_outputs() -> keras.Model:
    inputs = keras.Input((2,))
    outputs = {name: keras.layers.Dense(2, name=name)(inputs) for name in ("u", "v")}
    return keras.Model(inputs, outputs)


def errors(**options: Any) -> Any:
    return M.PerLabel(M.MeanAbsoluteError(name="mae"), ["t", "g"], **options)


@pytest.mark.parametrize(
    "build",
    [
        lambda: {"metrics": {"u": [errors()], "v": [errors()]}},
        lambda: {"metrics": {"u": [errors(), errors(log="macro")]}},
        lambda: {"metrics": {"u": [errors()]}, "weighted_metrics": {"v": [errors()]}},
        lambda: {"metrics": {"u": [errors()], "v": [M.OfMean(errors())]}},
    ],
    ids=["outputs", "one_output", "weighted", "within"],
)
def test_the_same_keys_twice_raise(build: Any) -> None:
    """Keras would keep one output's values and lose the others'."""
    model = two_outputs()
    model.compile("sgd", "mse", **build())
    x = np.ones((2, 2))
    labels = {"u": x, "v": x}
    with pytest.raises(ValueError, match=r"`name` must differ .* 'mae/.*name='mae_2'"):
        model.evaluate(x, labels, verbose=0)


def test_other_names_of_two_outputs() -> None:
    model = two_outputs()
    model.compile("sgd", "mse", metrics={"u": [errors()], "v": [errors(name="other")]})
    x = np.ones((2, 2))
    labels = {"u": x + np.array([1, np.nan]), "v": x + np.array([2, 4])}
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    logs = model.evaluate(x, labels, verbose=0, return_dict=True)
    expected = {"mae/t": 2, "mae/g": np.nan, "mae/macro": 2}
    expected |= {"other/t": 3, "other/g": 5, "other/macro": 4}
    for key, value in expected.items():
        np.testing.assert_allclose(logs[key], value, rtol=1e-6)
