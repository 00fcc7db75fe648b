"""Means and standard deviations of observed labels, of whatever the labels come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked.layers.label_moments import LabelMoments
from keras_masked.layers.label_streams import label_batches
from tests.backend import tensor, to_numpy
from tests.label_tables import ROWS, SENTINEL, oracle, split, table

Normalization = km.layers.LabelNormalization


def moments(data: Any, missing: Any = "nan", **options: Any) -> np.ndarray:
    found = LabelMoments(missing)
    for batch in label_batches(data, verbose=0, **options):
        found.update(batch)
    return np.stack(found.result())


# Sources


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


def test_rounding_errors_of_one_sign() -> None:
    y = np.full((500_000, 2), 0.1)
    y[0] = 0
    np.testing.assert_allclose(moments(y)[0], 0.1 * (1 - 2e-6), rtol=1e-14)


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
    layer.adapt(np.array([[7.0, 1e-40], [7.0, 3e-40]]))  # which backends may take for 0
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

    list(label_batches([np.eye(2)] * 3, verbose=1))  # Keras's own
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


# Bad input


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "holds no labels"),
        (np.zeros((0, 3)), "holds no labels"),
        (np.zeros((5, 0)), "must hold labels of the shape"),
        (np.zeros(5), "must hold labels of the shape"),
        ([np.zeros(3), np.zeros(3)], "must hold labels of the shape"),
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
        (np.ma.masked_less(np.zeros((2, 3)), 1), "masked array"),
        ([(0, np.ma.masked_less(np.zeros((2, 3)), 1))], "masked array"),
    ],
)
def test_bad_data(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Normalization().adapt(data, verbose=0)
