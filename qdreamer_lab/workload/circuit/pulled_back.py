"""Terms of an observable carried back through the Clifford gates at the end of a circuit.

⟨0|V†U†TUV|0⟩ is the value of U†TU after V alone. If U is a Clifford gate, U†TU is a term again, so
U need not be run. Going backwards, this goes on until every qubit has met a gate that is needed and
is none; beyond, gates go only if they commute. This module must not know plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.circuit.clifford import CODES, FAILS
from qdreamer_lab.workload.circuit.lightcone import ABSENT, LETTER_MASKS, pair_mask, spread

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.clifford import LetterTable
    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["PulledBack", "pulled_back"]

_CODE = {letter: code for code, letter in enumerate(CODES)}

_MASKS = np.array([LETTER_MASKS[letter] for letter in CODES], np.uint16)

_PAIR_MASKS = np.array(
    [pair_mask((low, high)) for high in _MASKS.tolist() for low in _MASKS.tolist()], np.uint16
)


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
    going = _Going(gates, terms, frozenset(keep_all))
    keep = [k for k in range(len(gates.qubits) - 1, -1, -1) if going.needs(k)]
    return PulledBack(tuple(keep[::-1]), going.terms(), np.where(going.negative, -1.0, 1.0))


class _Going:
    """Terms on their way back through a circuit."""

    def __init__(self, gates: GateList, terms: Sequence[Factors], keep_all: frozenset[int]) -> None:
        self._gates = gates
        self._keep_all = keep_all
        acted = {qubit for term in terms for qubit, _ in term}
        used = {qubit for qubits in gates.qubits for qubit in qubits}
        self._letters = np.zeros((1 + max(acted | used, default=0), len(terms)), np.uint8)
        for number, term in enumerate(terms):
            for qubit, letter in term:
                self._letters[qubit, number] = _CODE[letter]
        self._acted = acted
        self._stopped: dict[int, int] = {}  # where a needed gate is: letters that there may be
        self.negative = np.zeros(len(terms), np.bool_)

    def needs(self, number: int) -> bool:
        """Take in the next gate; whether it is to be run."""
        qubits = self._gates.qubits[number]
        if self._acted.isdisjoint(qubits):
            return False
        commuting = self._gates.commuting[number]
        if number not in self._keep_all:
            table = self._gates.tables[number]
            free = self._stopped.keys().isdisjoint(qubits)
            if free and table is not None and self._turn(qubits, table):
                return False
            if self._strings(qubits, free) & ~commuting == 0:
                return False
        before = [self._mask(qubit) for qubit in qubits]
        self._stopped.update(zip(qubits, spread(before, commuting), strict=True))
        self._acted.update(qubits)
        return True

    def terms(self) -> tuple[Factors, ...]:
        """What the terms have become."""
        found: list[list[tuple[int, str]]] = [[] for _ in self.negative]
        for number, qubit in np.argwhere(self._letters.T).tolist():
            found[number].append((qubit, CODES[self._letters[qubit, number]]))
        return tuple(map(tuple, found))

    def _turn(self, qubits: tuple[int, ...], table: LetterTable) -> bool:
        """Put U†TU for T, if that is a product of letters for all terms."""
        where = self._numbers(qubits)
        codes = np.frombuffer(table.codes, np.uint8).reshape(-1, len(qubits))[where]
        if (codes == FAILS).any():
            return False
        self._letters[list(qubits)] = codes.T
        self.negative ^= np.frombuffer(table.negative, np.bool_)[where]
        self._acted.update(qubits)
        return True

    def _numbers(self, qubits: tuple[int, ...]) -> NDArray[np.intp]:
        """The place of each term's letters in a table."""
        place: NDArray[np.intp] = self._letters[qubits[0]].astype(np.intp)
        return place if len(qubits) == 1 else place + len(CODES) * self._letters[qubits[1]]

    def _strings(self, qubits: tuple[int, ...], free: bool) -> int:
        """Pauli strings that there may be on some qubits, as bits."""
        if not free:
            return pair_mask([self._mask(qubit) for qubit in qubits])
        masks = _MASKS if len(qubits) == 1 else _PAIR_MASKS
        return int(np.bitwise_or.reduce(masks[self._numbers(qubits)], initial=ABSENT))

    def _mask(self, qubit: int) -> int:
        """Letters that there may be on a qubit."""
        if qubit in self._stopped:
            return self._stopped[qubit]
        return int(np.bitwise_or.reduce(_MASKS[self._letters[qubit]], initial=0)) or ABSENT
