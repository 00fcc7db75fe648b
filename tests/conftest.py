"""Fixtures: one parametrisation over the case table for every law."""

from __future__ import annotations

import pytest

from tests.cases import LOSSES, METRICS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`loss_case` and `metric_case` run over every row of the table."""
    for name, cases in (("loss_case", LOSSES), ("metric_case", METRICS)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=str)
