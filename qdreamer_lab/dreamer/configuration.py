"""One way to run a circuit, as plain data. It must not know what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.options import SearchOptions, check_width

__all__ = ["MODES", "Configuration"]

MODES = ("exact", "sampled")


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to run a circuit.

    Attributes:
        max_qubits: greatest width of a fragment; from the circuit's width on nothing is cut.
        mode: "exact" or "sampled".
        kinds: cuts that are allowed.
        cost: the cost model under which the plan is good.
        on: a kind of worker or a pilot's name; None for any.
        workers: how many share the work.
        method: how fragments are simulated; "statevector" is the only one so far.

    Raises:
        QDreamerError: naming the field that makes no sense.
    """

    max_qubits: int
    mode: str
    kinds: tuple[str, ...] = ("gate", "wire")
    cost: str = "lo"
    on: str | None = None
    workers: int = 1
    method: str = "statevector"

    def __post_init__(self) -> None:
        check_width(self.max_qubits)
        SearchOptions(self.kinds, self.cost)
        if self.mode not in MODES:
            raise QDreamerError(f'mode must be "exact" or "sampled", got {self.mode!r}')
        if self.method != "statevector":
            raise QDreamerError(f'method must be "statevector", got {self.method!r}')
        count: object = self.workers
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise QDreamerError(f"workers must be a whole number of at least 1, got {count!r}")

    def describe(self, num_qubits: int) -> str:
        """In words, for a circuit of so many qubits."""
        how = "uncut" if self.max_qubits >= num_qubits else f"in fragments of ≤ {self.max_qubits}"
        many = "one worker" if self.workers == 1 else f"{self.workers} workers"
        place = f" on {self.on}" if self.on else ""
        return f"{how}, {self.mode}, {many}{place}"
