"""The promise of `residual=True`: of y - p alone, value and slope exactly 0 where that is 0.

A hidden label needs nothing but its residual set to 0 then. All formulas that promise it are found
in the package and tried at several options, so that none can be forgotten here.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from typing import Any

import numpy as np
import pytest
from keras import ops

import keras_masked as km
from keras_masked.formulas.labels import Formula
from tests.backend import tensor, to_numpy, value_and_grad

NUMBERS = [0.1, 0.5, 0.9, 1.0, 3.0]


def residual_formulas() -> dict[str, Formula]:
    """All that the package holds, wherever they stand."""
    found = {}
    for info in pkgutil.walk_packages(km.__path__, "keras_masked."):
        if "._backend" in info.name:  # some of it is of one backend alone
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, Formula) and value.residual:
                found[name] = value
    return found


def settings(formula: Formula) -> list[dict[str, Any]]:
    """Options of a formula: numbers of several sizes, both truths, all else as it is by default."""
    values: dict[str, list[Any]] = {}
    for name, parameter in list(inspect.signature(formula.call).parameters.items())[1:]:
        default = parameter.default
        if isinstance(default, bool):
            values[name] = [False, True]
        elif default is inspect.Parameter.empty or isinstance(default, (int, float)):
            values[name] = NUMBERS
        else:
            values[name] = [default]
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


def broken(formula: Formula) -> list[dict[str, Any]]:
    """Options at which the formula does not keep the promise."""
    zeros, found = tensor(np.zeros(3, "float32")), []
    for options in settings(formula):

        def function(error: Any, options: dict[str, Any] = options) -> Any:
            return ops.sum(formula.call(error, **options))

        value, slope = value_and_grad(function)(zeros)
        if to_numpy(value) != 0 or np.any(to_numpy(slope) != 0):  # NaN is not 0 either
            found.append(options)
    return found


@pytest.mark.parametrize("name", residual_formulas())
def test_value_and_slope_are_zero_at_zero(name: str) -> None:
    assert broken(residual_formulas()[name]) == []


def test_that_some_promise_it() -> None:
    assert {"squared_error", "absolute_error", "huber"} <= set(residual_formulas())
    assert len(settings(residual_formulas()["huber"])) == len(NUMBERS)


@pytest.mark.parametrize("tau", [0.5, 0.9])
def test_a_pinball_loss_that_promises_it_is_caught(tau: float) -> None:
    """Its slope at the tie is that of neither side, and 0 at the median alone."""

    def pinball(error: Any, tau: float = tau) -> Any:
        return ops.maximum(tau * error, (tau - 1) * error)

    assert {"tau": 0.9} in broken(Formula(pinball, residual=True))


def test_a_value_or_a_nan_is_caught() -> None:
    assert broken(Formula(lambda error: error**2 + 1.0, residual=True)) == [{}]
    assert broken(Formula(lambda error: ops.sqrt(ops.abs(error)), residual=True)) == [{}]
