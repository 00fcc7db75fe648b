"""Errors that tests expect, and whatever evaluates objects to meet them."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest

from tests.backend import to_numpy


def evaluate(obj: Any, *batch: Any) -> np.ndarray:
    if isinstance(obj, keras.metrics.Metric):
        obj.update_state(*batch)
        return to_numpy(obj.result())
    return to_numpy(obj(*batch))


def raises(*parts: object) -> Any:
    """The error of a bad argument, whose message holds all parts."""
    return pytest.raises(
        ValueError, match="".join(f"(?s:(?=.*{re.escape(str(p))}))" for p in parts)
    )
