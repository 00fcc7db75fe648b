"""Functions: one value per row, 0 and masked where a row has no label."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked._backend import get_keras_mask
from tests import case_data, oracles
from tests.backend import set_mask, tensor, to_numpy
from tests.cases import LOSSES, Case, Draw, draw
from tests.cases.case import IDS, VECTOR
from tests.laws import grid, representatives

L, M = km.losses, km.metrics
ALIASES_OF_SYMJAX = {
    "softmax_crossentropy_logits", "sparse_softmax_crossentropy_logits",
    "multiclass_hinge_loss",
}  # fmt: skip
"""SymJAX's names for functions of the same rows."""


@dataclasses.dataclass(frozen=True)
class Function:
    """A function under one set of options, and the case that has its data and oracle."""

    function: Callable[..., Any]
    case: Case
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **self.options, **kwargs)

    def __str__(self) -> str:
        return "-".join([self.function.__name__, *self.options])

    @property
    def represents(self) -> str:
        """One function a kind, as of the classes: see `tests/laws.py`."""
        return "" if self.function.__name__ in ALIASES_OF_SYMJAX else self.case.represents


def of_case(case: Case) -> list[Function]:
    """The function of a loss, where there is one, with the options of the case."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", case.covers).lower()
    if case.covers.endswith("IoULoss"):
        name = case.covers.replace("Loss", "_loss").lower()
    if name not in L.__all__ or name.startswith("robust_"):  # of three tensors
        return []
    function = getattr(L, name)
    config, parameters = case.make().get_config(), inspect.signature(function).parameters
    needed = {k for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
    plain = type(case.make())(**{k: config[k] for k in needed}).get_config()
    if any(config[k] != plain[k] for k in config if k not in parameters):
        return []  # an option that only the class has
    options = {k: config[k] for k in parameters if k in config and k != "missing"}
    changed = {k: v for k, v in options.items() if v != parameters[k].default}
    return [Function(function, case, changed)]


def accuracy(function: Any, data: Any, oracle: Any, **kwargs: Any) -> Function:
    return Function(function, Case(function.__name__, function, data, oracle, **kwargs))


ROWS = [function for case in LOSSES for function in of_case(case)]
# SymJAX's names for functions of the same rows.
ROWS += [
    Function(function, next(case for case in LOSSES if str(case) == name), options)
    for function, name, options in [
        (L.softmax_crossentropy_logits, "CategoricalCrossentropy-logits", {}),
        (L.sparse_softmax_crossentropy_logits, "SparseCategoricalCrossentropy-logits", {}),
        (L.multiclass_hinge_loss, "MulticlassHinge", {}),
        (L.multiclass_hinge_loss, "MulticlassHinge-2.5", {"delta": 2.5}),
    ]
]
LABELS = [
    accuracy(
        M.accuracy,
        case_data.id_pairs,
        oracles.exact_match,
        keras=lambda reduction: lambda y, p: keras.ops.cast(y == p, "float32"),
    ),
    accuracy(M.binary_accuracy, case_data.binary, oracles.binary_match),
    accuracy(M.categorical_accuracy, case_data.one_hot, oracles.categorical_match, **VECTOR),
    accuracy(M.sparse_categorical_accuracy, case_data.class_ids, oracles.sparse_match, **IDS),
]
TOP_2 = {"k": 2}
LABELS += [
    Function(M.top_k_categorical_accuracy,
             Case("top_k", M.top_k_categorical_accuracy, case_data.one_hot, oracles.top_2_match,
                  **VECTOR), TOP_2),
    Function(M.sparse_top_k_categorical_accuracy,
             Case("sparse_top_k", M.sparse_top_k_categorical_accuracy, case_data.class_ids,
                  oracles.sparse_top_2_match, **IDS), TOP_2),
]  # fmt: skip
COVERED = {each.function.__name__ for each in ROWS + LABELS}
"""What tests/test_public.py takes for tested."""

EACH = pytest.mark.parametrize("each", ROWS + LABELS, ids=str)
EACH_OF_ROWS = pytest.mark.parametrize("each", ROWS, ids=str)


def per_label(each: Function, data: Draw, observed: np.ndarray) -> np.ndarray:
    y, p = data.y.astype("float64"), data.p.astype("float64")
    values = np.zeros(observed.shape)
    values[observed] = each.case.oracle(y[observed], p[observed])
    return values


def expected(each: Function, data: Draw, observed: np.ndarray | None = None) -> np.ndarray:
    """Row by row, on what is left of the row once its missing labels are deleted."""
    observed = data.observed if observed is None else observed
    values = per_label(each, data, observed)
    if each in LABELS or each.case.rows_are_labels:
        return values
    rows = np.zeros(observed.shape[:-1])
    for i in np.ndindex(rows.shape):
        if observed[i].any():
            rows[i] = values[i][observed[i]].mean()
    return rows


def has_label(each: Function, observed: np.ndarray) -> np.ndarray:
    return observed if each in LABELS or each.case.rows_are_labels else observed.any(axis=-1)


# Values


@grid("each", ROWS + LABELS, shape=[(5,), (5, 5), (2, 3, 2, 4)])
def test_rows(each: Function, shape: tuple[int, ...]) -> None:
    data = draw(each.case, shape)
    value = to_numpy(each(data.with_missing(), data.p))
    assert value.shape == expected(each, data).shape
    np.testing.assert_allclose(value, expected(each, data), rtol=2e-5, atol=1e-6)


@grid("each", ROWS + LABELS, marker=[-9999.0, np.inf, (-9999.0, -8.0)])
def test_sentinel(each: Function, marker: Any) -> None:
    data = draw(each.case)
    labels = data.with_missing(marker[0] if isinstance(marker, tuple) else marker)
    if isinstance(marker, tuple):
        labels[0] = marker[1]
    value = to_numpy(each(labels, data.p, missing=marker))
    np.testing.assert_array_equal(value, to_numpy(each(data.with_missing(), data.p, missing="nan")))


@EACH
def test_blindness(each: Function) -> None:
    data = draw(each.case)
    clean = to_numpy(each(data.with_missing(), data.p))
    for garbage in (np.nan, np.inf, 1e30):
        p = data.p.copy()
        p[~data.observed] = garbage
        np.testing.assert_array_equal(to_numpy(each(data.with_missing(), p)), clean)


@EACH
def test_identity(each: Function) -> None:
    """With nothing missing, Keras's function of the same name."""
    module = keras.metrics if each in LABELS else keras.losses
    theirs = getattr(module, each.function.__name__, None)
    known = () if theirs is None else inspect.signature(theirs).parameters
    if theirs is None or not set(each.options) <= set(known):  # a loss that Keras does not have
        rows = each.case.keras(reduction=None)  # its options are in it
        theirs = lambda y_true, y_pred, **options: rows(y_true, y_pred)  # noqa: E731
    data = draw(each.case, missing=0)
    parameters = inspect.signature(each.function).parameters  # Keras has no default for some
    shared = set(parameters) & set(list(inspect.signature(theirs).parameters)[2:])
    options = {name: parameters[name].default for name in shared} | each.options
    y, p = tensor(data.y), tensor(data.p)
    a, b = each(y, p), theirs(y, p, **options)
    if each not in LABELS:
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=2e-5, atol=1e-6)
    else:  # Keras averages some over the last axis
        np.testing.assert_allclose(to_numpy(a).mean(), to_numpy(b).mean(), rtol=2e-5)


# The Keras mask


@EACH
def test_mask_of_the_result(each: Function) -> None:
    data = draw(each.case)
    mask = get_keras_mask(each(data.with_missing(), data.p))
    np.testing.assert_array_equal(to_numpy(mask) > 0, has_label(each, data.observed))


@EACH
def test_mask_of_the_predictions(each: Function) -> None:
    data = draw(each.case)
    seen = np.array([True, True, False, True, False])
    observed = data.observed & seen[:, None]
    result = each(data.with_missing(), set_mask(data.p, seen))
    np.testing.assert_allclose(
        to_numpy(result), expected(each, data, observed), rtol=2e-5, atol=1e-6
    )
    np.testing.assert_array_equal(to_numpy(get_keras_mask(result)) > 0, has_label(each, observed))


@EACH
def test_integer_labels_need_no_mask(each: Function) -> None:
    data = draw(each.case, missing=0)
    result = each(np.round(data.y).astype("int32"), data.p, missing="nan")
    assert get_keras_mask(result) is None


def model_of(shape: tuple[int, ...], **options: Any) -> keras.Model:
    model = keras.Sequential([keras.Input(shape), keras.layers.Identity()])
    model.compile(**options)
    return model


@pytest.mark.parametrize("each", representatives(ROWS), ids=str)
def test_in_compile(each: Function) -> None:
    """Keras averages what a function returns over all rows: with the mask, those with labels.

    `test_mask_of_the_result` says for every function which these are.
    """
    if each.options:
        pytest.skip("`compile` takes the function as it is")
    data = draw(each.case)
    rows, with_labels = expected(each, data), has_label(each, data.observed)
    weight = np.array([3.0, 1.0, 0.5, 2.0, 0.0])
    model = model_of(data.p.shape[1:], loss=each.function)
    loss = model.evaluate(data.p, data.with_missing(), batch_size=5, verbose=0)
    np.testing.assert_allclose(loss, rows[with_labels].mean(), rtol=2e-5)
    assert model.evaluate(data.p, np.full_like(data.y, np.nan), batch_size=5, verbose=0) == 0
    if each.case.rows_are_labels:
        return  # Keras aligns weights from the right
    loss = model.evaluate(
        data.p, data.with_missing(), batch_size=5, verbose=0, sample_weight=weight
    )
    np.testing.assert_allclose(loss, (rows * weight)[with_labels].mean(), rtol=2e-5)


# Signatures and dtypes


@EACH
def test_options_are_keyword_only(each: Function) -> None:
    parameters = list(inspect.signature(each.function).parameters.values())
    assert [p.name for p in parameters[:2]] == ["y_true", "y_pred"]
    assert "missing" in {p.name for p in parameters}
    if each.function is L.multiclass_hinge_loss:
        return  # its third argument is SymJAX's: tests/test_symjax.py
    assert {p.kind for p in parameters[2:]} == {inspect.Parameter.KEYWORD_ONLY}
    data = draw(each.case)
    with pytest.raises(TypeError, match="positional"):
        each.function(data.y, data.p, 0.5)


@grid("each", ROWS + LABELS, dtype=["float16", "bfloat16"])
def test_half(each: Function, dtype: str) -> None:
    """Computed in float32; the result has the dtype of the predictions, however short."""
    data = draw(each.case)
    y, p = tensor(data.with_missing(-9999.0), dtype), tensor(data.p, dtype)
    value = each(y, p, missing=-9999.0)
    assert ("float32" if each in LABELS else dtype) in str(value.dtype)
    rounded = Draw(to_numpy(tensor(data.y, dtype)), to_numpy(p), data.observed)
    eps = 2.0**-10 if dtype == "float16" else 2.0**-7
    np.testing.assert_allclose(to_numpy(value), expected(each, rounded), rtol=eps, atol=1e-6)


@EACH_OF_ROWS
def test_dtype_is_that_of_the_predictions(each: Function) -> None:
    data = draw(each.case, missing=0)
    labels = np.round(data.y).astype("int32")
    for y in (tensor(labels), tensor(data.y, "float16"), tensor(data.y, "float32")):
        assert "float32" in str(each(y, tensor(data.p, "float32")).dtype)
    assert "float32" in str(each(labels, tensor(np.ones_like(data.p), "int32")).dtype)


@EACH
def test_a_diverged_prediction_is_seen(each: Function) -> None:
    data = draw(each.case)
    p = data.p.copy()
    p[1, 2] = np.nan
    value = to_numpy(each(data.with_missing(), p))
    hit = np.zeros(data.observed.shape, bool)
    hit[1, 2] = True
    np.testing.assert_array_equal(np.isnan(value), has_label(each, hit))
