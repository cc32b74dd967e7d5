"""How the terms of an observable fall apart over the fragments of a plan.

A term becomes one product per fragment. Each distinct product is kept once per fragment, however
many terms use it. It must not run anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import ObservableError
from qdreamer_lab.workload.circuit.terms import LETTERS, Factors
from qdreamer_lab.workload.fragment.lower import fragment_programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["TermSplit", "split_terms"]


@dataclass(frozen=True, eq=False, slots=True)
class TermSplit:
    """How terms fall apart over the fragments of a plan, whatever the parameter values.

    Attributes:
        operators: Per fragment, the distinct products of local operators wanted of it.
        operator_of: (terms, fragments) int64; which of them each term uses.
        lone: Distinct products on the qubits without blocks.
        lone_of: (terms,) int64; which of those each term has.
    """

    operators: tuple[tuple[Factors, ...], ...]
    operator_of: NDArray[np.int64]
    lone: tuple[Factors, ...]
    lone_of: NDArray[np.int64]

    def lone_factors(self, lone: Mapping[int, NDArray[np.complex128]]) -> NDArray[np.float64]:
        """(terms,) what the qubits without blocks contribute.

        Args:
            lone: Their (2, 2) unitaries, as `BlockCircuit.lone` has them.
        """
        return np.array([_lone_factor(lone, product) for product in self.lone])[self.lone_of]


def split_terms(
    plan: Partition, terms: Sequence[Factors], programs: Sequence[FragmentProgram] | None = None
) -> TermSplit:
    """Split terms over the fragments of a plan.

    Raises:
        ObservableError: If a term acts on a qubit whose light cone the plan left out.
    """
    _check_measured(plan, terms)
    programs = fragment_programs(plan) if programs is None else programs
    home = {qubit: k for k, program in enumerate(programs) for qubit, _ in program.wires}
    local = {qubit: place for program in programs for qubit, place in program.wires}
    known: list[dict[Factors, int]] = [{} for _ in programs]
    lone: dict[Factors, int] = {}
    operator_of = np.empty((len(terms), len(programs)), dtype=np.int64)
    lone_of = np.empty(len(terms), dtype=np.int64)
    for row, term in enumerate(terms):
        parts: dict[int, list[tuple[int, str]]] = {}
        for qubit, letter in term:
            parts.setdefault(home.get(qubit, -1), []).append((local.get(qubit, qubit), letter))
        lone_of[row] = lone.setdefault(tuple(parts.get(-1, ())), len(lone))
        for column, seen in enumerate(known):
            part = tuple(parts.get(column, ()))
            operator_of[row, column] = seen.setdefault(part, len(seen))
    return TermSplit(tuple(map(tuple, known)), operator_of, tuple(lone), lone_of)


def _check_measured(plan: Partition, terms: Sequence[Factors]) -> None:
    missing = {qubit for term in terms for qubit, _ in term} - set(plan.blocks.measured)
    if missing:
        names = ", ".join(map(str, sorted(missing)))
        raise ObservableError(
            f"the plan was made for other observables: it leaves out what leads to qubit {names}"
        )


def _lone_factor(lone: Mapping[int, NDArray[np.complex128]], term: Factors) -> float:
    """Product of ⟨0|U†OU|0⟩ over the qubits that no block touches."""
    factor = 1.0
    for qubit, letter in term:
        state = lone[qubit][:, 0]
        factor *= float(np.real(np.vdot(state, LETTERS[letter] @ state)))
    return factor
