"""Fixtures: one parametrisation over the case table for every law."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`loss_case` and `metric_case` run over every row of the table, but where `grid` says how."""
    from tests.cases import LOSSES, METRICS  # not in the process that deals out the tests

    marks = metafunc.definition.iter_markers("parametrize")
    done = {name for mark in marks for name in names_of(mark)}
    for name, cases in (("loss_case", LOSSES), ("metric_case", METRICS)):
        if name in metafunc.fixturenames and name not in done:
            metafunc.parametrize(name, cases, ids=str)


def names_of(mark: pytest.Mark) -> list[str]:
    """The arguments that a parametrization is of."""
    names = mark.args[0]
    return names.replace(",", " ").split() if isinstance(names, str) else list(names)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A row that cannot have a law says so itself, with the reason."""
    import keras

    from tests.laws import reason_without

    for item in items:
        reason = reason_without(item, keras.config.backend())
        if reason:
            item.add_marker(pytest.mark.skip(reason))
