"""One way to run a circuit, as plain data. It must not know what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.cut.coupling_map import read_swap_price
from qdreamer_lab.workload.cut.options import SearchOptions, check_width
from qdreamer_lab.workload.modes import METHODS, MODE_NAMES, MODES, mode_of

if TYPE_CHECKING:
    from qdreamer_lab.workload.mode import Mode

__all__ = ["Configuration"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to run a circuit.

    Attributes:
        max_qubits: Greatest width of a fragment; from the circuit's width on nothing has to be cut.
        mode: "exact" or "sampled".
        kinds: Cuts that are allowed.
        cost: The cost model under which the plan is good.
        on: A kind of worker or a pilot's name; None for any.
        workers: How many share the work.
        method: How circuits are simulated: "statevector"; or, uncut and in exact mode,
            "matrix_product_state" or "stabilizer".
        in_process: Run here rather than as tasks of the session.
        swap_price: Bits that a swap on the device counts for where it is cut; None if cuts are made
            for the width alone.

    Raises:
        QDreamerError: Naming the field that makes no sense.
    """

    max_qubits: int
    mode: str
    kinds: tuple[str, ...] = KINDS
    cost: str = "lo"
    on: str | None = None
    workers: int = 1
    method: str = "statevector"
    in_process: bool = False
    swap_price: float | None = None

    def __post_init__(self) -> None:
        check_width(self.max_qubits)
        SearchOptions(self.kinds, self.cost)
        read_swap_price(self.swap_price)
        if self.mode not in MODE_NAMES:
            names = " or ".join(f'"{name}"' for name in MODE_NAMES)
            raise QDreamerError(f"mode must be {names}, got {self.mode!r}")
        if self.method not in METHODS:
            names = ", ".join(f'"{name}"' for name in METHODS)
            raise QDreamerError(f"method must be one of {names}, got {self.method!r}")
        if all((mode.name, mode.method) != (self.mode, self.method) for mode in MODES):
            raise QDreamerError(f'method "{self.method}" gives exact values: use mode="exact"')
        count: object = self.workers
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise QDreamerError(f"workers must be a whole number of at least 1, got {count!r}")

    @property
    def resolved(self) -> Mode:
        """The mode that its words name."""
        return mode_of(self.mode, self.method)

    @property
    def exact(self) -> bool:
        """Whether it gives exact values, and takes no shots."""
        return self.resolved.exact

    @property
    def cuts(self) -> bool:
        """Whether it cuts circuits into fragments where it must, and shares them among workers."""
        return self.resolved.cuts

    def describe(self, num_qubits: int) -> str:
        """In words, for a circuit of so many qubits."""
        # Cuts save work, or swaps, where the width does not ask for them.
        needless = self.cost == "work" or self.swap_price is not None
        whole = self.max_qubits >= num_qubits and not needless
        how = "uncut" if whole else f"in fragments of ≤ {self.max_qubits} qubits"
        if not self.cuts:
            state = self.method.replace("_", " ").removesuffix(" state")
            how += f" as a {state} state"
        if self.cost != "lo":
            how += f" ({_GOOD[self.cost]})"
        if self.swap_price is not None:
            how += f" (swaps at {self.swap_price:.3g} bits)"
        if set(self.kinds) != set(KINDS):
            how += f", {' and '.join(self.kinds)} cuts only"
        many = "one worker" if self.workers == 1 else f"{self.workers} workers"
        place = "in this process" if self.in_process else many
        return f"{how}, {self.mode}, {place}{f' on {self.on}' if self.on else ''}"


_GOOD = {
    "work": "fewest operations",
    "joint": "joint cuts",
    "locc": "joint cuts with communication",
}
