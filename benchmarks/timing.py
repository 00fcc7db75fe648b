"""Times of several calls, measured by turns so that they share whatever else the machine does."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Call = Callable[[], Any]

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""What a time is: by the clock on the wall, or what all threads of this process worked."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """One call's times.

    Attributes:
        milliseconds: Median time of a call.
        ratio: Median, over the rounds, of the time over the base's in the same round.
        low: First quartile of these ratios.
        high: Third quartile of these ratios.
    """

    milliseconds: float
    ratio: float
    low: float
    high: float


def interleave(
    calls: Mapping[str, Call],
    base: str,
    rounds: int,
    clock: str = "wall",
    sample: float = 0.01,
    limit: float = 20.0,
) -> dict[str, Timing | str]:
    """Times the calls by turns, `rounds` times each.

    A ratio is taken within each round, where both ran one after the other, and the median of the
    ratios is reported: a busy machine slows both.

    Args:
        calls: The calls by name; each must return when its results are there.
        base: The name of the call to which ratios refer.
        rounds: How often each is timed.
        clock: A key of `CLOCKS`.
        sample: Calls are repeated until one time takes about this many seconds.
        limit: Stop early, but not before 5 rounds, once this many seconds have passed.

    Returns:
        The timings by name, or what a call raised.
    """
    failed: dict[str, Timing | str] = {}
    repeats = {}
    for name, call in calls.items():
        try:
            for _ in range(3):  # the first compiles
                started = time.perf_counter()
                call()
                seconds = time.perf_counter() - started
        except Exception as error:
            if name == base:
                raise
            failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            continue
        repeats[name] = max(1, min(1000, round(sample / max(seconds, 1e-7))))

    times: dict[str, list[float]] = {name: [] for name in repeats}
    names = list(repeats)
    started = time.perf_counter()
    for turn in range(rounds):
        if turn >= 5 and time.perf_counter() - started > limit:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(_seconds(calls[name], repeats[name], CLOCKS[clock]))
    return {name: _timing(times[name], times[base]) for name in names} | failed


def _seconds(call: Call, repeats: int, now: Callable[[], float]) -> float:
    started = now()
    for _ in range(repeats):
        call()
    return (now() - started) / repeats


def _timing(times: list[float], base: list[float]) -> Timing:
    ratios = [a / b for a, b in zip(times, base, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Timing(1000 * statistics.median(times), middle, low, high)
