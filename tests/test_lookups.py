"""Look-ups by name, class and config, and the registry behind them."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.utils.naming import to_snake_case

import keras_masked as km
from tests.cases import OTHER_TESTS
from tests.test_configs import MODULES, json_copy

KINDS = pytest.mark.parametrize("kind", MODULES)


def names(kind: str, classes: bool) -> list[str]:
    """Public names of classes that `get` can build, or of functions."""
    module = MODULES[kind]
    public = set(module.__all__) - OTHER_TESTS[kind] - {"Masked"}
    found = sorted(n for n in public if inspect.isclass(getattr(module, n)) == classes)
    return [n for n in found if not classes or not needs_arguments(getattr(module, n))]


def needs_arguments(cls: type) -> bool:
    """Whether there is no such object by name alone, in Keras neither."""
    parameters = inspect.signature(cls).parameters.values()
    return any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)


CLASSES = [(kind, name) for kind in MODULES for name in names(kind, classes=True)]
FUNCTIONS = [(kind, name) for kind in MODULES for name in names(kind, classes=False)]
SHORT = {each for name in ("mse", "mae", "mape", "msle", "bce") for each in (name, name.upper())}
OBJECTS = {
    "losses": set(),
    "metrics": {to_snake_case(name) for kind, name in CLASSES if kind == "metrics"},
}
"""Names of functions under which `get` finds the object, as Keras's does."""


# Look-ups


@pytest.mark.parametrize(("kind", "name"), CLASSES)
def test_get_class(kind: str, name: str) -> None:
    module = MODULES[kind]
    cls = getattr(module, name)
    found = module.get(name)
    assert type(found) is cls
    config = found.get_config()
    assert type(module.get(cls)) is cls
    assert module.get(found) is found
    assert type(module.get({"class_name": name, "config": config})) is cls
    assert module.get(module.serialize(found)).get_config() == config


@pytest.mark.parametrize(("kind", "name"), FUNCTIONS)
def test_get_function(kind: str, name: str) -> None:
    module = MODULES[kind]
    function = getattr(module, name)
    if name not in OBJECTS[kind]:
        assert module.get(name) is function
        assert module.deserialize(name) is function
    assert module.get(function) is function
    config = json_copy(module.serialize(function))
    assert module.get(config) is function
    assert module.deserialize(config) is function
    assert keras.saving.deserialize_keras_object(config) is function
    package, registered = keras.saving.get_registered_name(function).split(">")
    assert package == "keras_masked." + ("losses" if hasattr(km.losses, name) else "metrics")
    assert registered == name


@pytest.mark.parametrize(("kind", "name"), CLASSES)
def test_deserialize_name(kind: str, name: str) -> None:
    """A name alone is a configuration, too, as it is in Keras."""
    assert type(MODULES[kind].deserialize(name)) is getattr(MODULES[kind], name)


@KINDS
def test_short_names_as_in_keras(kind: str) -> None:
    """A function where Keras has one, an object where Keras has one: of ours, of that name."""
    theirs, tried = getattr(keras, kind), 0
    module = MODULES[kind]
    for name in OBJECTS[kind] | SHORT:
        try:
            expected = theirs.get(name)
        except (TypeError, ValueError):  # needs options, or is none of Keras's
            continue
        found = module.get(name)
        tried += 1
        assert inspect.isfunction(found) == inspect.isfunction(expected), name
        named = found if inspect.isfunction(found) else type(found)
        of_keras = expected if inspect.isfunction(expected) else type(expected)
        assert named is getattr(module, of_keras.__name__), name
        if not inspect.isfunction(found):
            assert type(module.deserialize(name)) is type(found)
    assert tried >= 10


def test_short_names_of_metrics() -> None:
    for name, cls in [("mse", km.metrics.MeanSquaredError), ("MAE", km.metrics.MeanAbsoluteError),
                      ("r2_score", km.metrics.R2Score), ("auc", km.metrics.AUC),
                      ("kld", km.metrics.KLDivergence), ("mean_error", km.metrics.MeanError),
                      ("binary_io_u", km.metrics.BinaryIoU)]:  # fmt: skip
        assert type(km.metrics.get(name)) is cls
    # An object needs options here; the function does not.
    assert km.metrics.get("clustering_accuracy") is km.metrics.clustering_accuracy


def test_short_names_in_compile() -> None:
    """A function would count the row without labels as one of error 0."""
    model = keras.Sequential([keras.layers.Dense(2, kernel_initializer="zeros")])
    model.compile(loss=km.losses.get("mse"), metrics=[km.metrics.get("mse")])
    y = np.array([[3.0, np.nan], [np.nan, np.nan], [1.0, 2.0]], "float32")
    logs = model.evaluate(np.ones((3, 1)), y, verbose=0, return_dict=True)
    assert logs["mean_squared_error"] == pytest.approx(14 / 3)


@KINDS
def test_get_none(kind: str) -> None:
    assert MODULES[kind].get(None) is None


@KINDS
@pytest.mark.parametrize("unknown", ["no such thing", "", 5, ["mse"]], ids=str)
def test_get_unknown(kind: str, unknown: Any) -> None:
    module = MODULES[kind]
    with pytest.raises(ValueError, match="Could not interpret") as error:
        module.get(unknown)
    known = [*names(kind, classes=True), *names(kind, classes=False), "mse", "MSE"]
    assert [name for name in known if name not in str(error.value)] == []
    assert repr(unknown) in str(error.value)


@KINDS
def test_deserialize_unknown(kind: str) -> None:
    """Never the name itself, as if it were what was asked for."""
    for unknown in ("NoSuchThing", {"class_name": "NoSuchThing", "config": {}}):
        with pytest.raises((ValueError, TypeError), match="NoSuchThing"):
            MODULES[kind].deserialize(unknown)


@pytest.mark.parametrize("name", ["MeanSquaredError", "Poisson"])
@KINDS
def test_config_of_keras_stays_keras(kind: str, name: str) -> None:
    """A whole config says whose class it means, also where we have one of that name."""
    theirs = getattr(getattr(keras, kind), name)
    config = keras.saving.serialize_keras_object(theirs())
    assert type(MODULES[kind].deserialize(config)) is theirs
    assert type(MODULES[kind].get(config)) is theirs


# The registry


@pytest.mark.parametrize(("kind", "name"), [*CLASSES, ("losses", "Masked"), ("metrics", "Masked")])
def test_registered_name(kind: str, name: str) -> None:
    """Losses and metrics of one name do not replace each other, nor Keras's."""
    cls = getattr(MODULES[kind], name)
    registered = f"keras_masked.{kind}>{name}"
    assert keras.saving.get_registered_name(cls) == registered
    assert keras.saving.get_registered_object(registered) is cls
    theirs = getattr(getattr(keras, kind), name, None)
    if theirs is not None and name != "Masked":
        config = keras.saving.serialize_keras_object(theirs())
        assert type(keras.saving.deserialize_keras_object(json_copy(config))) is theirs


def test_strings_mean_what_keras_says() -> None:
    assert keras.losses.get("mse") is keras.losses.mean_squared_error
    assert keras.losses.get("mean_squared_error") is keras.losses.mean_squared_error
    assert type(keras.losses.get("MeanSquaredError")) is keras.losses.MeanSquaredError
    assert type(keras.metrics.get("AUC")) is keras.metrics.AUC
