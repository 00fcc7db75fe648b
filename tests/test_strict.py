"""Constructors take what is possible and nothing else; built only, nothing is computed."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy
from tests.options import OPTIONS, build, option, option_of_function

BASES = {"FormulaLoss", "MaskedLoss", "MaskedMetric", "MeanMetric", "ColumnMetric", "Distribution",
         "Loss", "Metric", "Moments"}  # fmt: skip
OURS = [
    cls
    for room in (km.losses, km.metrics, km.layers)
    for name, cls in sorted(vars(room).items())
    if inspect.isclass(cls) and cls.__module__.startswith("keras_masked") and name == cls.__name__
    and name in dir(room) and name not in BASES and not name.startswith("_")
    and cls.__init__ is not object.__init__ and issubclass(
        cls, keras.losses.Loss | keras.metrics.Metric | keras.layers.Layer)
]  # fmt: skip
EVERY = pytest.mark.parametrize(
    "cls", OURS, ids=lambda c: f"{c.__module__.split('.')[1]}-{c.__name__}"
)


def arguments(cls: Any) -> list[str]:
    return [n for n in inspect.signature(cls).parameters if n not in ("kwargs", "self")]


@EVERY
def test_hostile_values(cls: Any) -> None:
    """Each argument has a row, and each hostile value raises and is shown."""
    for name in arguments(cls):
        row = option(cls, name)
        assert row.hostile
        for value in row.hostile:
            with pytest.raises(ValueError) as error:
                built = build(cls, **{**dict(row.beside), name: value})
                pytest.fail(f"{built}: {name}={value!r} passed")
            if name not in OF_KERAS:
                assert name in str(error.value), (name, value)
            if name in getattr(cls, "admits", {}):
                assert cls.__name__ in str(error.value) and repr(value) in str(error.value)


OF_KERAS = {"kernel_initializer", "bias_initializer", "kernel_regularizer"}


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype float64")
@EVERY
def test_good_values(cls: Any) -> None:
    """They are kept as Python's, so that configurations can be written and read."""
    for name in arguments(cls):
        row = option(cls, name)
        for value in row.good:
            made = build(cls, **{**dict(row.beside), name: value})
            config = made.get_config()
            saved = json.loads(json.dumps(keras.saving.serialize_keras_object(made)))
            again = keras.saving.deserialize_keras_object(saved)
            assert again.get_config() == config, (name, value)


@EVERY
def test_unknown_arguments(cls: Any) -> None:
    if cls is km.metrics.MeanMetricWrapper:
        pytest.skip("takes the arguments of the wrapped function")
    for unknown in ("mising", "evaluate", "call"):
        with pytest.raises(TypeError, match=f"(?s)(?=.*{cls.__name__})(?=.*{unknown})"):
            build(cls, **{unknown: -1})


ARRAYS = {"missing", "x_log_var", "kernel", "bias"}  # no options, but tensors or checked apart
FUNCTIONS = {
    f: sorted(set(inspect.signature(f).parameters) & set(OPTIONS) - ARRAYS)
    for room in (km.losses, km.metrics)
    for f in vars(room).values()
    if inspect.isfunction(f) and f.__module__.startswith(f"{room.__name__}.")
}
LABELS = np.zeros((2, 2))


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if FUNCTIONS[f]])
def test_hostile_options_of_functions(function: Any) -> None:
    """They are checked as those of the class that goes with the function."""
    further = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    arrays = {
        p.name: OPTIONS[p.name].good[0] if p.name in OPTIONS else LABELS
        for p in further
        if p.kind is not p.VAR_KEYWORD
    }
    for name in FUNCTIONS[function]:
        row = option_of_function(function, name)
        for value in row.hostile:
            with pytest.raises(ValueError, match=name):
                function(**{**arrays, **dict(row.beside), name: value})
                pytest.fail(f"{name}={value!r} passed")


def test_options_that_are_tensors_pass():
    """They may be learned, or have no value yet."""
    labels = LABELS.astype("float32")
    of_tensor = km.losses.huber(labels, labels + 2, delta=keras.ops.convert_to_tensor(0.5))
    assert to_numpy(of_tensor).tolist() == [0.875, 0.875]  # 0.5 * 2 - 0.5 * 0.25
