"""What values labels can have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Domain:
    """The values that labels can have.

    Attributes:
        name: What they are, for messages.
        holds: Whether each label is one of them, of an array or a tensor. False for NaN.
    """

    name: str
    holds: Callable[[Any], Any]


POSITIVE = Domain("above 0", lambda y: y > 0)
NON_NEGATIVE = Domain("at least 0", lambda y: y >= 0)
INSIDE_UNIT = Domain("in the interval (0, 1)", lambda y: (y > 0) & (y < 1))
COUNTS = Domain("whole numbers, at least 0,", lambda y: (y >= 0) & (y % 1 == 0))


def between(low: float, high: float) -> Domain:
    """Numbers from one to another, both included."""
    return Domain(f"from {low:g} to {high:g}", lambda y: (y >= low) & (y <= high))
