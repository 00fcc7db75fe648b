"""What rows of the case table say of themselves, and how laws run over them."""

from __future__ import annotations

import re

import pytest

from tests.cases import ELSEWHERE, LOSSES, METRICS, Case
from tests.laws import deal, grid, laws, names_in

LOSS_KINDS = {
    "residual", "element-wise", "filled", "vector", "ids", "pairwise", "stacked", "stacked vector",
    "wrapped",
}  # fmt: skip
METRIC_KINDS = LOSS_KINDS - {"stacked vector"} | {
    "thresholds", "counts", "contingency", "columns", "rows", "medians", "bins",
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", ELSEWHERE)
ROWS = [*LOSSES, *METRICS]


@pytest.mark.parametrize(
    ("rows", "kinds"), [(LOSSES, LOSS_KINDS), (METRICS, METRIC_KINDS)], ids=["losses", "metrics"]
)
def test_one_row_represents_each_kind(rows: list[Case], kinds: set[str]) -> None:
    assert sorted(row.represents for row in rows if row.represents) == sorted(kinds)
    for row in rows:
        if row.represents in LOSS_KINDS:
            assert row.wrapped == (row.represents == "wrapped")
            assert row.class_ids == (row.represents == "ids")
            assert row.stacked == row.represents.startswith("stacked")
            assert row.vector == (row.represents in ("vector", "pairwise", "stacked vector"))


def test_a_grid_is_whole_for_representatives_alone() -> None:
    mark = grid("row", ROWS, a=[1, 2, 3], b=["x", "y"])
    met = {row: [p.values[1:] for p in mark.args[1] if p.values[0] is row] for row in METRICS}
    for row, combinations in met.items():
        assert len(combinations) == (6 if row.represents else 1)
    others = {c for row in METRICS if not row.represents for c in met[row]}
    assert len(others) == 6, "dealt to few"
    few = grid("row", ROWS, lambda row, a: a > 2, a=[1, 2, 3])
    assert {p.values[1] for p in few.args[1]} == {3}
    assert deal("any", []) == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.without], ids=str)
def test_laws_that_a_row_is_without(row: Case) -> None:
    """There is such a law, and a file that is named has a test of that row's class."""
    for law, reason in row.without.items():
        assert law.partition("@")[0] in laws()
        assert len(reason.split()) > 3
        for file in re.findall(r"test_\w+\.py", reason):
            assert row.covers in names_in(file)


@KINDS
def test_names_without_a_row_are_tested_in_the_file_named(kind: str) -> None:
    for each in ELSEWHERE[kind]:
        names = set().union(*(names_in(file) for file in each.file.split()))
        assert [name for name in each if name not in names] == [], each.file
