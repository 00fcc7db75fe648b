"""`masked`: whatever `compile` takes, lifted; the values are those of deleted labels."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy

HOLE = -9999.0
NEEDED: dict[str, dict[str, Any]] = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 2},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "MeanMetricWrapper": {"fn": keras.losses.mean_squared_error},
}
Y = np.array([[1.0, HOLE, 0.0], [HOLE, HOLE, HOLE], [0.0, 1.0, 1.0]])
P = np.array([[0.9, np.nan, 0.3], [0.5, np.inf, 0.5], [0.2, 0.8, 0.4]])
SEEN = Y != HOLE


def classes_of(module: Any, base: type) -> list[type]:
    found = {v for v in vars(module).values() if inspect.isclass(v) and issubclass(v, base)}
    return sorted(found - {base, keras.losses.Loss}, key=lambda cls: cls.__name__)


@pytest.mark.parametrize(
    ("module", "ours", "base"),
    [
        (keras.losses, km.losses, keras.losses.Loss),
        (keras.metrics, km.metrics, keras.metrics.Metric),
    ],
    ids=["losses", "metrics"],
)
def test_every_class_of_keras_becomes_ours_with_its_options(
    module: Any, ours: Any, base: type
) -> None:
    classes = classes_of(module, base)
    assert len(classes) > 20
    for cls in classes:
        theirs = cls(**NEEDED.get(cls.__name__, {}))
        found = km.masked(theirs, missing=HOLE)
        assert type(found) is getattr(ours, cls.__name__)
        config = {k: v for k, v in theirs.get_config().items() if k != "dtype"}
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in found.get_config().items()}
        assert {k: v for k, v in lists.items() if k in config} == config
        assert found.missing == HOLE


def test_options_that_configurations_of_keras_lack() -> None:
    KL, KM = keras.losses, keras.metrics
    for theirs, option, value in (
        (KL.Huber(delta=0.3), "delta", 0.3),
        (KL.CosineSimilarity(axis=1), "axis", 1),
        (KL.SparseCategoricalCrossentropy(axis=1), "axis", 1),
        (KL.Huber(dtype="bfloat16"), "dtype", "bfloat16"),
        (KM.CosineSimilarity(axis=1), "axis", 1),
        (KM.SparseTopKCategoricalAccuracy(from_sorted_ids=True), "from_sorted_ids", True),
        (KM.AUC(thresholds=[0.3, 0.6]), "thresholds", [0.3, 0.6]),
    ):
        found = km.masked(theirs).get_config()[option]
        assert (list(found) if isinstance(found, tuple) else found) == value, theirs


def test_values_are_those_of_deleted_labels() -> None:
    y, p = Y[SEEN], P[SEEN]
    huber = km.masked(keras.losses.Huber(delta=0.3), missing=HOLE)
    error = np.abs(y - p)
    expected = np.mean(np.where(error <= 0.3, error**2 / 2, 0.3 * error - 0.045))
    np.testing.assert_allclose(to_numpy(huber(Y, P)), expected, rtol=1e-6)
    for word, expected in (("mse", np.mean(error**2)), (keras.losses.mean_absolute_error, 0.28)):
        loss = km.masked(word, missing=HOLE)
        np.testing.assert_allclose(to_numpy(loss(Y, P)), expected, rtol=1e-6)
    for metric, expected in (
        ("mae", 0.28),
        (keras.metrics.Precision(thresholds=0.25), 3 / 4),
        (keras.metrics.BinaryIoU([1], threshold=0.5), 2 / 3),
    ):
        (found,) = km.masked([metric], missing=HOLE)
        found.update_state(Y, P)
        np.testing.assert_allclose(to_numpy(found.result()), expected, rtol=1e-6)


@keras.saving.register_keras_serializable("tests")
def cubic(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


@keras.saving.register_keras_serializable("tests")
class Shifted(keras.losses.MeanSquaredError):
    """A subclass: not Keras's own formula any more."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return super().call(y_true + 1.0, y_pred)


def test_what_is_not_keras_s_own_is_wrapped() -> None:
    y, p = Y[SEEN], P[SEEN]
    for each, expected in ((cubic, np.abs(y - p) ** 3), (Shifted(), (y + 1 - p) ** 2)):
        loss = km.masked(each, missing=HOLE)
        assert type(loss) is km.losses.Masked
        np.testing.assert_allclose(to_numpy(loss(Y, P)), expected.mean(), rtol=1e-6)
    metric = km.masked([cubic], missing=HOLE)[0]
    assert type(metric) is km.metrics.Masked and metric.name == "cubic"
    metric.update_state(Y, P)
    np.testing.assert_allclose(to_numpy(metric.result()), np.mean(np.abs(y - p) ** 3), rtol=1e-6)


def test_structures_and_kinds() -> None:
    L, M = km.losses, km.metrics

    def types(value: Any) -> Any:
        return keras.tree.map_structure(type, value)

    assert types(km.masked("mse")) is L.MeanSquaredError
    assert types(km.masked(["mse"])) == [M.MeanSquaredError]
    assert types(km.masked(["mse", "mae"], kind="loss")) == [
        L.MeanSquaredError, L.MeanAbsoluteError]  # fmt: skip
    assert types(km.masked(["mse", keras.losses.Huber()])) == [L.MeanSquaredError, L.Huber]
    assert types(km.masked({"a": "mse", "b": [keras.metrics.AUC(), "mae"]})) == {
        "a": M.MeanSquaredError, "b": [M.AUC, M.MeanAbsoluteError]}  # fmt: skip
    assert km.masked({"a": "mse", "b": None})["b"] is None
    config = keras.saving.serialize_keras_object(keras.losses.Dice(axis=(1, 2)))
    assert km.masked({"a": config})["a"].axis == (1, 2)
    assert [each.name for each in km.masked(["mse", "mean_absolute_error"])] == [
        "mse", "mean_absolute_error"]  # fmt: skip
    kept = km.masked(L.Huber(missing=-1, delta=0.3), observed_rate=0.5)
    assert (kept.missing, kept.delta, kept.observed_rate) == (-1, 0.3, 0.5)
    assert km.masked(L.Huber(missing=-1), missing=HOLE).missing == HOLE


def test_metrics_around_metrics_have_the_one_inside_lifted() -> None:
    M = km.metrics
    inner = M.MeanAbsoluteError(name="m")
    for metric in (M.PerLabel(inner, ["a", "b", "c"]), M.WithInterval(inner, replicates=3),
                   M.WithInterval(M.PerLabel(inner, ["a", "b", "c"]), replicates=3)):  # fmt: skip
        found = km.masked(metric, missing=HOLE, name="n")
        assert (type(found), found.name, found.missing) == (type(metric), "n", HOLE)
        found.update_state(Y, P)
        value = to_numpy(found.result()["n" if "n" in found.result() else "n/macro"])
        each = [np.abs(Y - P)[SEEN[:, c], c].mean() for c in range(3)]
        expected = 0.28 if "n" in found.result() else np.mean(each)
        np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("anything", "options", "error", "message"),
    [
        (["accuracy"], {}, ValueError, "SparseCategoricalAccuracy"),
        ("crossentropy", {}, ValueError, "SparseCategoricalCrossentropy"),
        ("nope", {}, ValueError, "nope"),
        (3, {}, ValueError, "Received: 3"),
        ("mse", {"mising": -1}, TypeError, "mising"),
        (keras.metrics.AUC(), {"mising": -1}, TypeError, "mising"),
        ("mse", {"kind": "losses"}, ValueError, "kind"),
        (["mse", keras.metrics.AUC()], {"kind": "loss"}, ValueError, "kind='loss'"),
        ([keras.losses.Huber(), keras.metrics.AUC()], {}, ValueError, "together"),
        (keras.Sequential([keras.layers.Dense(1)]), {}, ValueError, "not compiled"),
    ],
    ids=[
        "accuracy",
        "loss by shape",
        "unknown",
        "number",
        "option",
        "option of an object",
        "kind",
        "of another kind",
        "both",
        "model",
    ],
)
def test_what_cannot_be_lifted(anything: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        km.masked(anything, **options)


@pytest.mark.slow
def test_a_compiled_model_is_lifted_and_saved_as_plain_objects(tmp_path: Any) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, {"a": keras.layers.Dense(3, name="a")(inputs),
                                 "b": keras.layers.Dense(3, name="b")(inputs)})  # fmt: skip
    model.compile(
        "sgd",
        loss={"a": "mse", "b": keras.losses.Huber(delta=0.3)},
        loss_weights={"a": 1.0, "b": 2.0},
        metrics={"a": ["mae"], "b": [keras.metrics.R2Score()]},
    )
    model.compile(**km.masked(model, missing=HOLE))
    x = np.eye(3, dtype="float32")
    model.fit(x, {"a": Y, "b": Y}, verbose=0)
    scores = model.evaluate(x, {"a": Y, "b": Y}, verbose=0, return_dict=True)
    found = {name: np.abs(Y - p)[SEEN] for name, p in model.predict(x, verbose=0).items()}
    np.testing.assert_allclose(scores["a_mae"], found["a"].mean(), rtol=1e-5)
    huber = np.where(found["b"] <= 0.3, found["b"] ** 2 / 2, 0.3 * found["b"] - 0.045)
    expected = np.mean(found["a"] ** 2) + 2 * huber.mean()
    np.testing.assert_allclose(scores["loss"], expected, rtol=1e-5)

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    held = loaded.get_compile_config()["loss"]["b"]
    assert held["registered_name"] == "keras_masked.losses>Huber"
    again = loaded.evaluate(x, {"a": Y, "b": Y}, verbose=0, return_dict=True)
    np.testing.assert_allclose([again[k] for k in scores], [*scores.values()], rtol=1e-6)
