"""Configs: complete, equal after a round trip, JSON."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked.losses.base import Masking
from keras_masked.serialization import plain
from tests.backend import to_numpy
from tests.cases import LOSSES, METRICS, Case, draw
from tests.laws import grid

MISSING: list[Any] = ["nan", -9999.0, -9999, (-1, "nan"), float("inf"), (-1.0, -9999.0, "nan")]
MODULES = {"losses": km.losses, "metrics": km.metrics}
CASES = [("losses", case) for case in LOSSES] + [("metrics", case) for case in METRICS]
EVERY = pytest.mark.parametrize(("kind", "case"), CASES, ids=lambda x: str(x))


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
