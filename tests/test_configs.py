"""Configs: complete, equal after a round trip, JSON; and look-ups by name, class and config."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.utils.naming import to_snake_case

import keras_masked as km
from keras_masked.losses.base import Masking
from keras_masked.serialization import plain
from tests.backend import to_numpy
from tests.cases import LOSSES, METRICS, OTHER_TESTS, Case, draw
from tests.laws import grid

MISSING: list[Any] = ["nan", -9999.0, -9999, (-1, "nan"), float("inf"), (-1.0, -9999.0, "nan")]
MODULES = {"losses": km.losses, "metrics": km.metrics}
CASES = [("losses", case) for case in LOSSES] + [("metrics", case) for case in METRICS]
EVERY = pytest.mark.parametrize(("kind", "case"), CASES, ids=lambda x: str(x))
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


def value_of(obj: Any, case: Case, marker: float = np.nan) -> np.ndarray:
    data = draw(case)
    if isinstance(obj, keras.losses.Loss):
        return to_numpy(obj(data.with_missing(marker), data.p))
    obj.update_state(data.with_missing(marker), data.p)
    return to_numpy(obj.result())


def arguments(cls: type) -> set[str]:
    """What the constructor names, and what its `**masking` stands for."""
    parameters = set(inspect.signature(cls).parameters)
    masking = set(Masking.__annotations__) if "masking" in parameters else set()
    return parameters - {"masking", "kwargs"} | masking


def altered(config: dict[str, Any]) -> dict[str, Any]:
    """The config with nearly every option away from where it was."""
    changed: dict[str, Any] = {}
    for key, value in config.items():
        if key in ("loss", "metric", "label_axes"):
            changed[key] = value
        elif isinstance(value, bool):
            changed[key] = not value
        elif isinstance(value, int):
            changed[key] = value + 1
        elif isinstance(value, float):
            changed[key] = value + 0.0625
        else:
            changed[key] = value
    changed |= {"name": "another", "dtype": "bfloat16", "missing": (-7.5, "nan")}
    if "observed_rate" in config:
        changed |= {"reduction": "mean", "average": "macro", "observed_rate": (0.5, 0.25)}
    return changed


# Configs


@EVERY
def test_config_is_complete(kind: str, case: Case) -> None:
    obj = case.make()
    config = obj.get_config()
    assert arguments(type(obj)) == set(config)
    assert config["dtype"] == "float32"
    # As in Keras, the attribute `thresholds` holds the thresholds used, not those asked for.
    for key in set(config) - {"loss", "metric", "thresholds", "fn"}:
        assert plain({key: getattr(obj, key)})[key] == config[key]


@EVERY
def test_round_trip(kind: str, case: Case) -> None:
    obj = case.make()
    config = obj.get_config()
    copy = type(obj).from_config(config)
    assert copy.get_config() == config == obj.get_config()
    np.testing.assert_array_equal(value_of(copy, case), value_of(obj, case))


@EVERY
def test_no_option_is_lost(kind: str, case: Case) -> None:
    """Equal values would not show an option that falls back to its default."""
    cls = type(case.make())
    config = altered(case.make().get_config())
    obj = cls.from_config(config)
    assert obj.get_config() == config
    assert cls.from_config(obj.get_config()).get_config() == config


@grid("case", LOSSES + METRICS, missing=MISSING)
def test_missing_survives_json(case: Case, missing: Any) -> None:
    obj = case.make(missing=missing)
    assert obj.missing == missing
    assert type(obj.missing) is type(missing)
    for copy in (through_json(obj), type(obj).from_config(json_copy(obj.get_config()))):
        assert type(copy) is type(obj)
        assert copy.missing == missing
        assert copy.get_config() == obj.get_config()


@EVERY
def test_value_survives_json(kind: str, case: Case) -> None:
    obj = case.make(missing=(-9999.0, "nan"))
    value = value_of(obj, case, -9999.0)
    np.testing.assert_array_equal(value_of(through_json(obj), case, -9999.0), value)
    module = MODULES[kind]
    config = json_copy(module.serialize(obj))
    for build in (module.deserialize, module.get):
        copy = build(config)
        assert type(copy) is type(obj)
        assert copy.get_config() == obj.get_config()
        np.testing.assert_array_equal(value_of(copy, case, -9999.0), value)


def json_copy(config: Any) -> Any:
    return json.loads(json.dumps(config))


def through_json(obj: Any) -> Any:
    config = json_copy(keras.saving.serialize_keras_object(obj))
    return keras.saving.deserialize_keras_object(config)


def test_nan_is_stored_as_a_string() -> None:
    """A NaN in a config would make two equal configs compare as different."""
    for nan in (float("nan"), np.float32("nan"), "NaN"):
        assert km.losses.MeanSquaredError(missing=nan).get_config()["missing"] == "nan"
    loss = km.losses.MeanSquaredError(missing=[np.float32(-1), np.int64(-2), float("nan")])
    assert loss.missing == (-1.0, -2, "nan")
    assert [type(marker) for marker in loss.missing] == [float, int, str]


def test_config_of_sequences() -> None:
    """Lists, tuples and arrays are one and the same in a config, also after JSON."""
    auc = km.metrics.AUC(thresholds=[0.75, 0.25], multi_label=True, label_weights=np.ones(3))
    copy = km.metrics.AUC.from_config(json_copy(auc.get_config()))
    assert copy.get_config() == auc.get_config()
    assert auc.get_config()["thresholds"] == (0.25, 0.75)
    assert auc.thresholds == [-1e-7, 0.25, 0.75, 1 + 1e-7]  # as in Keras
    masked = km.losses.Masked(keras.losses.Hinge(), fill=[1, 0.5], missing=[-1])
    copy = km.losses.Masked.from_config(json_copy(masked.get_config()))
    assert copy.get_config() == masked.get_config()
    assert (copy.fill, copy.missing) == ((1, 0.5), (-1,))


def test_config_of_what_is_wrapped() -> None:
    masked = km.losses.Masked(keras.losses.Huber(delta=3.0, reduction="sum", name="h"))
    assert (masked.reduction, masked.name) == ("sum", "h")
    copy = through_json(masked)
    assert isinstance(copy.loss, keras.losses.Huber)
    assert copy.loss.get_config() == masked.loss.get_config()
    metric = km.metrics.Masked(keras.metrics.Precision(thresholds=0.7, name="p"))
    assert metric.name == "p"
    assert through_json(metric).metric.get_config() == metric.metric.get_config()
    function = km.losses.Masked(keras.losses.huber)
    assert through_json(function).loss is keras.losses.huber


@keras.saving.register_keras_serializable(package="keras_masked.tests")
def cubed_error(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


def test_registered_function_survives_in_masked() -> None:
    masked = km.losses.Masked(cubed_error)
    assert masked.name == "cubed_error"
    assert through_json(masked).loss is cubed_error


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
