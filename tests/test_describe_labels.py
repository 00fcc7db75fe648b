"""`describe_labels`: numbers of deleted data, warnings that name the cure, any source of labels."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import BACKEND, tensor

NAN = np.nan


def has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


@pytest.fixture
def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    y = np.round(rng.normal(size=(50, 3)), 3)
    y[:, 0] = y[:, 0] > 0
    y[rng.random(y.shape) < 0.3] = NAN
    y[:7] = NAN
    y[7:9] = 1.5
    return y


def rows_of(description: Any) -> list[list[Any]]:
    return [row[1:] for row in description.table()]


def deleted(y: np.ndarray) -> list[list[Any]]:
    found = []
    for column in y.T:
        v = column[~np.isnan(column)]
        number = len(np.unique(v))
        found.append([len(v), len(v) / len(y), v.min(), v.max(), v.mean(), number])
    return found


def test_numbers_of_deleted_data(table: np.ndarray) -> None:
    found = km.describe_labels(table, ["a", "b", "c"])
    np.testing.assert_allclose(rows_of(found), deleted(table), rtol=1e-12)
    seen = ~np.isnan(table)
    assert found.rows == 50
    assert found.complete == seen.all(axis=1).sum()
    assert found.empty == (~seen).all(axis=1).sum()
    a, b = ~seen[:, 0], ~seen[:, 1]
    assert found.missing_together()[0, 1] == pytest.approx((a & b).sum() / (a | b).sum())
    [warning] = found.warnings
    assert f"{found.empty} of 50 rows have no label" in warning
    marked = km.describe_labels(np.nan_to_num(table, nan=-9999.0), missing=-9999.0)
    np.testing.assert_equal(rows_of(marked), rows_of(found))


def sources(y: np.ndarray) -> dict[str, Any]:
    parts = [y[:20], y[20:41], y[41:]]

    class Dataset(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> Any:
            return np.zeros((len(parts[i]), 2)), parts[i]

    found: dict[str, Any] = {
        "list": y.tolist(),
        "tensor": tensor(y, "float32"),
        "generator": (part for part in parts),
        "pairs": [(np.zeros(len(part)), part, np.ones(len(part))) for part in parts],
        "PyDataset": Dataset(),
    }
    if BACKEND == "torch":
        import torch

        data = torch.utils.data.TensorDataset(torch.zeros(50, 2), torch.tensor(y))
        found["DataLoader"] = torch.utils.data.DataLoader(data, batch_size=20)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        found["tf.data"] = tf.data.Dataset.from_tensor_slices((np.zeros((50, 2)), y)).batch(20)
    return found


def test_any_source_and_any_split(table: np.ndarray) -> None:
    y = table.astype("float32").astype("float64")
    whole = km.describe_labels(y)
    for name, source in sources(y).items():
        found = km.describe_labels(source, verbose=0)
        np.testing.assert_allclose(rows_of(found), rows_of(whole), err_msg=name, rtol=1e-12)
        assert (found.rows, found.complete) == (whole.rows, whole.complete), name


def test_dict_outputs(table: np.ndarray) -> None:
    outputs = {"pair": table[:, :2], "one": table[:, 2]}
    found = km.describe_labels(outputs)
    assert found.labels == ["pair/0", "pair/1", "one"]
    np.testing.assert_allclose(rows_of(found), deleted(table), rtol=1e-12)
    batches = [(0, {k: v[b] for k, v in outputs.items()}) for b in (slice(0, 9), slice(9, 50))]
    np.testing.assert_allclose(rows_of(km.describe_labels(batches)), deleted(table), rtol=1e-12)


def test_rank_3_and_rank_1(table: np.ndarray) -> None:
    found = km.describe_labels(table.reshape(10, 5, 3))
    np.testing.assert_allclose(rows_of(found), deleted(table), rtol=1e-12)
    np.testing.assert_allclose(rows_of(km.describe_labels(table[:, 1])), deleted(table[:, 1:2]))


REALS = np.linspace(10.0, 25.0, 40)


def with_marker(values: np.ndarray, marker: float, times: int = 5) -> np.ndarray:
    y = values.astype("float64")
    y[:times] = marker
    return y


BITS = np.arange(40) % 2.0


@pytest.mark.parametrize(
    ("y", "missing", "said"),
    [
        (with_marker(REALS, np.float32(-99.99)), "nan",
         ["-99.98999786", "occurs 5 times", "missing=-99.99"]),
        (with_marker(REALS, -9984.0), -9999.0, ["-9984.0 occurs 5 times", "rounding",
                                                "missing=(-9999.0, -9984)"]),
        (with_marker(REALS, -9999.0), "nan", ["missing=-9999"]),
        (with_marker(REALS, -9999.0), -1, ["missing=(-1, -9999)"]),
        (with_marker(REALS, 1e20), "nan", ["missing=1e+20"]),
        (with_marker(BITS, -1.0), "nan", ["-1 occurs 5 times among 0 and 1", "missing=-1"]),
        ((np.arange(40) % 7 + 248 * (np.arange(40) % 5 == 0)).astype("uint8").clip(0, 255)
         // 200 * 255 + np.arange(40).astype("uint8") % 7 * (np.arange(40) % 5 > 0), "nan",
         ["255", "missing=255"]),
        (with_marker(REALS, np.inf), "nan", ["5 labels are infinite"]),
        (with_marker(REALS, NAN), -9999.0, ["NaN occurs 5 times", "missing=(-9999.0, 'nan')"]),
        (np.full(40, 2.0), "nan", ["constant", "2"]),
        (np.full(40, NAN), "nan", ["no observed label"]),
        (with_marker(REALS, -10000.0).astype("float16"), -9999.0,
         ["float16 cannot hold the marker -9999", "-10000"]),
        (np.vstack([np.eye(4)[np.arange(30) % 4], np.zeros((3, 4))]), "nan",
         ["3 rows are all 0", "missing=0"]),
        (np.array([[1.0, 2.0], [NAN, NAN], [2.0, 1.0]]), "nan", ["1 of 3 rows have no label"]),
    ],
)  # fmt: skip
def test_warnings_name_the_cure(y: np.ndarray, missing: Any, said: list[str]) -> None:
    y = y[:, None] if y.ndim == 1 else y
    names = ["some label", *map(str, range(1, y.shape[1]))]
    found = km.describe_labels(y, names, missing=missing).warnings
    assert any(all(text in warning for text in said) for warning in found), found


@pytest.mark.parametrize(
    "y",
    [REALS, BITS, np.arange(40) % 7, np.where(BITS > 0, 1.0, -1.0), np.abs(REALS - 15) ** 4,
     np.eye(4)[np.arange(40) % 4], with_marker(REALS, NAN), with_marker(BITS, NAN)],
)  # fmt: skip
def test_sound_labels_give_no_warning(y: np.ndarray) -> None:
    found = km.describe_labels(y)
    assert [text for text in found.warnings if "rows have no label" not in text] == []


def test_named_markers_give_no_warning() -> None:
    assert km.describe_labels(with_marker(REALS, -9999.0), missing=-9999.0).warnings[1:] == []


def test_features() -> None:
    x = np.zeros((5, 2))
    x[3] = NAN
    [warning] = km.describe_labels(np.arange(5.0), x=x).warnings
    assert "1 of 5 rows have features that are NaN" in warning
    assert "FillMissing" in warning


def test_memory_is_bounded_and_long_data_have_a_bar(capsys: Any) -> None:
    def batches() -> Any:
        rng = np.random.default_rng(0)
        for _ in range(12):
            yield rng.normal(size=(1000, 2))

    found = km.describe_labels(batches())
    assert found.rows == 12_000
    kept = found._parts[0]
    assert kept.sample.rows.shape == (2000, 2)
    assert kept.distinct == [None, None]
    assert "12" in capsys.readouterr().out


def test_bfloat16_tensors() -> None:
    """-9999 is -9984 there, on PyTorch, too, which hands no such numbers to NumPy."""
    y = keras.ops.cast(keras.ops.convert_to_tensor([[1.0, -9999.0], [2.0, 3.0]]), "bfloat16")
    assert [row[1] for row in km.describe_labels(y, missing=-9999.0).table()] == [2, 1]


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="holds no labels"):
        km.describe_labels(np.zeros((3, 0)))
    with pytest.raises(ValueError, match="`labels` must name each column"):
        km.describe_labels(np.zeros((2, 3)), ["a"])
    with pytest.raises(ValueError, match="`missing`"):
        km.describe_labels(np.zeros((2, 3)), missing="foo")
    with pytest.raises(ValueError, match="same number of columns"):
        km.describe_labels([np.zeros((2, 3)), np.zeros((2, 2))])
    with pytest.raises(ValueError, match="masked array"):
        km.describe_labels(np.ma.masked_equal(np.arange(3.0), 1))
    with pytest.raises(ValueError, match="no labels"):
        km.describe_labels([])


def test_text_and_html(table: np.ndarray) -> None:
    found = km.describe_labels(table, ["a", "<b>", "c"])
    assert str(found) == repr(found)
    assert "rows complete" in str(found)
    assert "&lt;b&gt;" in found._repr_html_()
    assert "<b>" not in found._repr_html_()


def test_optional_packages_are_named(table: np.ndarray, monkeypatch: Any) -> None:
    for name in ("pandas", "matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    found = km.describe_labels(table)
    with pytest.raises(ImportError, match=r"pip install keras_masked\[report\]"):
        found.to_pandas()
    with pytest.raises(ImportError, match=r"pip install keras_masked\[report\]"):
        found.plot()


@pytest.mark.skipif(not has("pandas"), reason="pandas is not installed")
def test_pandas(table: np.ndarray) -> None:
    import pandas

    frame = pandas.DataFrame(table, columns=["a", "b", "c"])
    found = km.describe_labels(frame)
    assert found.labels == ["a", "b", "c"]
    shown = found.to_pandas()
    assert list(shown.columns) == ["observed", "share", "min", "max", "mean", "distinct"]
    np.testing.assert_allclose(shown["mean"], frame.mean())
    np.testing.assert_array_equal(shown["observed"], frame.count())


@pytest.mark.skipif(not has("matplotlib"), reason="matplotlib is not installed")
def test_picture(table: np.ndarray) -> None:
    figure = km.describe_labels(table, ["a", "b", "c"]).plot()
    top, bottom = figure.axes
    shade = np.ma.filled(top.images[0].get_array(), NAN)
    np.testing.assert_array_equal((shade == 1).sum(axis=0), (~np.isnan(table)).sum(axis=0))
    np.testing.assert_array_equal(
        [bar.get_height() for bar in bottom.patches], (~np.isnan(table)).sum(axis=0)
    )
