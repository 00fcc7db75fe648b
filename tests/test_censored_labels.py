"""`censored_labels`: from what people write to two ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import keras_masked as km

INF, NAN = np.inf, np.nan
EXAMPLES = {
    "<0.5": (-INF, 0.5), "> 100": (100, INF), "<=3": (-INF, 3), "\u2264 3": (-INF, 3),
    ">=-2": (-2, INF), "=<1": (-INF, 1), "~7": (7, 7), "1e3": (1000, 1000), ".5": (0.5, 0.5),
    "-2": (-2, -2), "\N{MINUS SIGN}2": (-2, -2), "= 4.": (4, 4), " +1E-2 ": (0.01, 0.01),
    "": (NAN, NAN), "NA": (NAN, NAN), "nan": (NAN, NAN), " n/a ": (NAN, NAN), "<NA>": (NAN, NAN),
}  # fmt: skip
NO_NUMBERS = ["3,5", "1.2.3", "<<3", "<", "inf", ">inf", "5 %", "1_000", "2-3", "x", "\u0663", "-"]


def test_from_texts() -> None:
    found = km.censored_labels(list(EXAMPLES))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, np.array(list(EXAMPLES.values()), "float32"))
    mixed = km.censored_labels([[None, 2], [np.float32(0.5), ">1"]], dtype="float64")
    assert mixed.dtype == "float64"
    np.testing.assert_array_equal(mixed, [[[NAN, NAN], [2, 2]], [[0.5, 0.5], [1, INF]]])


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_text_that_is_no_number_is_named_with_its_cell(text: str) -> None:
    with pytest.raises(ValueError, match=r"row 1, column 0") as error:
        km.censored_labels([["1", "2"], [text, "3"]])
    assert repr(text) in str(error.value)
    assert ("point" in str(error.value)) == ("," in text)


def test_from_numbers_and_what_stands_beside_them() -> None:
    values = np.array([1.0, NAN, 3.0, -9.0])
    for given, expected in [
        ({}, [[1, 1], [NAN, NAN], [3, 3], [-9, -9]]),
        ({"missing": -9}, [[1, 1], [NAN, NAN], [3, 3], [NAN, NAN]]),
        ({"upper": [2, 2, INF, NAN]}, [[1, 2], [NAN, NAN], [3, INF], [NAN, NAN]]),
        ({"event": [True, 1, 0, False]}, [[1, 1], [NAN, NAN], [3, INF], [-9, INF]]),
        ({"event": [NAN, 1, 0, 1.0]}, [[NAN, NAN], [NAN, NAN], [3, INF], [-9, -9]]),
        ({"qualifier": ["<", ">", " >= ", "~"]}, [[-INF, 1], [NAN, NAN], [3, INF], [-9, -9]]),
        ({"qualifier": [None, NAN, "", "="]}, [[1, 1], [NAN, NAN], [3, 3], [-9, -9]]),
        ({"qualifier": ">"}, [[1, INF], [NAN, NAN], [3, INF], [-9, INF]]),
    ]:
        np.testing.assert_array_equal(km.censored_labels(values, **given), expected)
    assert km.censored_labels(np.zeros((0, 3))).shape == (0, 3, 2)
    np.testing.assert_array_equal(km.censored_labels([-INF], [4]), [[-INF, 4]])


@pytest.mark.parametrize(
    ("values", "given", "words"),
    [
        ([3.0], {"upper": [2.0]}, ("above the upper", "3.0", "row 0")),
        ([3.0], {"upper": [2.0, 4.0]}, ("same shape", "(1,)", "(2,)")),
        ([3.0], {"upper": [4.0], "event": [1]}, ("upper, event",)),
        ([1.0, 3.0], {"event": [0, 2]}, ("`event`", "0 or 1", "row 1")),
        (["<3"], {"event": [1]}, ("`values`", "qualifier of its own", "'<3'")),
        (["3"], {"upper": [">3"]}, ("`upper`", "qualifier of its own")),
        ([1.0, 3.0], {"qualifier": ["<"]}, ("(1,)", "(2,)")),
        ([1.0, 3.0], {"qualifier": ["<", "?"]}, ("'?'", "row 1")),
        ([INF], {}, ("finite", "row 0")),
        ([1e39], {}, ("float32", "row 0")),
        ([1.0], {"dtype": "float16"}, ("dtype", "float16")),
        (np.ma.masked_array([1.0], [True]), {}, ("masked array",)),
    ],
)
def test_what_cannot_be(values: Any, given: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as error:
        km.censored_labels(values, **given)
    for word in words:
        assert word in str(error.value)


def test_from_pandas() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": ["<1", None, pd.NA], "b": pd.array([1, None, 3], dtype="Int64")})
    expected = [[[-INF, 1], [1, 1]], [[NAN, NAN], [NAN, NAN]], [[NAN, NAN], [3, 3]]]
    np.testing.assert_array_equal(km.censored_labels(table), expected)
    for dtype in ("string", "category"):
        column = pd.Series(["<1", None], dtype=dtype)
        np.testing.assert_array_equal(km.censored_labels(column), [[-INF, 1], [NAN, NAN]])
    times, events = pd.Series([2.0, 3.0], index=[7, 9]), pd.array([True, None], dtype="boolean")
    found = km.censored_labels(times, event=events)
    np.testing.assert_array_equal(found, [[2, 2], [NAN, NAN]])
    with pytest.raises(ValueError, match=r"'3,5' in row 2, column 'a'"):
        km.censored_labels(table.assign(a=["1", "2", "3,5"]))
