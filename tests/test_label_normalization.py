"""Labels normalized by what is observed of them, and predictions mapped back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked.statistics import Moments, label_batches
from tests.backend import BACKEND, compile_, tensor, to_numpy, value_and_grad

ROWS, LABELS = 57, 3
SENTINEL = -9999.0
Normalization = km.layers.LabelNormalization
Denormalization = km.layers.LabelDenormalization


def table(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of different units, and which of them are missing: a whole row, say."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(ROWS, LABELS)) * [1.0, 30.0, 0.01] + [-2.0, 5000.0, 0.5]
    gone = rng.random(y.shape) < 0.4
    gone[3] = True
    return y, gone


def oracle(y: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column from which the missing entries are deleted."""
    columns = [np.delete(c, np.flatnonzero(m)) for c, m in zip(y.T, gone.T, strict=True)]
    return np.array([c.mean() for c in columns]), np.array([c.std() for c in columns])


def moments(data: Any, missing: Any = "nan", **options: Any) -> np.ndarray:
    found = Moments(missing)
    for batch in label_batches(data, verbose=0, **options):
        found.update(batch)
    return np.stack(found.result())


def adapted(missing: Any = "nan", **options: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """A layer, the labels that it is adapted to, and which of them are missing."""
    y, gone = table()
    layer = Normalization(missing, **options)
    marker = np.nan if missing == "nan" else missing
    y = np.where(gone, marker, y)
    layer.adapt(y)
    return layer, y, gone


def state(layer: Any) -> list[list[float]]:
    return [to_numpy(weight).tolist() for weight in (layer.mean, layer.standard_deviation)]


# Adapting


class Batches(keras.utils.PyDataset):
    """Batches by index, finite or not."""

    def __init__(self, batches: list[Any], infinite: bool = False) -> None:
        super().__init__()
        self.batches, self.infinite = batches, infinite

    def __getitem__(self, index: int) -> Any:
        return self.batches[index % len(self.batches)]

    @property
    def num_batches(self) -> int | None:
        return None if self.infinite else len(self.batches)


class Sequence:
    """Batches by index that never say where they end."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __getitem__(self, index: int) -> Any:
        return self.batches[index % len(self.batches)]

    def __len__(self) -> int:
        return len(self.batches)


def tf_data(y: np.ndarray, size: int) -> Any:
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((np.zeros(len(y)), y)).batch(size)


def data_loader(y: np.ndarray, size: int) -> Any:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.zeros(len(y)), torch.from_numpy(y))
    return torch.utils.data.DataLoader(data, batch_size=size)


def split(y: np.ndarray, size: int) -> list[np.ndarray]:
    return [y[i : i + size] for i in range(0, len(y), size)]


def pandas(y: np.ndarray, size: int) -> Any:
    return pytest.importorskip("pandas").DataFrame(y)


SOURCES: dict[str, Callable[[np.ndarray, int], Any]] = {
    "array": lambda y, size: y,
    "nested lists": lambda y, size: y.tolist(),
    "pandas": pandas,
    "list of arrays": split,
    "generator": lambda y, size: (part for part in split(y, size)),
    "tuples": lambda y, size: [(None, part) for part in split(y, size)],
    "weighted": lambda y, size: [({"x": 1}, part, np.zeros(len(part))) for part in split(y, size)],
    "lists": lambda y, size: [[np.zeros(9), part.tolist()] for part in split(y, size)],
    "nested lists in tuples": lambda y, size: [
        ([[0.0]] * len(part), part.tolist()) for part in split(y, size)
    ],
    "rows as tuples": lambda y, size: [tuple(row) for row in y.tolist()],
    "lists of rows": lambda y, size: (part.tolist() for part in split(y, size)),
    "only y": lambda y, size: iter([(part,) for part in split(y, size)]),
    "PyDataset": lambda y, size: Batches([(0, part) for part in split(y, size)]),
    "by index": lambda y, size: Sequence(split(y, size)),
    "tf.data": tf_data,
    "DataLoader": data_loader,
    "with empty batches": lambda y, size: [y[:0], *split(y, size), y[:0]],
}


@pytest.mark.parametrize("size", [1, 5, 57])
@pytest.mark.parametrize("source", SOURCES)
def test_sources_give_the_same(source: str, size: int) -> None:
    y, gone = table()
    expected = np.stack(oracle(y, gone))
    for marker in (np.nan, SENTINEL):
        data = SOURCES[source](np.where(gone, marker, y), size)
        found = moments(data, "nan" if np.isnan(marker) else marker)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 50, 999, None])
def test_close_numbers_that_are_large(size: int | None) -> None:
    """Neither sums of squares nor means that lose digits."""
    rng = np.random.default_rng(0)
    noise = np.round(rng.normal(size=(1000, 2)) * 2.0**20) / 2.0**30  # added to 1e6 exactly
    gone = rng.random(noise.shape) < 0.3
    found = moments(np.where(gone, np.nan, 1e6 + noise), batch_size=size)
    mean, deviation = oracle(noise, gone)
    np.testing.assert_allclose(found[1], deviation, rtol=1e-12)
    np.testing.assert_array_equal(found[0], 1e6 + mean)


def test_outlier_first() -> None:
    """The first label, to which all others are taken relative, is far from them."""
    rng = np.random.default_rng(0)
    y = np.concatenate([[[1e9]], rng.normal(size=(2000, 1))])
    longer = y.astype("longdouble")
    expected = [longer.mean(), np.sqrt(np.mean((longer - longer.mean()) ** 2))]
    np.testing.assert_allclose(moments(y, batch_size=7).ravel(), np.double(expected), rtol=1e-12)


def test_layer_has_what_is_measured_and_starts_afresh() -> None:
    layer, y, gone = adapted()
    np.testing.assert_allclose(state(layer), np.stack(oracle(y, gone)), rtol=1e-6)
    other, other_gone = table(1)
    layer.adapt(np.where(other_gone, np.nan, other), batch_size=5)
    np.testing.assert_allclose(state(layer), np.stack(oracle(other, other_gone)), rtol=1e-6)
    assert layer.trainable_weights == []
    assert [w.name for w in layer.weights] == ["mean", "standard_deviation"]


def test_labels_of_higher_rank() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(6, 4, 5, 2))
    y[rng.random(y.shape) < 0.3] = np.nan
    flat = y.reshape(-1, 2)
    np.testing.assert_allclose(
        moments(y, batch_size=4), oracle(flat, np.isnan(flat)), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(
    ("y", "missing", "observed"),
    [
        (np.array([[1, -1], [5, 7], [-1, 3]], "int32"), -1, [[1, 5], [7, 3]]),
        (np.array([[1, 2], [3, 4]], "uint8"), (-1, 2.5, 300, "nan"), [[1, 3], [2, 4]]),
        (np.array([[True, False], [False, False]]), (5, "nan"), [[1, 0], [0, 0]]),
        (
            np.array([[1, -9999], [3, 4], [-1, np.nan]], "float16"),
            (-9999, -1, "nan"),
            [[1, 3], [4]],
        ),
        (np.array([[0.1, 2], [3, 4]], "float32"), 0.1, [[3], [2, 4]]),
        (np.array([[1, None], [3, 4]], "object"), "nan", [[1, 3], [4]]),
        (np.array([[1, np.inf], [3, 4]]), float("inf"), [[1, 3], [4]]),
        (np.array([[1, 6e4], [-np.inf, 4]], "float16"), -1e9, [[1], [6e4, 4]]),
    ],
)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_markers(y: np.ndarray, missing: Any, observed: list[Any], as_tensor: bool) -> None:
    """A marker is found in the dtype of the labels, by NumPy and by every backend."""
    if as_tensor and y.dtype == object:
        pytest.skip("no tensors of objects")
    found = moments(tensor(y) if as_tensor else y, missing)
    for column, values in enumerate(observed):
        expected = np.array(values, "float16" if y.dtype == "float16" else "float64")
        expected = expected.astype("float64")
        deviation = expected.std() or 1.0
        np.testing.assert_allclose(found[:, column], [expected.mean(), deviation], rtol=1e-6)


def test_bfloat16() -> None:
    """-9999 is -9984 there."""
    y = tensor(np.array([[1.0, -9999.0], [3.0, 4.0]]), "bfloat16")
    np.testing.assert_array_equal(moments(y, -9999), [[2, 4], [1, 1]])


def test_constant_column() -> None:
    """The mean of many 0.1 is not 0.1, in sums; the variance is 0 all the same."""
    y = np.column_stack([np.full(1001, 0.1), np.arange(1001.0)])
    for size in (None, 3):
        mean, deviation = moments(y, batch_size=size)
        assert mean[0] == 0.1
        assert deviation[0] == 1
    layer = Normalization()
    layer.adapt(np.array([[7.0, 1e-30], [7.0, 3e-30]]) * [1, 1e-20])  # 0 in float32
    np.testing.assert_array_equal(to_numpy(layer.standard_deviation), [1, 1])
    np.testing.assert_array_equal(to_numpy(layer(np.array([[7.0, 0.0], [9.0, 0.0]])))[:, 0], [0, 2])


def test_steps() -> None:
    y, _ = table()
    expected = np.stack([y[:20].mean(axis=0), y[:20].std(axis=0)])

    taken = 0

    def forever() -> Iterator[np.ndarray]:
        nonlocal taken
        while True:
            taken += 1
            yield y[5 * (taken - 1) : 5 * taken]

    for data in (forever(), Batches(split(y, 5), infinite=True), Batches(split(y, 5))):
        np.testing.assert_allclose(moments(data, steps=4), expected, rtol=1e-12)
    assert taken == 4  # and no batch more, which would be lost to who reads on
    np.testing.assert_allclose(moments(y, batch_size=5, steps=4), expected, rtol=1e-12)
    np.testing.assert_allclose(moments(split(y, 5), steps=99), moments(y), rtol=1e-12)
    with pytest.raises(ValueError, match="Infinite `data` need `steps`"):
        moments(Batches(split(y, 5), infinite=True))


def test_infinite_tf_data() -> None:
    pytest.importorskip("tensorflow")
    y, _ = table()
    data = tf_data(y, ROWS).repeat()
    np.testing.assert_allclose(moments(data, steps=2), moments(y), rtol=1e-12)
    with pytest.raises(ValueError, match="Infinite `data` need `steps`"):
        moments(data)


def test_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Bar:
        def __init__(self, target: int | None, verbose: int) -> None:
            seen.append(("target", target))

        def update(self, current: int, finalize: bool) -> None:
            seen.append((current, finalize))

    monkeypatch.setattr(keras.utils, "Progbar", Bar)
    y = np.ones((4, 2))

    def shown(data: Any, **options: Any) -> list[Any]:
        seen.clear()
        list(label_batches(data, **options))
        return [step for step in seen if step[0] != "target"]

    assert shown([y, y], verbose=0) == []
    assert shown([y, y]) == [(1, False), (2, True)]
    assert shown(y) == []
    assert shown(y, batch_size=2, verbose=1) == [(1, False), (2, True)]
    assert shown(iter([y] * 2)) == []
    assert shown(iter([y] * 7)) == [(6, False), (7, False), (7, True)]
    assert shown([y] * 9, steps=2) == [(1, False), (2, True)]


def test_real_progress_bar() -> None:
    layer = Normalization()
    layer.adapt(iter([np.eye(2)] * 7), verbose=1)
    layer.adapt([np.eye(2)] * 3)


# Normalizing


@pytest.mark.parametrize("missing", ["nan", SENTINEL, ("nan", SENTINEL, -1)])
def test_call(missing: Any) -> None:
    y, gone = table()
    marker = np.nan if missing == "nan" else SENTINEL
    labels = np.where(gone, marker, y).astype("float32")
    layer = Normalization(missing)
    layer.adapt(labels)
    found = to_numpy(layer(labels))
    np.testing.assert_array_equal(found[gone], np.full(gone.sum(), marker))
    mean, deviation = oracle(labels.astype("float64"), gone)
    expected = (labels - mean) / deviation
    np.testing.assert_allclose(found[~gone], expected[~gone], atol=2e-4)
    np.testing.assert_allclose(oracle(found, gone), [np.zeros(LABELS), np.ones(LABELS)], atol=1e-4)
    again = to_numpy(layer.inverse(found))
    np.testing.assert_allclose(again[~gone], labels[~gone], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("received", ["float16", "bfloat16", "float32", "float64", "int32"])
def test_half_precision(dtype: str, received: str) -> None:
    """The sentinel is found as it was rounded, and becomes what it is in the layer's dtype."""
    if (BACKEND, received) == ("jax", "float64"):
        pytest.skip("JAX has no float64 unless asked")
    y = np.array([[100.0, 4000.0], [300.0, -9999.0], [-9999.0, 8000.0]])
    layer = Normalization(-9999, dtype=dtype)
    layer.adapt(y)
    found = layer(tensor(y, received))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    expected = tensor(np.array([[-1.0, -1.0], [1.0, -9999.0], [-9999.0, 1.0]]), dtype)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=2**-6)
    marker = to_numpy(tensor(-9999.0, dtype))
    assert to_numpy(found)[1, 1] == to_numpy(found)[2, 0] == marker
    assert keras.backend.standardize_dtype(layer.mean.dtype) == "float32"


def test_integers() -> None:
    y = np.array([[1, 20], [3, -1], [-1, 40]])
    layer = Normalization(-1)
    layer.adapt(y)
    # The first is one standard deviation below the mean, and must not become the sentinel.
    found = to_numpy(layer(y))
    np.testing.assert_allclose(found, [[-1, -1], [1, -1], [-1, 1]], atol=1e-6)
    np.testing.assert_array_equal(found == -1, [[False, False], [False, True], [True, False]])
    if BACKEND != "jax":
        assert to_numpy(layer(y.astype("int64"))).shape == (3, 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("marker", [0, -1, 1])
def test_observed_labels_do_not_become_sentinels(marker: int, dtype: str) -> None:
    layer = Normalization((marker, "nan"), dtype=dtype)
    layer.adapt(np.array([[9.0], [11.0]]))
    found = to_numpy(layer(np.array([[9.0], [10.0], [11.0], [marker], [np.nan]])))[:, 0]
    np.testing.assert_array_equal(found == marker, [False, False, False, True, False])
    np.testing.assert_allclose(found[:3], [-1, 0, 1], atol=0.02)
    assert np.isnan(found[4])


def test_float64() -> None:
    """Labels with more digits than float32 has."""
    if BACKEND == "jax":
        pytest.skip("JAX has no float64 unless asked")
    y = 2.45e6 + np.array([[0.01], [0.02], [0.03], [np.nan]])
    layer = Normalization(dtype="float64")
    layer.adapt(y)
    found = keras.ops.convert_to_numpy(layer(y))
    np.testing.assert_allclose(found[:3, 0], [-(1.5**0.5), 0, 1.5**0.5], atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer.inverse(found)), y, rtol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 3)])
def test_inverses(shape: tuple[int, ...]) -> None:
    layer, y, gone = adapted(SENTINEL)
    mean, deviation = oracle(y, gone)
    z = np.random.default_rng(2).normal(size=shape)
    np.testing.assert_allclose(to_numpy(layer.inverse(z)), z * deviation + mean, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(layer(to_numpy(layer.inverse(z)))), z, atol=2e-3)
    log_variances = to_numpy(layer.inverse_log_variances(z))
    np.testing.assert_allclose(np.exp(log_variances), np.exp(z) * deviation**2, rtol=1e-4)
    errors = np.abs(z)
    errors.flat[1] = SENTINEL
    for method, factor in ((layer.errors, 1 / deviation), (layer.inverse_errors, deviation)):
        found = to_numpy(method(errors))
        assert found.flat[1] == SENTINEL
        expected = np.where(errors == SENTINEL, SENTINEL, errors * factor)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    stacked = np.stack([z, z / 2], axis=-1)
    for distribution in ("gaussian", km.distributions.Gaussian()):
        found = to_numpy(layer.inverse_parameters(stacked, distribution))
        np.testing.assert_allclose(found[..., 0], to_numpy(layer.inverse(z)), rtol=1e-6)
        expected = to_numpy(layer.inverse_log_variances(z / 2))
        np.testing.assert_allclose(found[..., 1], expected, rtol=1e-5)


def test_gradients() -> None:
    layer, y, gone = adapted(SENTINEL)
    deviation = oracle(y, gone)[1]
    z = tensor(np.ones((2, LABELS), "float32"))
    _, gradient = value_and_grad(lambda p: keras.ops.sum(layer.inverse(p)))(z)
    np.testing.assert_allclose(to_numpy(gradient), np.tile(deviation, (2, 1)), rtol=1e-5)
    for of in (layer, layer.inverse_errors, layer.inverse_log_variances):
        _, gradient = value_and_grad(lambda p, of=of: keras.ops.sum(of(p)))(z)
        assert np.isfinite(to_numpy(gradient)).all()
    nan = Normalization()
    nan.adapt(y)
    y = tensor(np.where(gone, np.nan, y).astype("float32"))
    _, gradient = value_and_grad(lambda p: keras.ops.sum(nan(p)[~gone]))(y)
    np.testing.assert_allclose(to_numpy(gradient)[gone], 0)


METHODS = ["__call__", "inverse", "inverse_log_variances", "errors", "inverse_errors"]


@pytest.mark.parametrize("method", [*METHODS, "inverse_parameters", "denormalize"])
def test_compiles_in_one_graph(method: str) -> None:
    layer, y, _ = adapted(SENTINEL)
    x = tensor(y.astype("float32"))
    function = getattr(layer, method, None)
    if method in ("inverse_parameters", "denormalize"):
        x = tensor(np.ones((4, LABELS, 2), "float32"))
    if function is None:
        function = Denormalization(layer, "gaussian")
        function.build((None, LABELS, 2))
    expected = to_numpy(function(x))
    np.testing.assert_allclose(to_numpy(compile_(lambda x: function(x))(x)), expected, rtol=1e-5)

    def total(x: Any) -> Any:
        return keras.ops.sum(function(x))

    _, gradient = value_and_grad(total, compiled=True)(x)
    np.testing.assert_allclose(to_numpy(gradient), to_numpy(value_and_grad(total)(x)[1]), rtol=1e-5)


# Bad input


@pytest.mark.parametrize("names", [("teff", "logg", "fe_h"), None])
def test_never_observed(names: Any) -> None:
    layer, y, _ = adapted(names=names)
    before = state(layer)
    y[:, 1] = np.nan
    y = y + 1
    for data in (y, split(y, 5), y.astype("float32")):
        with pytest.raises(ValueError, match="'logg' has no" if names else "of column 1 has no"):
            layer.adapt(data, verbose=0)
        assert state(layer) == before
    fresh = Normalization(names=names)
    with pytest.raises(ValueError, match="has no observed label"):
        fresh.adapt(y)
    assert not fresh.built
    assert fresh.weights == []


def test_infinite_labels() -> None:
    layer, y, _ = adapted(names=["a", "b", "c"])
    before = state(layer)
    y[0, 2] = -np.inf
    with pytest.raises(ValueError, match="The label 'c' holds infinite labels"):
        layer.adapt(y)
    with pytest.raises(ValueError, match="'a' has a mean or standard deviation too large"):
        layer.adapt(np.eye(3) * [1e300, 1, 1])
    assert state(layer) == before
    Normalization(float("-inf")).adapt(np.array([[1.0], [-np.inf]]))  # a marker like any other


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "holds no labels"),
        (iter([]), "holds no labels"),
        (np.zeros((0, 3)), "holds no labels"),
        ([np.zeros((0, 3))], "holds no labels"),
        (np.zeros((5, 0)), "must hold labels of the shape"),
        (np.zeros(5), "must hold labels of the shape"),
        ([np.zeros(3), np.zeros(3)], "must hold labels of the shape"),
        (np.array(1.0), "must hold labels of the shape"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], "as many labels as those seen before, 3"),
        ((np.zeros((2, 3)), np.zeros((2, 3))), "must be an array of labels"),
        ([(np.zeros((2, 3)), [np.zeros((2, 3))] * 2)], "must be an array of labels"),
        ([(np.zeros((2, 3)), {"y": np.zeros((2, 3))})], "must be an array of labels"),
        ([(np.zeros((2, 3)), None)], "must be an array of labels"),
        ([(np.zeros((2, 3)),) * 4], "must be an array of labels"),
        ([(np.ones((2, 3)), ())], "must be an array of labels"),
        ({"y": np.zeros((2, 3))}, "must be an array of labels"),
        ("labels", "must be an array of labels"),
        (3, "must be an array of labels"),
        (np.array([["a"]]), "must be an array of labels"),
        (np.array([["a"]], "object"), "must be an array of labels"),
        (np.zeros((2, 3), complex), "must be an array of labels"),
        (np.ma.masked_less(np.zeros((2, 3)), 1), "masked array"),
        ([(0, np.ma.masked_less(np.zeros((2, 3)), 1))], "masked array"),
    ],
)
def test_bad_data(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Normalization().adapt(data, verbose=0)


def test_bad_arguments() -> None:
    y = np.ones((4, 2))
    with pytest.raises(ValueError, match=r"those of the names \['a'\], 1"):
        Normalization(names=["a"]).adapt(y)
    with pytest.raises(ValueError, match=r"shape \(..., 1\)"):
        Normalization(names=["a"]).build((None, 2))
    for names in ("ab", [], ["a", "a"], [1, 2]):
        with pytest.raises(ValueError, match="distinct strings"):
            Normalization(names=names)
    for options, message in (
        ({"batch_size": 0}, "Argument `batch_size`"),
        ({"steps": 1.5}, "Argument `steps`"),
        ({"steps": 2}, "need `batch_size`"),
        ({"verbose": "loud"}, "Argument `verbose`"),
    ):
        with pytest.raises(ValueError, match=message):
            Normalization().adapt(y, **options)
    with pytest.raises(ValueError, match="Argument `missing`"):
        Normalization(missing=())
    with pytest.raises(ValueError, match="must be a `keras_masked.layers.LabelNormalization`"):
        Denormalization(keras.layers.Normalization())
    with pytest.raises(ValueError, match="Argument `distribution`"):
        Denormalization(Normalization(), "cauchy")


def test_bad_shapes() -> None:
    layer, _, _ = adapted()
    for x in (np.zeros((2, 4)), np.zeros((3, 1)), np.array(1.0)):
        for method in METHODS:
            with pytest.raises(ValueError, match="adapted to 3 labels"):
                getattr(layer, method)(x)
    for shape in ((2, 4, 2), (3,)):
        with pytest.raises(ValueError, match="adapted to 3 labels"):
            layer.inverse_parameters(np.zeros(shape))
    with pytest.raises(ValueError, match="mean, log_variance"):
        layer.inverse_parameters(np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match="adapted to 3 labels"):
        Denormalization(layer)(keras.Input((4,)))
    with pytest.raises(ValueError, match="as many labels as those seen before, 3"):
        layer.adapt(np.eye(2))
    with pytest.raises(ValueError, match="masked array"):
        layer(np.ma.masked_less(np.zeros((2, 3)), 1))


def test_wide_integers() -> None:
    """JAX has no such integers: the sentinel would become another number."""
    y = np.array([[1], [-(2**40)], [3]])
    layer = Normalization(-(2**40))
    layer.adapt(y)
    assert state(layer) == [[2], [1]]
    if BACKEND == "jax":
        with pytest.raises(ValueError, match="does not fit int32"):
            layer(y)
    else:
        np.testing.assert_array_equal(to_numpy(layer(y)), [[-1], [-(2**40)], [1]])


def test_unadapted() -> None:
    fresh, built = Normalization(), Normalization()
    built.build((None, 2))
    for layer in (fresh, built):
        for method in METHODS:
            with pytest.raises(ValueError, match="call `adapt`"):
                getattr(layer, method)(np.zeros((1, 2)))
        with pytest.raises(ValueError, match="call `adapt`"):
            Denormalization(layer)(np.zeros((1, 2)))
    assert np.isnan(state(built)).all()
    built.set_weights([np.ones(2), np.full(2, 4.0)])  # counts as adapted
    np.testing.assert_array_equal(to_numpy(built(np.array([[1.0, 9.0]]))), [[0, 2]])


def test_unadapted_model_shows_nan() -> None:
    model = keras.Sequential([keras.Input((2,)), Denormalization(Normalization())])
    model.compile(loss="mse", jit_compile=BACKEND == "jax")
    if BACKEND == "torch":  # is eager there
        with pytest.raises(ValueError, match="call `adapt`"):
            model.predict(np.ones((4, 2)), verbose=0)
    else:
        assert np.isnan(model.predict(np.ones((4, 2)), verbose=0)).all()
    model.layers[-1].normalization.adapt(np.array([[1.0, 5.0], [3.0, 9.0]]))
    np.testing.assert_array_equal(model.predict(np.ones((4, 2)), verbose=0), [[3, 9]] * 4)


# Configuration and saving


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]])
@pytest.mark.parametrize("missing", ["nan", SENTINEL, (SENTINEL, "nan")])
def test_config(missing: Any, names: Any) -> None:
    layer = Normalization(missing, names=names, name="n", dtype="float16")
    config = layer.get_config()
    again = Normalization.from_config(config)
    assert again.get_config() == config
    assert (again.missing, config["names"], again.name) == (missing, names, "n")
    assert again.compute_dtype == "float16"
    layer.adapt(table()[0])
    for distribution in (None, "gaussian"):
        config = Denormalization(layer, distribution, name="d").get_config()
        end = Denormalization.from_config(config)
        assert end.get_config() == config
        assert end.normalization.missing == missing
        assert (end.distribution is None) == (distribution is None)


def sequential(normalization: Any) -> keras.Model:
    end = Denormalization(normalization, "gaussian")
    return keras.Sequential([keras.Input((4,)), km.layers.DistributionHead(LABELS), end])


def functional(normalization: Any) -> keras.Model:
    x = keras.Input((4,))
    first = Denormalization(normalization)(keras.layers.Dense(LABELS)(x))
    second = Denormalization(normalization, "gaussian")(km.layers.DistributionHead(LABELS)(x))
    return keras.Model(x, [first, second])  # of one normalization for two


def without_input(normalization: Any) -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(LABELS), Denormalization(normalization)])
    model.build((None, 4))
    return model


def of_labels(normalization: Any) -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, normalization(x[:, :LABELS]))


@pytest.mark.parametrize("build", [sequential, functional, without_input, of_labels])
@pytest.mark.parametrize("adapt_first", [True, False])
def test_save_and_load(build: Any, adapt_first: bool, tmp_path: Path) -> None:
    y, gone = table()
    normalization = Normalization(SENTINEL)
    if adapt_first:
        normalization.adapt(np.where(gone, SENTINEL, y))
    model = build(normalization)
    if not adapt_first:
        normalization.adapt(np.where(gone, SENTINEL, y))
    x = np.random.default_rng(1).normal(size=(5, 4)).astype("float32")
    expected = [to_numpy(p) for p in keras.tree.flatten(model(x))]
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")

    def check(loaded: keras.Model, predict: bool = False) -> None:
        found = loaded.predict(x, verbose=0) if predict else loaded(x)
        for p, q in zip(keras.tree.flatten(found), expected, strict=True):
            np.testing.assert_allclose(to_numpy(p), q, rtol=1e-6)

    for predict in (True, False):
        check(keras.saving.load_model(tmp_path / "model.keras"), predict)
    fresh = build(Normalization(SENTINEL))
    fresh.load_weights(tmp_path / "model.weights.h5")
    check(fresh)
    clone = keras.models.clone_model(model)
    clone.load_weights(tmp_path / "model.weights.h5")
    check(clone)
    twice = keras.saving.load_model(tmp_path / "model.keras")
    twice.save(tmp_path / "twice.keras")
    check(keras.saving.load_model(tmp_path / "twice.keras"))


def test_broken_weights_are_noticed(tmp_path: Path) -> None:
    """A file without the weights is none of this layer."""
    keras.Sequential([keras.Input((LABELS,)), keras.layers.ReLU(name="same")]).save_weights(
        tmp_path / "other.weights.h5"
    )
    model = keras.Sequential([keras.Input((LABELS,)), Normalization(name="same")])
    with pytest.raises(Exception, match="(?i)expected 2 variables|could not be loaded|was never"):
        model.load_weights(tmp_path / "other.weights.h5")


# In a model


def test_symbolic_calls() -> None:
    layer = Normalization(-1)
    out = layer(keras.Input((5, 3), dtype="int32"))
    assert (out.shape, out.dtype, layer.built) == ((None, 5, 3), "float32", True)
    end = Denormalization(Normalization(), "gaussian")
    assert end(keras.Input((3, 2))).shape == (None, 3, 2)
    assert end.normalization.labels == 3


def test_masks_pass() -> None:
    layer, _, _ = adapted()
    x = keras.layers.Masking()(np.concatenate([np.zeros((1, 1, 3)), np.ones((1, 1, 3))], axis=1))
    from keras_masked._backend import get_keras_mask

    for each in (layer, Denormalization(layer)):
        assert to_numpy(get_keras_mask(each(x))).tolist() == [[0, 1]]


def test_half_precision_at_the_end() -> None:
    """The units overflow float16; the last layer is float32 as Keras advises."""
    normalization = Normalization(dtype="mixed_float16")
    normalization.adapt(np.array([[1e6], [3e6]]))
    end = Denormalization(normalization, dtype="float32")
    found = end(tensor(np.array([[0.5]]), "float16"))
    np.testing.assert_allclose(to_numpy(found), [[2.5e6]])
    parameters = Denormalization(normalization, "gaussian", dtype="float32")
    found = to_numpy(parameters(tensor(np.array([[[0.5, 0.0]]]), "float16")))
    np.testing.assert_allclose(found, [[[2.5e6, 2 * np.log(1e6)]]], rtol=1e-6)


def test_training() -> None:
    """Labels of very different units and predictions in them; a plain mean would do far worse."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 4)).astype("float32")
    scale, shift = np.array([0.01, 300.0, 1.0]), np.array([0.5, 5000.0, -2.0])
    truth = (
        x @ rng.normal(size=(4, LABELS)) + 0.1 * rng.normal(size=(512, LABELS))
    ) * scale + shift
    gone = rng.random(truth.shape) < 0.4
    y = np.where(gone, SENTINEL, truth)
    normalization = Normalization(SENTINEL)
    model = sequential(normalization)
    loss = km.losses.NegativeLogLikelihood(missing=SENTINEL)
    normalization.adapt([(x, y)], verbose=0)
    model.compile(keras.optimizers.Adam(0.03), loss=loss)
    before = state(normalization)
    model.fit(x, y, epochs=40, batch_size=32, verbose=0)
    assert state(normalization) == before
    predicted = model.predict(x, verbose=0)
    residuals = (predicted[..., 0] - truth) / scale
    assert (residuals.std(axis=0) < 0.2).all()
    np.testing.assert_allclose(np.exp(predicted[..., 1] / 2).mean(axis=0) / scale, 0.1, atol=0.05)
