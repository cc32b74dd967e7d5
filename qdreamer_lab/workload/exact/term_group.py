"""Terms that run together: what is known of them whatever the parameter values, and with some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qdreamer_lab.workload.exact.reconstruct import Reconstruction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.exact.lower import ExactProgram
    from qdreamer_lab.workload.fragment.split import TermSplit

__all__ = ["BoundGroup", "Group"]

_Axes = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Terms that run together, and what is known of them whatever the parameter values.

    Attributes:
        terms: The terms, carried back through Clifford gates at the end of the circuit.
        numbers: Their indices among all terms.
        signs: (terms,) float64; 1 or -1, by which their values are to be multiplied.
        gates: Indices of the circuit's gates that can influence them.
        measured: The qubits on which they act.
        plan: Their plan, with the matrices of the circuit for which it was found.
        split: How they fall apart over its fragments.
        contractions: Those planned so far, by axes and limit.
    """

    terms: tuple[Factors, ...]
    numbers: NDArray[np.int64]
    signs: NDArray[np.float64]
    gates: tuple[int, ...]
    measured: tuple[int, ...]
    plan: Partition
    split: TermSplit
    contractions: dict[tuple[_Axes, int], Reconstruction] = field(default_factory=dict)

    def contraction(
        self, program: ExactProgram, sliced: Sequence[int], limit_bytes: int
    ) -> Reconstruction:
        """How to contract tensors of this run when some cuts are fixed."""
        axes = program.axes(sliced)
        for (known, limit), found in tuple(self.contractions.items()):  # threads may add to it
            if known == axes and limit <= limit_bytes:
                return found
        made = Reconstruction(axes, limit_bytes)
        self.contractions[axes, limit_bytes] = made
        return made


@dataclass(frozen=True, eq=False, slots=True)
class BoundGroup:
    """A group with the matrices of one set of parameter values."""

    group: Group
    plan: Partition
    program: ExactProgram
