"""How long a search may go on: until when, how many rounds, and whether for a proof."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """What a search may spend.

    Attributes:
        deadline: `time.perf_counter()` after which nothing new starts.
        rounds: Rounds of refinement at most; None for as many as there is time for.
        skip: Rounds that an earlier search has made already, which are not repeated.
        prove: Whether half of the time is for proofs.
    """

    deadline: float
    rounds: int | None = 0
    skip: int = 0
    prove: bool = False

    @property
    def last_round(self) -> float:
        """Number of the round at which to stop."""
        return np.inf if self.rounds is None else self.skip + self.rounds
