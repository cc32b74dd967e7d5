"""Which gates, and which blocks, can influence an observable.

Going backwards, a gate is needed if it acts where the observable has come to act, unless both
commute. So a layer of ZZ rotations spreads an observable by one step, in whatever order the layer
is written down. What an observable has become is bounded from above by the Pauli letters that it
may have on each qubit. This module must not know plans.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.kernels.gates.light_cones import (
    ABSENT,
    MaskRules,
    Tables,
    commuting_strings,
    needed,
)
from qdreamer_lab.workload.circuit.clifford import CODES, letter_tables
from qdreamer_lab.workload.circuit.gates import gate_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.clifford import LetterTable
    from qdreamer_lab.workload.circuit.gates import FlatGate
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = [
    "LETTER_MASKS",
    "MASK_RULES",
    "GateList",
    "measured_by",
    "needed_by_each",
    "needed_gates",
    "reaching_blocks",
]

LETTER_MASKS = dict(zip(CODES, (1, 2, 4, 8, 9, 9, 3, 3, 5, 5), strict=True))
"""Which of I, X, Y, Z (bits 0 to 3) each letter is made of."""


class GateList:
    """The gates of a circuit as arrays, and what decides about light cones.

    Args:
        gates: The circuit, in order.

    Attributes:
        qubits: Where each gate acts.
        sources: Index of the circuit instruction that each came from, ascending.
        places: (m, 2) qubits, with -1 after a single one.
        matrices: (m, 4, 4); those of one-qubit gates fill the first two rows and columns.
    """

    def __init__(self, gates: Sequence[FlatGate]) -> None:
        self.qubits: tuple[tuple[int, ...], ...]
        self.sources: tuple[int, ...]
        self.qubits, matrices, self.sources = zip(*gates, strict=True) if gates else ((), (), ())
        self.places, self.matrices = gate_arrays(self.qubits, matrices)

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """(m,) rows of each matrix."""
        return np.where(self.places[:, 1] < 0, 2, 4)

    @cached_property
    def commuting(self) -> NDArray[np.int64]:
        """(m,) the Pauli strings with which each gate commutes, as bits.

        Number c on one qubit, 4 a + b on two, with b on the low qubit.
        """
        return commuting_strings(self.matrices, self._sizes)

    @cached_property
    def tables(self) -> Tables:
        """What the Clifford gates among them make of letters; not all users ask."""
        of = np.full(len(self.qubits), -1, np.int64)
        number: dict[LetterTable, int] = {}
        for gate, table in enumerate(letter_tables(self.matrices, self._sizes)):
            if table is not None:
                of[gate] = number.setdefault(table, len(number))
        count = len(CODES)
        codes = np.zeros((len(number), count * count, 2), np.uint8)
        negative = np.zeros((len(number), count * count), np.bool_)
        for table, k in number.items():
            length = len(table.negative)
            each = np.frombuffer(table.codes, np.uint8).reshape(length, -1)
            codes[k, :length, : each.shape[1]] = each
            negative[k, :length] = np.frombuffer(table.negative, np.bool_)
        return Tables(of, codes, negative)

    @property
    def num_wires(self) -> int:
        """One more than the greatest number of a qubit on which there is a gate."""
        return 1 + int(self.places.max(initial=-1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GateList):
            return NotImplemented
        pairs = ((self.places, other.places), (self.commuting, other.commuting))
        if not all(np.array_equal(a, b) for a, b in pairs):
            return False
        mine: tuple[NDArray[Any], ...] = self.tables
        theirs: tuple[NDArray[Any], ...] = other.tables
        return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))

    __hash__ = None  # type: ignore[assignment]


def needed_gates(
    gates: GateList, measured: Mapping[int, int], among: Sequence[int] | None = None
) -> list[int]:
    """Indices of the gates that can influence an observable, ascending.

    Args:
        gates: The circuit.
        measured: The qubits on which the observable acts, with masks as `measured_by` gives them.
        among: Indices of the gates that there are, ascending; None for all.
    """
    which = np.arange(len(gates.qubits)) if among is None else np.array(among, np.int64)
    keep, _ = needed_by_each(gates, [measured], which)
    found: list[int] = which[keep[0]].tolist()
    return found


def needed_by_each(
    gates: GateList, observables: Sequence[Mapping[int, int]], among: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which gates can influence each of several observables.

    Args:
        gates: The circuit.
        observables: The qubits on which each acts, as for `needed_gates`.
        among: Indices of the gates that there are, ascending.

    Returns:
        (observables, gates) whether each of `among` is needed, and (observables, qubits) whether
        there is a two-qubit gate that is.
    """
    last = max((qubit for measured in observables for qubit in measured), default=-1)
    masks = np.zeros((len(observables), max(gates.num_wires, 1 + last)), np.int64)
    for row, measured in zip(masks, observables, strict=True):
        for qubit, mask in measured.items():
            assert mask > ABSENT, "what acts there is some Pauli letter"
            row[qubit] = mask
    return needed(gates.places, gates.commuting, among, masks, MASK_RULES)


def measured_by(terms: Sequence[Factors]) -> dict[int, int]:
    """The qubits on which terms act, ascending, and what acts there.

    Returns:
        Per qubit, which of I, X, Y, Z (bits 0 to 3) occur there in some term.
    """
    found: dict[int, int] = {}
    count: dict[int, int] = {}
    for term in terms:
        for qubit, letter in term:
            found[qubit] = found.get(qubit, 0) | LETTER_MASKS[letter]
            count[qubit] = count.get(qubit, 0) + 1
    for qubit, times in count.items():
        if times < len(terms):
            found[qubit] |= ABSENT
    return dict(sorted(found.items()))


def reaching_blocks(pairs: NDArray[np.int64], measured: Iterable[int]) -> NDArray[np.int64]:
    """Indices of the blocks that reach a measured qubit when blocks do not commute, ascending.

    Args:
        pairs: (m, 2) qubits of each block, in order.
        measured: The qubits on which observables act.
    """
    reached = set(measured)
    keep = []
    listed = pairs.tolist()
    for k in range(len(listed) - 1, -1, -1):
        low, high = listed[k]
        if low in reached or high in reached:
            reached.update((low, high))
            keep.append(k)
    return np.array(keep[::-1], dtype=np.int64)


def _outer(high: int, low: int) -> int:
    return sum(low << 4 * code for code in range(4) if high >> code & 1)


def _spread_table(identity_stays: bool) -> list[list[int]]:
    """For every set of letters that commute (bits 0 to 3) and every mask, the mask that follows.

    If a gate commutes with L on a qubit, U†OU is there made of I and L only where O was, so it
    keeps {I, L} and {L', L''} apart.
    """
    table = []
    for commuting in range(16):
        kept = [1 << code for code in (1, 2, 3) if commuting >> code & 1]
        row = list(range(16))
        for mask in range(16):
            if len(kept) == 1:
                letter, others = kept[0], 14 & ~kept[0]
                new = mask | (others if mask & others else 0)
                if not identity_stays and mask & (ABSENT | letter):
                    new |= ABSENT | letter
            elif kept:  # the gate does nothing on this qubit
                new = mask
            elif identity_stays:
                new = mask | (14 if mask & 14 else 0)
            else:
                new = 15
            row[mask] = new
        table.append(row)
    return table


MASK_RULES = MaskRules(
    letters=np.array(list(LETTER_MASKS.values()), np.int64),
    outer=np.array([[_outer(high, low) for low in range(16)] for high in range(16)], np.int64),
    spread=np.array(_spread_table(identity_stays=False), np.int64),
    alone=np.array(_spread_table(identity_stays=True), np.int64),
)
"""What is told to kernels about masks."""
