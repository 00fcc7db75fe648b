"""What the examples in docstrings may take for granted, and what keeps JAX fast in long tests."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked
from tests.one_context import share_one_context

share_one_context()


@pytest.fixture(autouse=True)
def names(doctest_namespace: dict[str, Any]) -> None:
    """Imports that every example would otherwise repeat."""
    doctest_namespace.update(keras=keras, keras_masked=keras_masked, np=np)
