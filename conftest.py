"""What the examples in docstrings may take for granted, and what makes long runs of tests faster.

Keras is imported where it is needed: the process that deals out the tests does without.
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of one object run in one process."""
    from tests.scheduling import ByObject

    return ByObject(config, log)


def pytest_collection_modifyitems() -> None:
    """Where tests run, JAX lowers all graphs in one context."""
    from tests.one_context import share_one_context

    share_one_context()


@pytest.fixture(autouse=True)
def names(doctest_namespace: dict[str, Any]) -> None:
    """Imports that every example would otherwise repeat."""
    import keras
    import numpy as np

    import keras_masked

    doctest_namespace.update(keras=keras, keras_masked=keras_masked, np=np)
