"""What is suspicious about labels, said with the cure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_masked.observation import Missing, as_number
from keras_masked.report.statistics import LabelStatistics

USUAL = (9, 99, 999, 9999, 99999, 999999, 32767, 32768, 2147483647, 2147483648, 1e20, 1e30, 1e36)
"""Magnitudes of numbers that often mean that nothing is known."""
FEW = 3
"""So often a number must occur to be taken for a marker."""


def often(times: int) -> str:
    """How often, in words."""
    return "once" if times == 1 else f"{times:,} times"


def markers_of(missing: Missing) -> tuple[Any, ...]:
    """What `missing` names."""
    return missing if isinstance(missing, tuple) else (missing,)


def rounded_markers(missing: Missing) -> dict[Any, list[float]]:
    """What numbers that `missing` names become in half precision, and themselves."""
    found: dict[Any, list[float]] = {}
    for marker in markers_of(missing):
        if isinstance(marker, str) or math.isinf(marker) or not marker:
            continue
        numbers = [float(marker), as_bfloat16(marker)]
        if abs(marker) < 65504:
            numbers.append(float(np.float16(marker)))
        found[marker] = sorted(set(numbers))
    return found


def as_bfloat16(number: float) -> float:
    """The number as bfloat16 has it."""
    bits = np.float32(number).view("uint32")
    bits = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return float(np.uint32(bits << np.uint32(16)).view("float32"))


def short(value: float) -> str:
    """The shortest number that is the value, or is it in float32."""
    if not math.isfinite(value):
        return str(value)
    with np.errstate(over="ignore"):
        single = np.float32(value)
    text = repr(float(value))
    if np.isfinite(single) and float(single) == value:
        text = min(text, str(single), key=len)
    return text.removesuffix(".0") if "e" not in text else text


def cure(missing: Missing, value: float) -> str:
    """The argument that names one more marker."""
    named = [m for m in markers_of(missing) if m != "nan"]
    number: Any = short(value)
    if not named and missing == "nan":
        return f"pass missing={number}"
    names = [*map(repr, markers_of(missing)), number]
    return f"pass missing=({', '.join(names)})"


def warnings_of(stats: LabelStatistics, names: list[str]) -> list[str]:
    """All warnings about the labels, each with the column and what to do."""
    if not stats.rows:
        return ["There are no rows."]
    found = list(_of_dtype(stats))
    for c, name in enumerate(names):
        found += _of_column(stats, c, name)
        if stats.bounds is not None:
            found += stats.bounds.warnings_of(c, name)
    found += _of_rows(stats)
    return found


def _of_dtype(stats: LabelStatistics) -> Iterator[str]:
    if stats.dtype not in ("float16", "bfloat16"):
        return
    for marker in markers_of(stats.missing):
        if isinstance(marker, str) or math.isinf(marker):
            continue
        held = as_bfloat16(marker)
        if stats.dtype == "float16":
            with np.errstate(over="ignore"):
                held = float(np.float16(marker))
        if held != float(marker):
            yield (
                f"{stats.dtype} cannot hold the marker {short(float(marker))}: it is "
                f"{short(held)} there, and Keras widens labels before a loss sees them. Mark "
                "missing labels with NaN, or convert the labels to float32 before marking."
            )


def _of_column(stats: LabelStatistics, c: int, name: str) -> Iterator[str]:
    observed, missing = int(stats.observed[c]), stats.missing
    if not observed:
        yield f"{name!r} has no observed label: no loss or metric can say anything of it."
        return
    if stats.unnamed_nan[c]:
        yield (
            f"{name!r}: NaN occurs {often(stats.unnamed_nan[c])} and is not named: "
            f"pass missing=({', '.join([*map(repr, markers_of(missing)), repr('nan')])})."
        )
    if stats.infinite[c]:
        yield (
            f"{name!r}: {stats.infinite[c]:,} labels are infinite. If that means unknown, "
            "pass missing=float('inf') or -float('inf'); else mend them: a loss is infinite there."
        )
    yield from _of_markers(stats, c, name)
    low, high = float(stats.low.value[c]), float(stats.high.value[c])
    if stats.finite[c] > 1 and low == high:
        yield (
            f"{name!r} is constant: all {stats.finite[c]:,} labels are {short(low)}. R2, "
            "correlations and AUC are undefined; drop the column or see what became of it."
        )


def _of_markers(stats: LabelStatistics, c: int, name: str) -> Iterator[str]:
    missing = stats.missing
    said = set()
    for (column, marker, value), times in stats.rounded.items():
        if column == c and (times > 1 or value in (as_bfloat16(marker), float(np.float32(marker)))):
            said.add(value)
            yield (
                f"{name!r}: {value!r} occurs {often(times)} and is {short(float(marker))} but for "
                f"rounding: {cure(missing, value)}."
            )
    values = stats.values_of(c)
    low, high = stats.low, stats.high
    for side, other in ((low, high), (high, low)):
        value, times, follows = float(side.value[c]), int(side.count[c]), float(side.next[c])
        if (
            value in said
            or not math.isfinite(follows)
            or any(
                not isinstance(m, str) and as_number(m, "float64") == value
                for m in markers_of(missing)
            )
        ):
            continue
        if side is low and value == -1 and follows == 0 and _are_whole(values):
            rest = "0 and 1" if float(other.value[c]) <= 1 else f"0 ... {short(other.value[c])}"
            yield (
                f"{name!r}: -1 occurs {often(times)} among {rest}. If it means unknown, "
                f"{cure(missing, -1)}."
            )
        elif times >= FEW and _is_far(stats, c, value, follows, float(other.value[c])):
            yield (
                f"{name!r}: {value!r} occurs {often(times)}, far from all other labels (the next "
                f"is {short(follows)}). If it means unknown, {cure(missing, value)}."
            )


def _are_whole(values: list[float] | None) -> bool:
    return values is not None and all(value == round(value) for value in values)


def _is_far(stats: LabelStatistics, c: int, value: float, follows: float, other: float) -> bool:
    """Whether a value is apart from the others by more than these are from each other."""
    gap, spread = abs(follows - value), abs(other - follows)
    with np.errstate(over="ignore"):
        usual = any(math.isclose(abs(value), u, rel_tol=1e-6) for u in USUAL)
    if usual:
        first, _, third = stats.quartiles(c, value)
        return gap > 0.5 * spread or gap > 10 * (third - first) > 0
    return spread > 0 and gap > 3 * spread


def _of_rows(stats: LabelStatistics) -> Iterator[str]:
    if stats.empty:
        yield (
            f"{stats.empty:,} of {stats.rows:,} rows have no label. They may stay: they count "
            "nowhere; dropping them makes training faster."
        )
    rows = stats.one_hot_rows + stats.zero_rows + stats.other_rows
    one_hot = stats.one_hot_rows > 0.5 * rows and stats.other_rows <= 0.01 * rows
    if stats.columns > 2 and stats.zero_rows and one_hot:
        yield (
            f"{stats.zero_rows:,} rows are all 0 where the others are one-hot: they are no "
            "class. If that means unknown, pass missing=0, which takes a row of zeros for a "
            "missing label of vectors, or set such rows to NaN."
        )
