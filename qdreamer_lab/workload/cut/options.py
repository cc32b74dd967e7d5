"""What a user may ask of the search for a plan, checked once. It must not search."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.cut.coupling_map import Couplings, read_swap_price
from qdreamer_lab.workload.cut.problem import check_cost
from qdreamer_lab.workload.cut.widths import check_count, check_width

__all__ = ["BRIEFLY", "SearchOptions", "check_width"]

BRIEFLY = 8
"""Rounds of refinement where a plan is wanted soon and must be the same every time: in runs and in
what is predicted of them."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to look for a plan.

    Attributes:
        kinds: Cuts that are allowed, some of "gate" and "wire".
        cost: The cost model, one of `problem.COST_MODELS`.
        max_fragments: Most fragments there may be; None for any number.
        time_limit_s: Seconds to search for; the first plan is always finished.
        seed: Makes the search repeatable.
        rounds: Rounds of refinement at most; None for as many as there is time for. Given a number,
            the plan depends on the circuit and the options alone, unless the time runs out.
        devices: Widths of the devices, widest first, each of which runs one fragment at most; None
            for any number of fragments of one width. `read_devices` makes it.
        couplings: Of the device that runs every fragment, where the swaps that it needs count too;
            `read_couplings` makes it.
        swap_price: Bits that each of them counts for; None for `Couplings.swap_bits`.

    Raises:
        PlanError: Naming the option that makes no sense.
    """

    kinds: tuple[str, ...] = KINDS
    cost: str = "lo"
    max_fragments: int | None = None
    time_limit_s: float = 1.0
    seed: int = 0
    rounds: int | None = None
    devices: tuple[int, ...] | None = None
    couplings: Couplings | None = None
    swap_price: float | None = None

    def __post_init__(self) -> None:
        check_cost(self.cost)
        kinds: object = self.kinds
        listed = list(kinds) if isinstance(kinds, (tuple, list)) else []
        if not listed or not all(isinstance(kind, str) and kind in KINDS for kind in listed):
            raise PlanError(f'kinds must be some of ("gate", "wire"), got {kinds!r}')
        object.__setattr__(self, "kinds", tuple(listed))
        if self.max_fragments is not None:
            check_count("max_fragments", self.max_fragments)
            if self.devices is not None and self.max_fragments > len(self.devices):
                raise PlanError(
                    f"max_fragments={self.max_fragments}, but devices that max_qubits names: "
                    f"{len(self.devices)}, each for one fragment; leave max_fragments out, or name "
                    f"{self.max_fragments} devices"
                )
        object.__setattr__(self, "time_limit_s", _seconds(self.time_limit_s))
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)):
            raise PlanError(f"seed must be an integer, got {self.seed!r}")
        if not 0 <= self.seed < 2**62:
            raise PlanError(f"seed must be between 0 and 2^62, got {self.seed}")
        if self.rounds is not None:
            check_count("rounds", self.rounds, least=0)
        object.__setattr__(self, "swap_price", read_swap_price(self.swap_price))
        self._check_couplings()

    def _check_couplings(self) -> None:
        """Refuse what makes no sense of swaps.

        Raises:
            PlanError: Saying what to leave out.
        """
        if self.couplings is None:
            if self.swap_price is not None:
                raise PlanError("swap_price needs a coupling_map: give that of the device")
            return
        if self.devices is not None:
            raise PlanError(
                "coupling_map is that of one device, but max_qubits names several: give one width"
            )
        if self.cost == "work":
            raise PlanError(
                "cost='work' counts operations of simulators, which need no swaps: use 'lo', "
                "'joint' or 'locc' with coupling_map"
            )


def _seconds(given: float) -> float:
    """Read a time limit; infinite is one.

    Raises:
        PlanError: If it is no number, or negative.
    """
    if isinstance(given, bool) or not isinstance(given, float | int | np.integer | np.floating):
        raise PlanError(f"time_limit_s must be a number of seconds, got {given!r}")
    try:
        seconds = float(given)
    except OverflowError:
        raise PlanError("time_limit_s is too large for a number; math.inf is no limit") from None
    if math.isnan(seconds) or seconds < 0:
        raise PlanError(f"time_limit_s must not be negative, got {given!r}")
    return seconds
