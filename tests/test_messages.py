"""Messages: what people give by mistake, the way they give it, and what they are told to do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy
from tests.cases import LOSSES, METRICS
from tests.errors import raises

L, M = km.losses, km.metrics
NAN = float("nan")
BACKEND = keras.config.backend()
Y, P = np.array([[1.0, NAN], [3.0, 4.0]]), np.ones((2, 2))


class NAType:
    """Has the name of the class of `pandas.NA`, which tests do without."""


class Table:
    """What is asked of a table of pandas whose columns can hold NA."""

    iloc = None
    shape = (2, 2)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([[1.0, None], [3.0, 4.0]], object)


def from_metric(metric: Any, *batch: Any) -> Any:
    metric.update_state(*batch)
    return metric.result()


WAYS: dict[str, Callable[..., Any]] = {
    "loss": lambda *batch: L.MeanSquaredError()(*batch),
    "function": lambda *batch: L.mean_squared_error(*batch[:2]),
    "vectors": lambda *batch: L.CategoricalCrossentropy()(*batch),
    "errors": lambda y, p, *w: L.NegativeLogLikelihood()(y, np.stack([p, p], -1), *w),
    "mean": lambda *batch: from_metric(M.MeanSquaredError(), *batch),
    "columns": lambda *batch: from_metric(M.R2Score(), *batch),
    "per label": lambda *batch: from_metric(M.PerLabel(M.R2Score(), labels=["a", "b"]), *batch),
    "confusion": lambda *batch: from_metric(M.MeanIoU(2), *batch),
    "median": lambda *batch: from_metric(M.MedianError(), *batch),
}
OBJECTS = [
    np.array([[1.0, None], [3.0, 4.0]], object),
    [[1.0, None], [3.0, 4.0]],
    [[1.0, NAType()], [3.0, 4.0]],
    Table(),
]


@pytest.mark.parametrize("way", WAYS)
def test_labels_that_are_no_numbers(way: str) -> None:
    evaluate = WAYS[way]
    for objects in OBJECTS:
        with raises("`y_true`", "None or pandas.NA", "to_numpy('float32', na_value=np.nan)"):
            evaluate(objects, P)
    for texts in (np.array([["1", ""], ["3", "4"]]), [["1", ""], ["3", "4"]]):
        with raises("`y_true`", "must hold numbers", "pandas.to_numeric"):
            evaluate(texts, P)
    with raises("`y_true`", "must hold numbers", "datetime64"):
        evaluate(np.array([["2026-01-01", "NaT"]] * 2, "datetime64[D]"), P)
    with raises("`y_true`", "different lengths", "pad_sequences"):
        evaluate([[1.0, 2.0], [3.0]], P)


@pytest.mark.parametrize("way", ["loss", "mean"])
def test_other_arguments_that_are_no_numbers(way: str) -> None:
    for objects in OBJECTS:
        with raises("`y_pred`", "None or pandas.NA"):
            WAYS[way](P, objects)
        with raises("`sample_weight`", "None or pandas.NA"):
            WAYS[way](P, P, objects)
    with raises("`y_pred`", "different lengths"):
        WAYS[way](P, [[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("way", WAYS)
def test_the_byte_order_of_fits_files(way: str) -> None:
    """TensorFlow reads it."""
    labels = np.array([[1.0, NAN], [0.0, 1.0]], ">f4")
    if BACKEND == "tensorflow":
        assert float(L.MeanSquaredError()(labels, P)) == pytest.approx(1 / 3)
        return
    with raises("`y_true`", "FITS", "y_true.astype('float32')", "'>f4'"):
        WAYS[way](labels, P)
    with raises("`y_pred`", "FITS", "y_pred.astype('float64')", "'>f8'"):
        L.MeanSquaredError()(P, P.astype(">f8"))


def test_the_cures_cure() -> None:
    objects = OBJECTS[0]
    padded = keras.utils.pad_sequences([[1.0], [3.0, 4.0]], dtype="float32", padding="post",
                                       value=np.nan)  # fmt: skip
    masked = np.ma.masked_array([[1.0, 7.0], [3.0, 4.0]], [[0, 1], [0, 0]])
    labels = [padded, objects.astype("float32"), masked.astype("float32").filled(np.nan)]
    for y in labels:
        assert float(L.MeanSquaredError()(y, P)) == pytest.approx(13 / 3)


def ragged_tensor() -> Any:
    if BACKEND == "tensorflow":
        import tensorflow

        return tensorflow.ragged.constant([[1.0, 2.0], [3.0]])
    if BACKEND == "torch":
        import torch

        with warnings.catch_warnings():  # PyTorch's own, of a prototype
            warnings.simplefilter("ignore")
            rows = [torch.ones(2), torch.ones(1)]
            return torch.nested.nested_tensor(rows, layout=torch.jagged)
    pytest.skip("JAX has no ragged tensors")


def sparse_tensor() -> Any:
    if BACKEND == "tensorflow":
        import tensorflow

        return tensorflow.sparse.from_dense(P)
    if BACKEND == "torch":
        import torch

        return torch.ones(2, 2).to_sparse()
    from jax.experimental import sparse

    return sparse.BCOO.fromdense(P)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "errors"])
def test_ragged_and_sparse_tensors(way: str) -> None:
    with raises("`y_true`", "sparse", "dense"):
        WAYS[way](sparse_tensor(), P)
    with raises("`y_true`", "ragged", "to_tensor", "to_padded_tensor"):
        WAYS[way](ragged_tensor(), P)


def model(loss: Any) -> keras.Model:
    found = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2)])
    found.compile("sgd", loss)
    return found


def test_on_the_way_through_keras() -> None:
    """Keras refuses objects before we see them; some backends take the data under a mask."""
    with pytest.raises(ValueError, match="object"):
        model(L.MeanSquaredError()).fit(P, OBJECTS[0], verbose=0)
    masked = np.ma.masked_array(np.full((2, 2), 1e6), mask=True)
    if BACKEND == "jax":
        with pytest.raises(ValueError, match="filled"):
            model(L.MeanSquaredError()).evaluate(P, masked, verbose=0)
    else:
        assert model(L.MeanSquaredError()).evaluate(P, masked, verbose=0) > 1e11
    for look in (km.describe_labels, lambda y: km.report(y, P), lambda y: km.report(P, y)):
        with raises("masked array", "filled"):
            look(masked)


def test_what_reads_objects_as_missing() -> None:
    for objects in OBJECTS[:1] + [np.array([[1.0, NAType()], [3.0, 4.0]], object)]:
        assert "25.0% missing" in repr(km.describe_labels(objects))
    with raises("ndarray of dtype <U1"):
        km.describe_labels(np.array([["a", "b"]]))
    with raises("`y_true`", "()"):
        km.report(1.0, P)


# Swapped arguments


def warned(evaluate: Callable[..., Any], *batch: Any) -> tuple[Any, list[str]]:
    """What is returned, and which of the warnings are ours: Keras has some of its own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = to_numpy(evaluate(*batch))
    return value, [str(each.message) for each in caught if "`y_pred`" in str(each.message)]


def test_swapped_labels_and_predictions() -> None:
    for evaluate in (WAYS["loss"], WAYS["function"], WAYS["mean"], WAYS["columns"]):
        value, messages = warned(evaluate, P, Y)
        assert np.isnan(value).any()  # a divergence stays visible
        assert len(messages) == 1
        assert "diverged" in messages[0] and "swapped: labels come first" in messages[0]
    marked = np.where(np.isnan(Y), -9999.0, Y)
    assert len(warned(L.MeanSquaredError(missing=-9999.0), P, marked)[1]) == 1


def test_no_false_alarm() -> None:
    diverged = np.full((2, 2), NAN)
    assert warned(L.MeanSquaredError(), Y, diverged)[1] == []  # of labels with holes
    assert warned(L.MeanSquaredError(), P, keras.ops.convert_to_tensor(Y))[1] == []  # not looked at
    assert warned(L.MeanSquaredError(missing=-1), P, -P)[1] == []  # predicted in earnest
    assert warned(L.MeanSquaredError(missing=-9999.0), P, P)[1] == []


# Names


@pytest.mark.parametrize("look_up", [L.get, L.deserialize, km.masked])
def test_names_near_that_of_a_loss(look_up: Any) -> None:
    with raises("'mean_sqared_error'", "Did you mean 'mean_squared_error'"):
        look_up("mean_sqared_error")
    with raises("'binary crossentropie'", "'binary_crossentropy'"):
        look_up("binary crossentropie")
    with raises("'nope'", "Huber", "mean_squared_error"):
        look_up("nope")
    with raises("Did you mean 'MeanSquaredError'"):
        look_up("MeanSquareError")


def test_names_near_that_of_a_metric() -> None:
    for look_up in (M.get, M.deserialize, lambda name: km.masked([name])):
        with raises("'r2_scor'", "Did you mean 'r2_score'"):
            look_up("r2_scor")
    with raises("'R2Score' is a metric, and no loss"):
        L.get("R2Score")
    with raises("'Tversky' is a loss, and no metric"):
        M.get("Tversky")


# How objects are shown


def test_shown_as_the_call_that_makes_them() -> None:
    shown = {
        "MeanSquaredError()": L.MeanSquaredError(),
        "MeanSquaredError(missing=-9999.0)": L.MeanSquaredError(missing=-9999.0),
        "Huber(delta=2.0, name='h', average='macro')": L.Huber(2.0, name="h", average="macro"),
        "MeanSquaredError(dtype='float64')": L.MeanSquaredError(dtype="float64"),
        "NegativeLogLikelihood(distribution=StudentT())":
            L.NegativeLogLikelihood(km.distributions.StudentT()),
        "AUC(curve='PR')": M.AUC(curve="PR"),
        "PerLabel(R2Score(missing=-1), ['a', 'b'])":
            M.PerLabel(M.R2Score(missing=-1), labels=["a", "b"]),
        "Masked(<MeanSquaredError name=mean_squared_error>)":
            M.Masked(keras.metrics.MeanSquaredError()),
    }  # fmt: skip
    assert {repr(obj): text for text, obj in shown.items()} == {text: text for text in shown}
    many = M.PerLabel(M.R2Score(), labels=[f"label {i}" for i in range(900)])
    assert len(repr(many)) < 400


@pytest.mark.parametrize("kind", ["losses", "metrics"])
def test_shown_calls_make_equal_objects(kind: str) -> None:
    room = getattr(km, kind)
    names = {each: getattr(where, each) for where in (km.distributions, room)
             for each in where.__all__}  # fmt: skip
    made = 0
    for case in LOSSES if kind == "losses" else METRICS:
        obj = case.make()
        if isinstance(obj, type(lambda: None)) or "<" in repr(obj):  # holds one of Keras's
            continue
        again = eval(repr(obj), names)
        different = {k for k, v in obj.get_config().items() if v != again.get_config()[k]}
        assert different <= {"name"}, repr(obj)  # which Keras numbers
        made += 1
    assert made > 50


# What completions show


def test_rooms_show_what_is_public() -> None:
    for room in (km.losses, km.metrics, km.layers, km.distributions):
        assert set(room.__all__) <= set(dir(room))
        assert set(dir(room)) - set(room.__all__) <= set(getattr(room, "ALIASES", ()))
    assert "base" not in dir(km.losses)
    assert set(dir(km)) == {*km.__all__, "__version__"}
