"""Exercises of the sixth notebook: what fits into memory, and who does what when."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from functools import cache

from qdreamer_lab.course.functions import Mistake, compare
from qdreamer_lab.course.verdict import NotRight, exercise

__all__ = ["TASKS_S", "check_schedule", "check_widest"]

TASKS_S = (8, 7, 5, 5, 4, 3, 2, 2)
"""Seconds that eight fragments take."""

_WORKERS = 3


def _widest(memory_bytes: float) -> int:
    """The widest state of complex numbers of 16 bytes each, found by trying."""
    return next(n for n in itertools.count() if 16 * 2 ** (n + 1) > memory_bytes)


def _widest_of(item_bytes: float) -> Mistake:
    reasons = {
        8: "You count 8 bytes an amplitude. It has a real and an imaginary part of 8 bytes each.",
        1: "You count a byte an amplitude. It has a real and an imaginary part of 8 bytes each.",
        2: "You count 16 bits an amplitude. It takes 16 bytes, that is 128 bits.",
        128: "You count 128 bytes an amplitude. It takes 128 bits, that is 16 bytes.",
    }
    return Mistake(lambda m: math.floor(math.log2(m / item_bytes)), reasons[round(item_bytes)])


@exercise
def check_widest(widest: object) -> str:
    """Check a function that says which state vector just fits into memory.

    Args:
        widest: Called with a number of bytes; returns the greatest number of qubits whose state,
            with 16 bytes for each amplitude, takes no more.
    """
    cases = [(16 * 2**10,), (16 * 2**10 - 1,), (10**9,), (2**34,), (24 * 10**9,), (10**15,), (40,)]
    mistakes = [
        *(_widest_of(size) for size in (8, 1, 2, 128)),
        Mistake(
            lambda m: math.ceil(math.log2(m / 16)),
            "You round up: then the state is larger than the memory. What does not fit does not "
            "count.",
        ),
        Mistake(
            lambda m: round(math.log2(m / 16)),
            "You round to the nearest number; where that is up, the state does not fit.",
        ),
        Mistake(
            lambda m: math.log2(m / 16),
            "That is no whole number of qubits, and half a qubit does not exist: round down.",
        ),
        Mistake(
            lambda m: math.floor(math.log2(m / 16)) - 1,
            "One qubit more still fits: a state that fills the memory exactly is allowed.",
        ),
        Mistake(
            lambda m: m // 16,
            "You count amplitudes. n qubits have 2^n of them, so n is a logarithm.",
        ),
    ]
    compare(
        widest,
        _widest,
        cases,
        mistakes,
        told=lambda memory: f"{memory:,} bytes",
    )
    return "a gigabyte holds 25 qubits, and each further qubit takes twice as much."


@cache
def _least_makespan() -> int:
    """The shortest makespan there is, found by trying all ways to deal the tasks out."""
    ways = itertools.product(range(_WORKERS), repeat=len(TASKS_S))
    return min(
        max(
            sum(s for s, w in zip(TASKS_S, way, strict=True) if w == worker)
            for worker in range(_WORKERS)
        )
        for way in ways
    )


@exercise
def check_schedule(schedule: object) -> str:
    """Check how tasks of given lengths are dealt out to three workers.

    Args:
        schedule: For each worker the seconds of its tasks, such as [[8, 3], [7, 5], [5, 4, 2, 2]].
    """
    try:
        dealt = [list(each) for each in schedule]  # type: ignore[attr-defined]
    except TypeError as error:
        raise NotRight(
            "A list for each worker is wanted, with the seconds of the tasks that it does."
        ) from error
    if len(dealt) > _WORKERS:
        raise NotRight(f"You deal out to {len(dealt)} workers, and there are {_WORKERS}.")
    given, there = Counter(itertools.chain.from_iterable(dealt)), Counter(TASKS_S)
    for seconds in given - there:
        what = "is no such task" if seconds not in there else "are not that many"
        raise NotRight(f"There {what} of {seconds} s among the tasks {TASKS_S}.")
    for seconds in there - given:
        raise NotRight(f"A task of {seconds} s is done by nobody.")
    makespan, least = max(map(sum, dealt)), _least_makespan()
    if makespan > least:
        idle = _WORKERS * makespan - sum(TASKS_S)
        if len([each for each in dealt if each]) < _WORKERS:
            raise NotRight(
                f"A worker has nothing to do while the last one ends after {makespan} s: use all "
                f"{_WORKERS}."
            )
        raise NotRight(
            f"The last worker ends after {makespan} s, and the others wait for {idle} s in all. "
            f"It can be done in {least} s: begin with the longest tasks, then move one."
        )
    return (
        f"all is done after {makespan} s. The sum of all tasks, divided by {_WORKERS}, is "
        f"{sum(TASKS_S) / _WORKERS:.1f} s; no way to deal them out can beat that."
    )
