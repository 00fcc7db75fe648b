"""One vocabulary of what arguments of constructors may be.

A class says `admits = {"delta": POSITIVE}`; whoever constructs it gets an error that names the
class, the argument, what it may be and what was received. NumPy's numbers and arrays are taken and
kept as Python's, so that configurations can be saved and loaded.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any, Literal

import keras
import numpy as np

Reduction = Literal["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none"] | None
"""How a loss reduces."""
Average = Literal["micro", "samples", "macro"]
"""Of what a loss is the mean."""
ClassAverage = Literal["micro", "macro", "weighted"] | None
"""How scores of classes or labels become one."""
Aggregation = Literal["uniform_average", "variance_weighted_average"] | None
"""How scores of columns become one, in Keras's words."""


@dataclasses.dataclass(frozen=True)
class Check:
    """What an argument may be.

    Attributes:
        allowed: In words: "must be ...".
        convert: Returns the value as it is kept, or raises `ValueError`.
    """

    allowed: str
    convert: Callable[[Any], Any]

    def __call__(self, owner: str | None, name: str, value: Any) -> Any:
        """Returns the value as it is kept; else raises, naming the class, if any, and argument."""
        try:
            return self.convert(value)
        except (ValueError, TypeError, OverflowError):
            whose = f"{owner}: argument" if owner else "Argument"
            raise ValueError(
                f"{whose} `{name}` must be {self.allowed}. "
                f"Received: {name}={value!r} (of type {type(value).__name__})"
            ) from None


def _number(value: Any) -> int | float:
    """A finite number of Python's."""
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError
    found = value if isinstance(value, int) else float(value)
    if not math.isfinite(found) or abs(found) > float(np.finfo("float32").max):
        raise ValueError
    return found


def number(allowed: str, holds: Callable[[Any], bool] = lambda _: True) -> Check:
    """A number of which something holds."""

    def convert(value: Any) -> Any:
        found = _number(value)
        if not holds(found):
            raise ValueError
        return found

    return Check(allowed, convert)


def whole(allowed: str, least: int = -(2**31) + 1, most: int = 2**31 - 1) -> Check:
    """An integer, neither below the least nor above the most."""

    def convert(value: Any) -> int:
        found = _number(value)
        if not isinstance(found, int) or not least <= found <= most:
            raise ValueError
        return found

    return Check(allowed, convert)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise ValueError
    return bool(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _floating(value: Any) -> Any:
    if value is not None:
        policy = keras.dtype_policies.get(value)
        if not keras.backend.is_float_dtype(policy.compute_dtype):
            raise ValueError
    return value


def optional(check: Check) -> Check:
    """What another check admits, or `None`."""
    return Check(
        f"{check.allowed}, or None", lambda value: None if value is None else check.convert(value)
    )


def one_of(*choices: Any, any_case: bool = False) -> Check:
    """One of several values, or the member of an enumeration that has it."""

    def convert(value: Any) -> Any:
        if isinstance(value, enum.Enum):
            value = value.value
        if any_case and isinstance(value, str):
            value = next((each for each in choices if each.lower() == value.lower()), value)
        if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
            value = value.item()
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise ValueError

    return Check(f"one of {', '.join(map(repr, choices))}", convert)


def several(check: Check) -> Check:
    """A sequence, not empty, of what another check admits; kept as a tuple."""

    def convert(value: Any) -> Any:
        if not isinstance(value, list | tuple | range | np.ndarray) or not len(value):
            raise ValueError
        return tuple(check.convert(each) for each in value)

    return Check(f"a sequence, not empty, of which each is {check.allowed}", convert)


def increasing(check: Check) -> Check:
    """A sequence of what another check admits, each greater than the one before."""
    sequence = several(check)

    def convert(value: Any) -> Any:
        found = sequence.convert(value)
        if any(b <= a for a, b in itertools.pairwise(found)):
            raise ValueError
        return found

    return Check(f"{sequence.allowed}, greater than the one before", convert)


def one_or_several(check: Check, sequence: Check | None = None) -> Check:
    """What another check admits, or a sequence of it."""
    of = "of such" if sequence is None else "in which each is greater than the one before"
    sequence = sequence or several(check)

    def convert(value: Any) -> Any:
        alone = np.ndim(value) == 0 if isinstance(value, np.ndarray) else not _is_sequence(value)
        return check.convert(value) if alone else sequence.convert(value)

    return Check(f"{check.allowed}, or a sequence {of}", convert)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | range | np.ndarray)


def number_or(word: str) -> Check:
    """A finite number, or a word."""
    return Check(
        f"a finite number or {word!r}",
        lambda value: word if isinstance(value, str) and value == word else float(_number(value)),
    )


def instance(of: type, allowed: str) -> Check:
    """An instance of a class."""

    def convert(value: Any) -> Any:
        if not isinstance(value, of):
            raise ValueError
        return value

    return Check(allowed, convert)


def _names(value: Any) -> tuple[str, ...]:
    found = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    if not found or len(set(found)) < len(found) or not all(isinstance(n, str) for n in found):
        raise ValueError
    return found


def _pair(value: Any) -> Any:
    """Two numbers or vectors, as numbers and lists of Python's."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError
    arrays = [np.asarray(each) for each in value]
    if any(a.dtype.kind not in "iuf" or not a.size or not np.isfinite(a).all() for a in arrays):
        raise ValueError
    return tuple(a.tolist() for a in arrays)


FINITE = number("a finite number")
POSITIVE = number("a finite number above 0", lambda x: x > 0)
NON_NEGATIVE = number("a finite number, at least 0", lambda x: x >= 0)
FRACTION = number("a number in the interval (0, 1)", lambda x: 0 < x < 1)
QUANTILES = increasing(FRACTION)
QUANTILE_OR_SEVERAL = one_or_several(FRACTION, QUANTILES)
PROBABILITY = number("a number in [0, 1]", lambda x: 0 <= x <= 1)
POSITIVE_PROBABILITY = number("a number in (0, 1]", lambda x: 0 < x <= 1)
INTEGER = whole("an integer")
CLASS_ID = whole("an integer, at least 0", 0)
POSITIVE_INTEGER = whole("a positive integer", 1)
BOOLEAN = Check("True or False", _boolean)
STRING = Check("a string", _string)
NAMES = Check("a sequence, not empty, of distinct strings", _names)
AXES = optional(one_or_several(INTEGER))
LABEL_AXES = one_of(0, 1)
FILL = Check("a pair (label, prediction) of finite numbers or vectors", _pair)
FLOAT_DTYPE = Check("a floating-point dtype or a policy of one, or None", _floating)
