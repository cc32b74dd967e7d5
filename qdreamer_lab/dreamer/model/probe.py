"""A probe: a short call of a function that runs make, what it amounts to, and how long it takes.

It must not fit anything.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Probe", "Timing", "timed"]

_PASSES = 6

_OTHER_BYTES = 1 << 23
"""Written before each call: a task comes after other work, and finds nothing of its own in the
caches that belong to a core. A loop over one call would be up to twice as fast."""


@dataclass(frozen=True, eq=False, slots=True)
class Probe:
    """A call and what it amounts to.

    Attributes:
        name: For people.
        call: To be timed.
        counts: For each coefficient.
    """

    name: str
    call: Callable[[], Any]
    counts: NDArray[np.float64]


class Timing(NamedTuple):
    """How long a call took: the first time, as the median of several, and how much those differ."""

    first: float
    seconds: float
    noise: float


def timed(calls: Sequence[Callable[[], Any]], budget_s: float) -> list[Timing]:
    """Time calls, all in turn and then all again, as long as the budget lasts.

    What else goes on where this runs then slows all of them down alike, rather than some.

    Returns:
        One per call; nothing for those for which no time was left.
    """
    end = time.monotonic() + budget_s
    times: list[list[float]] = []
    other = np.zeros(_OTHER_BYTES // 8)
    for number in range(1 + _PASSES):
        for k, call in enumerate(calls):
            if time.monotonic() > end:
                break
            if number == 0:
                times.append([])
            with ThreadPoolExecutor(1) as fresh:  # runs have threads, and memory, of their own
                times[k].append(fresh.submit(_seconds, call, other).result())
    return [_timing(each) for each in times]


def _seconds(call: Callable[[], Any], other: NDArray[np.float64]) -> float:
    """Of one call, after other work."""
    other += 1
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _timing(times: list[float]) -> Timing:
    """The first time may have been spent on loading kernels."""
    later = times[1:] or times
    return Timing(times[0], float(np.median(later)), float(np.std(np.log(later))))
