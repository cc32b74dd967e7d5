"""Which gates, and which blocks, can influence an observable.

Going backwards, a gate is needed if it acts where the observable has come to act, unless both
commute. So a layer of ZZ rotations spreads an observable by one step, in whatever order the layer
is written down. What an observable has become is bounded from above by the Pauli letters that it
may have on each qubit. This module must not know plans.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.circuit.clifford import CODES, letter_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.clifford import LetterTable
    from qdreamer_lab.workload.circuit.gates import FlatGate
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = [
    "ABSENT",
    "LETTER_MASKS",
    "GateList",
    "measured_by",
    "needed_gates",
    "pair_mask",
    "reaching_blocks",
    "spread",
]

ABSENT = 1
"""The mask of a qubit on which an observable does not act."""

LETTER_MASKS = dict(zip(CODES, (1, 2, 4, 8, 9, 9, 3, 3, 5, 5), strict=True))
"""Which of I, X, Y, Z (bits 0 to 3) each letter is made of."""


class GateList:
    """What decides about light cones: where each gate acts, and what it does to observables.

    Args:
        gates: The circuit, in order.

    Attributes:
        qubits: Where each gate acts.
        commuting: Per gate, the Pauli strings there with which it commutes, as bits: number c on
            one qubit, 4 a + b on two, with b on the low qubit.
    """

    def __init__(self, gates: Sequence[FlatGate]) -> None:
        self.qubits = tuple(gate.qubits for gate in gates)
        self._stacks: list[tuple[list[int], NDArray[np.complex128]]] = []
        commuting: list[int] = [0] * len(gates)
        for size in (1, 2):
            which = [k for k, gate in enumerate(gates) if len(gate.qubits) == size]
            if which:
                stack = np.stack([gates[k].matrix for k in which])
                self._stacks.append((which, stack))
                for k, strings in zip(which, _commuting(stack), strict=True):
                    commuting[k] = strings
        self.commuting = tuple(commuting)

    @cached_property
    def tables(self) -> tuple[LetterTable | None, ...]:
        """Per gate, what it makes of letters if it is a Clifford gate; not all users ask."""
        tables: list[LetterTable | None] = [None] * len(self.qubits)
        for which, stack in self._stacks:
            for k, table in zip(which, letter_tables(stack), strict=True):
                tables[k] = table
        return tuple(tables)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GateList):
            return NotImplemented
        same = (self.qubits, self.commuting) == (other.qubits, other.commuting)
        return same and self.tables == other.tables

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
    masks = dict(measured)
    assert all(mask > ABSENT for mask in masks.values()), "what acts there is some Pauli letter"
    keep = []
    for k in reversed(range(len(gates.qubits)) if among is None else among):
        qubits = gates.qubits[k]
        if not any(qubit in masks for qubit in qubits):
            continue
        before = [masks.get(qubit, ABSENT) for qubit in qubits]
        commuting = gates.commuting[k]
        if pair_mask(before) & ~commuting:
            masks.update(zip(qubits, spread(before, commuting), strict=True))
            keep.append(k)
    return keep[::-1]


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


def pair_mask(masks: Sequence[int]) -> int:
    """Which Pauli strings may occur on one or two qubits, as bits; low qubit first."""
    return masks[0] if len(masks) == 1 else _OUTER[masks[1]][masks[0]]


def spread(masks: Sequence[int], commuting: int) -> list[int]:
    """The letters that an observable may have after a gate, U†OU, on each of the gate's qubits.

    If a gate commutes with L on a qubit, it is there made of I and L only, so it keeps {I, L} and
    {L', L''} apart.

    Args:
        masks: Letters on each qubit of the gate before, low qubit first.
        commuting: Pauli strings with which the gate commutes, as bits.
    """
    if len(masks) == 1:
        return [_SPREAD_ALONE[commuting & 15][masks[0]]]
    low, high = commuting & 15, _every_fourth(commuting)
    return [_SPREAD[low][masks[0]], _SPREAD[high][masks[1]]]


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


def _commuting(stack: NDArray[np.complex128]) -> list[int]:
    """Per gate (m, d, d), the Pauli strings with which it commutes exactly, as bits.

    A string that flips the bits x and has signs at the bits z turns a gate's element G[i, j] into
    (-1)^(z·(i⊕j)) G[i⊕x, j⊕x].
    """
    size = stack.shape[-1]
    rows = np.arange(size)
    both = rows[:, None] ^ rows
    found = np.zeros(len(stack), np.int64)
    for number in range(size * size):
        flips, signs = 0, 0
        for slot, code in enumerate((number & 3, number >> 2)):
            flips |= (code in (1, 2)) << slot
            signs |= (code in (2, 3)) << slot
        turned = stack[:, rows[:, None] ^ flips, rows ^ flips]
        negative = (np.bitwise_count(both & signs) & 1).astype(bool)
        same = np.where(negative, -turned, turned) == stack
        found |= same.all(axis=(1, 2)).astype(np.int64) << number
    return found.tolist()


def _every_fourth(mask: int) -> int:
    """Bits 0, 4, 8 and 12: strings that are the identity on the low qubit."""
    return mask & 1 | mask >> 3 & 2 | mask >> 6 & 4 | mask >> 9 & 8


def _outer(high: int, low: int) -> int:
    return sum(low << 4 * code for code in range(4) if high >> code & 1)


def _spread_table(identity_stays: bool) -> list[list[int]]:
    """For every set of letters that commute (bits 0 to 3) and every mask, the mask that follows."""
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


_OUTER = [[_outer(high, low) for low in range(16)] for high in range(16)]
_SPREAD = _spread_table(identity_stays=False)
_SPREAD_ALONE = _spread_table(identity_stays=True)
