"""What values labels can have."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Domain:
    """The values that labels can have.

    Attributes:
        name: What they are, for messages.
        holds: Whether each label is one of them, of an array or a tensor. False for NaN.
        low: No label is less.
        high: No label is greater.
    """

    name: str
    holds: Callable[[Any], Any]
    low: float = -math.inf
    high: float = math.inf

    def meets(self, lower: Any, upper: Any) -> Any:
        """Whether an exact value is one of them, or one may lie between two ends."""
        within = (self.holds(upper) | (upper > self.low)) & (
            self.holds(lower) | (lower < self.high)
        )
        exact = lower == upper
        return (exact & self.holds(lower)) | (within & ~exact)


POSITIVE = Domain("above 0", lambda y: y > 0, low=0.0)
NON_NEGATIVE = Domain("at least 0", lambda y: y >= 0, low=0.0)
INSIDE_UNIT = Domain("in the interval (0, 1)", lambda y: (y > 0) & (y < 1), 0.0, 1.0)
COUNTS = Domain("whole numbers, at least 0,", lambda y: (y >= 0) & (y % 1 == 0), low=0.0)


def between(low: float, high: float) -> Domain:
    """Numbers from one to another, both included."""
    return Domain(f"from {low:g} to {high:g}", lambda y: (y >= low) & (y <= high), low, high)
