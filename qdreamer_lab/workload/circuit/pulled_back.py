"""Terms of an observable carried back through the Clifford gates at the end of a circuit.

⟨0|V†U†TUV|0⟩ is the value of U†TU after V alone. If U is a Clifford gate, U†TU is a term again, so
U need not be run. Going backwards, this goes on until every qubit has met a gate that is needed and
is none; beyond, gates go only if they commute. This module must not know plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.gates.light_cones import carried_back
from qdreamer_lab.workload.circuit.clifford import CODES
from qdreamer_lab.workload.circuit.lightcone import MASK_RULES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["PulledBack", "pulled_back"]

_CODE = {letter: code for code, letter in enumerate(CODES)}


@dataclass(frozen=True, eq=False, slots=True)
class PulledBack:
    """What is left to run for some terms, and the terms to evaluate after it.

    Attributes:
        gates: Indices of the gates that are left, ascending.
        terms: What each term has become.
        signs: (terms,) float64; 1 or -1, by which its value is to be multiplied.
    """

    gates: tuple[int, ...]
    terms: tuple[Factors, ...]
    signs: NDArray[np.float64]


def pulled_back(
    gates: GateList, terms: Sequence[Factors], keep_all: Collection[int] = ()
) -> PulledBack:
    """Carry terms back as far as all of them can go together.

    Args:
        gates: The circuit.
        terms: Products of letters that are to be evaluated after one and the same circuit.
        keep_all: Indices of gates that are to be run in any case, if they act where terms do.
    """
    wires = max(gates.num_wires, 1 + max((q for term in terms for q, _ in term), default=-1))
    letters = np.zeros((wires, len(terms)), np.uint8)
    for number, term in enumerate(terms):
        for qubit, letter in term:
            letters[qubit, number] = _CODE[letter]
    kept = np.zeros(len(gates.qubits), np.bool_)
    kept[list(keep_all)] = True
    minus = np.zeros(len(terms), np.bool_)
    left = carried_back(
        gates.places, gates.commuting, gates.tables, kept, letters, minus, MASK_RULES
    )
    became = _terms_of(letters)
    return PulledBack(tuple(np.flatnonzero(left).tolist()), became, np.where(minus, -1.0, 1.0))


def _terms_of(letters: NDArray[np.uint8]) -> tuple[Factors, ...]:
    """Terms from their codes (qubits, terms)."""
    found: list[list[tuple[int, str]]] = [[] for _ in range(letters.shape[1])]
    for qubit, row in enumerate(letters.tolist()):
        for number, code in enumerate(row):
            if code:
                found[number].append((qubit, CODES[code]))
    return tuple(map(tuple, found))
