"""The rounds of shots that a run on a device would take, found out without the device.

Outcomes of one round decide how the shots of the next are dealt out, and for a precision how many
there are. So rounds are rehearsed on simulators without noise as far as that takes seconds, and
guessed beyond that. Nothing is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.long_run_warning import ROUGH_S
from qdreamer_lab.workload.sampled.allocation import neyman, rounded
from qdreamer_lab.workload.sampled.shot_goal import LEAST
from qdreamer_lab.workload.sampled.simulate import check_memory, sample_fragment
from qdreamer_lab.workload.sampled.work_sizes import batch_operations, variant_operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.sampled.rounds import Rounds
    from qdreamer_lab.workload.sampled.shot_goal import Goal
    from qdreamer_lab.workload.sampled.shots import ShotRequest
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["DEALT", "GUESSED", "REHEARSED", "Rehearsal", "rehearsed"]

_OVERHEAD_SHARE = 0.5
"""Exponent of the sampling overhead, a worst case, in the variance that shots are guessed from:
0.1 to 0.9 was found in chains, rings and GHZ states with up to four cuts."""

_MOST_POWER = 512.0
"""Power of two beyond which no number of shots is of use, but that is a number."""

_BENEFIT = 4
"""A guess must be over the greatest number of shots by this factor before it refuses anything."""

REHEARSED = (
    "shots for a precision were rehearsed on simulators without noise; a device's outcomes may ask "
    "for somewhat more or fewer"
)
DEALT = (
    "later rounds are dealt out by what the first one shows, and may take several times as many "
    "jobs: rehearsing them on simulators would take too long here"
)
GUESSED = (
    "shots for a precision are a guess from the sampling overhead, good to a factor of two or "
    "three: rehearsing them on simulators would take too long here"
)


@dataclass(frozen=True, eq=False, slots=True)
class Rehearsal:
    """What would be asked for, round by round.

    Attributes:
        rounds: Of each round, a request per fragment.
        note: What the number of shots rests on; empty where it was given.
    """

    rounds: tuple[tuple[ShotRequest, ...], ...]
    note: str = ""


def rehearsed(
    rounds: Rounds, goal: Goal, *, guess: float, limit_bytes: int, budget_s: float
) -> Rehearsal:
    """Find out the rounds of one bound circuit.

    Args:
        rounds: As they are made for the device; none of them has been taken.
        goal: When there are enough shots.
        guess: Variance of the worst value times shots, as far as can be told before any shot.
        limit_bytes: Most memory for simulators.
        budget_s: Most seconds for them, about.

    Raises:
        PrecisionError: If the precision takes more shots than are allowed; it says what they give.
    """
    first = tuple(rounds.requests())
    if not first:
        return Rehearsal(())
    found = [first]
    fragments = rounds.program.fragments
    spent, over = 0.0, False
    while not over:
        spent += sum(map(_seconds, fragments, found[-1]))
        if spent > budget_s or not _fits(fragments, limit_bytes):
            break
        results = [
            sample_fragment(fragment, request)
            for fragment, request in zip(fragments, found[-1], strict=True)
        ]
        rounds.take([(result.tensor, result.samples) for result in results])
        found.append(tuple(rounds.requests()))
        over = not found[-1]
    if over or len(found) > 1:  # the last may not have been rehearsed, but was decided on
        return Rehearsal(tuple(filter(None, found)), REHEARSED if goal.shots is None else "")
    if goal.shots is not None:
        circuits, taken = _size(first)
        left = goal.next(rounds=1, taken=taken, circuits=circuits, error=math.inf, cost=math.inf)
        return Rehearsal((first, *_more(first, left)), DEALT if left else "")
    per_shot = guess * 2.0 ** min(_OVERHEAD_SHARE * rounds.program.plan.log2_overhead, _MOST_POWER)
    return Rehearsal((first, *_guessed(first, goal, per_shot)), GUESSED)


def _guessed(
    first: Sequence[ShotRequest], goal: Goal, per_shot: float
) -> list[tuple[ShotRequest, ...]]:
    """The rounds after the first, where only the variance of the whole per shot is guessed."""
    doubted = replace(goal, max_shots=_BENEFIT * goal.max_shots)
    circuits, taken = _size(first)
    found: list[tuple[ShotRequest, ...]] = []
    while left := doubted.next(
        rounds=1 + len(found),
        taken=taken,
        circuits=circuits,
        error=math.sqrt(per_shot / taken),
        cost=per_shot,
    ):
        found += _more(first, left)
        taken += left
    return found


def _size(requests: Sequence[ShotRequest]) -> tuple[int, int]:
    """Circuits and shots of a round."""
    return (
        sum(len(request.variants) for request in requests),
        sum(int(request.shots.sum()) for request in requests),
    )


def _more(first: Sequence[ShotRequest], total: int) -> list[tuple[ShotRequest, ...]]:
    """A round of so many shots, dealt out as the first was; none if there are no shots."""
    if total <= 0:
        return []
    spread = np.concatenate([request.shots for request in first]).astype(float)
    shots = neyman(spread, total, np.full(len(spread), LEAST))
    parts = np.split(shots, np.cumsum([len(request.shots) for request in first])[:-1])
    found = []
    for request, mine in zip(first, parts, strict=True):
        if request.scales is not None:  # variants that were drawn have equal shots
            found.append(replace(request, shots=mine))
            continue
        even = rounded(mine)
        order = np.argsort(-even, kind="stable")
        found.append(replace(request, variants=request.variants[order], shots=even[order]))
    return [tuple(found)]


def _seconds(fragment: ShotFragment, request: ShotRequest) -> float:
    """What simulating a request takes, about."""
    program = fragment.program
    amplitudes = math.ldexp(program.variants, program.width)
    each = variant_operations(amplitudes, float(request.shots.mean()))
    return ROUGH_S * (batch_operations(amplitudes, len(program.steps)) + len(request.shots) * each)


def _fits(fragments: Sequence[ShotFragment], limit_bytes: int) -> bool:
    try:
        for fragment in fragments:
            check_memory(fragment, limit_bytes)
    except MemoryLimitError:
        return False
    return True
