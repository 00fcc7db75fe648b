"""How laws run over rows of the case table: which combinations of a grid, and which not at all.

What a law varies (reduction, shape of the weights, rank, marker) is code that does not know the
formula, so that formula x reduction x weights is a product where a sum does. Rows that stand for a
kind of label (`Case.represents`) take the whole grid; every other row takes one combination of it,
dealt by its name, so that all rows together still meet most of them.
"""

from __future__ import annotations

import ast
import itertools
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent


def grid(
    name: str,
    rows: Iterable[Any],
    fits: Callable[..., bool] = lambda *_: True,
    others: Callable[..., bool] = lambda *_: True,
    **axes: Sequence[Any],
) -> pytest.MarkDecorator:
    """Parametrizes a law by rows, as the argument `name`, and by what it varies.

    Args:
        name: The argument of the law that is the row.
        rows: Cases, or what else has `represents`.
        fits: Whether a row can have a combination: (row, *combination).
        others: Whether a row that represents nothing may be dealt a combination, where one such
            fits: JAX compiles every formula for every shape, so that others should share one.
        axes: What varies, by argument.
    """
    parameters = []
    for row in rows:
        combinations = [c for c in itertools.product(*axes.values()) if fits(row, *c)]
        if not row.represents:
            combinations = [c for c in combinations if others(row, *c)] or combinations
            combinations = deal(f"{row} {' '.join(axes)}", combinations)
        for each in combinations:
            label = "-".join(str(x) for x in (row, *each))
            parameters.append(pytest.param(row, *each, id=label))
    return pytest.mark.parametrize((name, *axes), parameters)


def deal(key: str, combinations: list[Any]) -> list[Any]:
    """One of them, the same in every process and however many rows there are."""
    return [combinations[zlib.crc32(key.encode()) % len(combinations)]] if combinations else []


def representatives(rows: Iterable[Any]) -> list[Any]:
    """Rows for laws of code that is the same for all formulas: others would show nothing new."""
    return [row for row in rows if row.represents]


def intakes(rows: Iterable[Any], name: str = "update_state") -> list[Any]:
    """Rows for laws of how labels come in: representatives, and one of each method that takes them.

    Labels are aligned and cast before a formula or a metric sees them, by one method of all
    losses and by a few of metrics: what one row of a method has, all have. What they are summed
    with (`collect`) has to know of what shape they are, by itself.
    """
    found, known = [], set()
    for row in rows:
        method = getattr(type(row.make()), name, None)
        key = method if name == "update_state" else (method, row.label_axes)
        if row.represents or (method is not None and key not in known):
            found.append(row)
        known.add(key)
    return found


def graphs(rows: Iterable[Any], elsewhere: Iterable[Any] = ()) -> list[Any]:
    """Rows for the law that each is one graph, which takes longest of all laws.

    Representatives, and one of each formula, or class where there is none, and kind of label: not
    of each option. The mean of a formula that has its graph elsewhere is that graph.
    """

    def of(row: Any) -> tuple[Any, ...]:
        made = row.make()
        return getattr(made, "formula", None) or type(made), row.label_axes, made.label

    known = {of(row) for row in elsewhere}
    found = []
    for row in rows:
        key = of(row)
        if row.represents or key not in known:
            found.append(row)
        known.add(key)
    return found


def reason_without(item: Any, backend: str) -> str | None:
    """Why the row of a test does not have its law, where it does not: see `Case.without`."""
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        without = getattr(getattr(value, "case", value), "without", None)
        if isinstance(without, dict):
            law = item.originalname
            return without.get(law) or without.get(f"{law}@{backend}")
    return None


@cache
def names_in(file: str) -> set[str]:
    """Names, attributes and strings in the code of a file of tests, but for its docstrings."""
    found = set()
    for node in ast.walk(ast.parse((TESTS / file).read_text())):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


@cache
def laws() -> set[str]:
    """The names of all tests."""
    found = set()
    for path in TESTS.glob("test_*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}
