"""When there are enough shots, and how many the next round takes.

Pure arithmetic; it must not know which variant a shot is of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdreamer_lab.errors import PrecisionError

__all__ = ["LEAST", "PILOT_LEAST", "Goal"]

LEAST = 2
"""Least shots of a variant in any round: one has no spread."""

PILOT_LEAST = 8
"""Least shots of a variant in the first round: fewer say too little about its variance."""

_PILOT_SHOTS = 32
"""Shots of a variant in the first round, on average, when a precision is wanted."""

_PILOT_SHARE = 0.15
"""Share of the first round when the number of shots is given."""

_GROWTH = 16
"""Shots of a round over those before it, at most: what decides how to spend them must be known
well enough. And at least one over this, lest there be many small rounds."""

_ROUNDS = 8
"""Rounds that are run for a precision, at most."""

_SLACK = 1.05
"""A standard error this close to the one wanted is good enough."""


@dataclass(frozen=True, slots=True)
class Goal:
    """When there are enough shots.

    Attributes:
        precision: Standard error wanted of every observable.
        shots: Shots to take instead, whatever error that gives; None to go by precision.
        max_shots: Most shots to take for a precision.
    """

    precision: float
    shots: int | None
    max_shots: int

    def check(self, circuits: int) -> None:
        """Refuse too few shots.

        Raises:
            PrecisionError: With how many it takes for so many different circuits.
        """
        name, allowed = ("max_shots", self.max_shots)
        if self.shots is not None:
            name, allowed = ("shots", self.shots)
        if allowed < LEAST * circuits:
            raise PrecisionError(
                f"{name}={allowed}: too few for {circuits} different circuits: give at "
                f"least {LEAST * circuits}, or plan with a larger max_qubits"
            )

    @property
    def expected(self) -> float:
        """About how many there will be, before anything is known."""
        return self.shots or min(self.max_shots, self.precision**-2)

    def first(self, circuits: int) -> int:
        """Shots of the first round, over so many different circuits."""
        if self.shots is None:
            return min(self.max_shots, _PILOT_SHOTS * circuits)
        if self.shots < 4 * PILOT_LEAST * circuits:
            return self.shots  # too few to learn from
        return max(PILOT_LEAST * circuits, round(_PILOT_SHARE * self.shots))

    def next(self, *, rounds: int, taken: int, circuits: int, error: float, cost: float) -> int:
        """Shots of the next round; 0 if there is none.

        Args:
            rounds: Rounds so far.
            taken: Shots so far.
            circuits: Different circuits.
            error: Greatest standard error so far.
            cost: Shots times variance of that observable: what one more shot is worth.

        Raises:
            PrecisionError: If the precision takes more shots than are allowed; it says what can
                be reached.
        """
        if self.shots is not None:
            left = self.shots - taken  # devices round shots, and a few may be left
            return left if left >= max(LEAST * circuits, self.shots // 10) else 0
        if error <= _SLACK * self.precision or rounds == _ROUNDS:
            return 0
        # Rounds add up like resistors in parallel: 1/v = 1/v_now + shots / cost.
        more = cost * (self.precision**-2 - error**-2)
        if taken + more > self.max_shots:
            reached = (error**-2 + (self.max_shots - taken) / cost) ** -0.5
            raise PrecisionError(
                f"precision {self.precision:.3g} needs about {taken + more:.2g} shots, more "
                f"than max_shots={self.max_shots:,}: with these, about {reached:.2g} can be "
                "reached; raise max_shots, ask for less precision, or cut less (a larger "
                "max_qubits)"
            )
        least = max(LEAST * circuits, taken // _GROWTH)
        return max(least, min(math.ceil(more), _GROWTH * taken))
