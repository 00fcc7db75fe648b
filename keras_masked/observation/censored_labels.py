"""`censored_labels`: one form for exact values, bounds and intervals, however people write them."""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_masked.observation.missing import NAN, Missing, find_missing_in_array
from keras_masked.observation.missing import standardize_missing as standardize
from keras_masked.observation.rejected import reject_misread
from keras_masked.validation import one_of

Array = np.ndarray

QUALIFIERS = {
    "<": "<", "<=": "<", "=<": "<", "≤": "<", "⩽": "<", "≦": "<",
    ">": ">", ">=": ">", "=>": ">", "≥": ">", "⩾": ">", "≧": ">",
    "": "=", "=": "=", "==": "=", "~": "=", "≈": "=",
}  # fmt: skip
"""What people write before numbers, and what it says: a limit is a limit, included or not."""
NOTHING = frozenset(("", "na", "n/a", "nan", "none", "null", "<na>", "nat"))
"""What people write, in small letters, where they know nothing."""
CELL = re.compile(
    r"([^\d.+\-\s]*)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.ASCII | re.IGNORECASE
)


def censored_labels(
    values: Any,
    upper: Any = None,
    *,
    qualifier: Any = None,
    event: Any = None,
    missing: Missing = NAN,
    dtype: str = "float32",
) -> Array:
    """Returns labels of which some are known only to lie beyond a bound, or between two.

    Each label is two numbers, a lower and an upper end: equal ones are an exact value, an infinite
    one says that there is only the other bound, NaN that the label is missing. Losses and metrics
    take them with `censored=True`.

    Args:
        values: Labels as texts (`"<0.5"`, `"> 100"`, `"<=3"`, `"~7"`, `"1e3"`, `""`, `"NA"`) or
            numbers, in an array, lists, or a table of pandas. `"~"` is taken as an exact value, and
            a limit that is included as one that is not. With `upper`, the lower ends. With `event`,
            times.
        upper: The upper ends, where `values` are lower ends.
        qualifier: What stands before each of the values: `"<"`, `"<="`, `">"`, `">="`, `"="`,
            `"~"`, or nothing; of the shape of `values`, or one for all.
        event: Whether what is waited for happened at the time, true or 1; else it had not happened
            by then, 0 or false: the label is more.
        missing: Which numbers mean that a label is missing: `"nan"`, a number, or a tuple of these.
            They become NaN, as do empty cells.
        dtype: `"float32"` or `"float64"`.

    Returns:
        An array `(..., 2)` for values `(...)`.

    Raises:
        ValueError: On a text that is no number after a qualifier, `"3,5"` say, on a lower end above
            the upper one, or on events that are neither 0 nor 1. The message names the cell.

    Example:

    >>> keras_masked.censored_labels([["<0.5", "3.2"], [">100", ""]]).tolist()
    [[[-inf, 0.5], [3.200000047683716, 3.200000047683716]], [[100.0, inf], [nan, nan]]]
    >>> keras_masked.censored_labels([2.0, 5.0], event=[1, 0]).tolist()
    [[2.0, 2.0], [5.0, inf]]
    >>> keras_masked.censored_labels([0.5, 3.0], qualifier=["<", "="]).tolist()
    [[-inf, 0.5], [3.0, 3.0]]
    >>> keras_masked.censored_labels([0.0, -np.inf], [1.0, 4.0]).tolist()
    [[0.0, 1.0], [-inf, 4.0]]

    Source: the form of interval-censored labels as XGBoost's and `lifelines` take them, in one
    array.
    """
    given = [name for name, x in _named(upper, qualifier, event) if x is not None]
    if len(given) > 1:
        raise ValueError(
            "Give one of `upper`, `qualifier` and `event`, or none of them: each says by itself "
            f"what `values` are. Received: {', '.join(given)}"
        )
    dtype = one_of("float32", "float64")("censored_labels", "dtype", dtype)
    missing = standardize(missing)
    cells = Cells(values, "values", missing)
    if given:
        cells.require_exact()
    if upper is not None:
        above = Cells(upper, "upper", missing).like(cells)
        above.require_exact()
        ends = cells.number, above.number
    elif event is not None:
        happened = Cells(event, "event", NAN).like(cells)
        happened.require(lambda e: (e == 0) | (e == 1), "must be 0 or 1, or NaN")
        happened.require_exact()
        none = np.isnan(happened.number)
        later = np.where(happened.number == 0, np.inf, cells.limits[1])
        ends = np.where(none, np.nan, cells.limits[0]), later
    elif qualifier is not None:
        ends = cells.qualified(qualifier)
    else:
        ends = cells.limits
    if upper is None:
        cells.require(lambda x: ~np.isinf(x), "must hold finite numbers")
    absent = np.isnan(ends[0]) | np.isnan(ends[1])
    found = np.where(absent[..., None], np.nan, np.stack(ends, axis=-1))
    cells.require_all(~(found[..., 0] > found[..., 1]), "has a lower end above the upper one")
    with np.errstate(over="ignore"):
        kept = found.astype(dtype)
    cells.require_all(~(np.isinf(kept) & ~np.isinf(found)).any(-1), f"does not fit {dtype}")
    return kept


def _named(*arguments: Any) -> zip[tuple[str, Any]]:
    return zip(("upper", "qualifier", "event"), arguments, strict=True)


class Cells:
    """The cells of a table: numbers, and what they are limits of.

    Attributes:
        number: The numbers, NaN where there is none.
        side: -1 where the label is less than that, 1 where it is more, else 0.
    """

    def __init__(self, values: Any, name: str, missing: Missing) -> None:
        reject_misread(**{name: values})
        self.name = name
        self.columns = [str(c) for c in values.columns] if hasattr(values, "columns") else None
        if hasattr(values, "detach"):  # a tensor of PyTorch
            values = values.detach().cpu()
        self.given = np.asarray(values) if _is_plain(values) else _objects(values)
        if self.given.dtype.kind in "iufb":
            self.number = self.given.astype("float64")
            self.side = np.zeros(self.number.shape, "int8")
        else:
            read = [self._read(i, cell) for i, cell in enumerate(self.given.ravel().tolist())]
            side, number = zip(*read, strict=True) if read else ((), ())
            self.number = np.asarray(number, "float64").reshape(self.given.shape)
            self.side = np.asarray(side, "int8").reshape(self.given.shape)
        absent = find_missing_in_array(self.number, missing)
        self.number = np.where(absent, np.nan, self.number)

    def _read(self, index: int, cell: Any) -> tuple[int, float]:
        if isinstance(cell, str):
            text = cell.strip().replace("\N{MINUS SIGN}", "-")
            if text.lower() in NOTHING:
                return 0, np.nan
            found = CELL.fullmatch(text)
            if found and found[1] in QUALIFIERS:
                return _side(found[1]), float(found[2])
        elif cell is None or type(cell).__name__ in ("NAType", "NaTType"):
            return 0, np.nan
        elif isinstance(cell, numbers.Real | np.number | np.bool_):
            return 0, float(cell)
        where = self.place(np.unravel_index(index, self.given.shape))
        hint = " Write decimals with a point." if isinstance(cell, str) and "," in cell else ""
        raise ValueError(
            f"Argument `{self.name}` must hold numbers, alone or after one of <, <=, >, >=, = and "
            f"~, or nothing. Received: {cell!r} in {where}.{hint}"
        )

    @property
    def limits(self) -> tuple[Array, Array]:
        """Lower and upper ends."""
        lower = np.where(self.side < 0, -np.inf, self.number)
        upper = np.where(self.side > 0, np.inf, self.number)
        none = np.isnan(self.number)
        return np.where(none, np.nan, lower), np.where(none, np.nan, upper)

    def qualified(self, qualifier: Any) -> tuple[Array, Array]:
        """Lower and upper ends, of numbers with qualifiers beside them."""
        given = _objects(qualifier)
        if given.shape not in ((), self.number.shape):
            raise ValueError(
                "Argument `qualifier` must have the shape of `values`, or be one text. Received: "
                f"qualifier.shape={given.shape}, values.shape={self.number.shape}"
            )
        given = np.broadcast_to(given, self.number.shape)
        for index, each in enumerate(given.ravel().tolist()):
            word = "" if _is_nothing(each) else each.strip() if isinstance(each, str) else None
            if word not in QUALIFIERS:
                where = self.place(np.unravel_index(index, given.shape))
                raise ValueError(
                    "Argument `qualifier` must hold '<', '<=', '>', '>=', '=', '~' or ''. "
                    f"Received: {each!r} in {where}."
                )
            self.side[np.unravel_index(index, given.shape)] = _side(word)
        return self.limits

    def like(self, other: Cells) -> Cells:
        """Itself, if it has the shape of another."""
        if self.number.shape != other.number.shape:
            raise ValueError(
                f"Arguments `{other.name}` and `{self.name}` must have the same shape. Received: "
                f"{other.number.shape} and {self.number.shape}"
            )
        return self

    def require_exact(self) -> None:
        """Raises on qualifiers within cells, where something else says what they are."""
        self.require_all(self.side == 0, "has a qualifier of its own")

    def require(self, holds: Callable[[Array], Array], what: str) -> None:
        """Raises where there is a number of which something does not hold."""
        self.require_all(holds(self.number) | np.isnan(self.number), what)

    def require_all(self, right: Array, what: str) -> None:
        """Raises where it is not right, naming the first cell."""
        if not right.all():
            index = tuple(np.argwhere(~right)[0].tolist())
            cell = self.given[index]
            cell = cell.item() if isinstance(cell, np.generic) else cell
            raise ValueError(f"Argument `{self.name}` {what}: {cell!r} in {self.place(index)}.")

    def place(self, index: Any) -> str:
        """A cell in words."""
        index = tuple(int(i) for i in index)
        if not index:
            return "the only cell"
        row, *rest = index
        if not rest:
            return f"row {row}"
        if len(rest) == 1:
            return (
                f"row {row}, column {self.columns[rest[0]]!r}"
                if self.columns
                else (f"row {row}, column {rest[0]}")
            )
        return f"cell {index}"


def _side(qualifier: str) -> int:
    return {"<": -1, ">": 1, "=": 0}[QUALIFIERS[qualifier]]


def _is_nothing(cell: Any) -> bool:
    return cell is None or type(cell).__name__ == "NAType" or cell != cell


def _is_plain(values: Any) -> bool:
    """Whether an array of numbers, in which pandas has no marker of its own."""
    return str(getattr(values, "dtype", "")).startswith(("float", "int", "uint", "bool", "bfloat"))


def _objects(values: Any) -> Array:
    """Cells as they are, with what pandas calls NA."""
    if hasattr(values, "iloc"):
        values = values.to_numpy(dtype=object)
    return np.asarray(values, dtype=object)
