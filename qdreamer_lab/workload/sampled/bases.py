"""Which operators can be read off the same shots: measurement bases.

Operators whose letters agree in kind on every qubit they share commute qubit by qubit, and share a
basis. This module must not know fragments or cuts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.kernels.simulate.shot_counts import read_all, tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["TO_Z", "Basis", "bases_of", "outcome_basis"]

_KIND = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
_VALUE = {"+": 0, "-": 1, "r": 0, "l": 1, "0": 0, "1": 1}

_MASK_BITS = 63
"""Of a signed integer of 64 bits, without its sign."""

_ROOT = math.sqrt(0.5)
TO_Z = {
    "X": np.array([[_ROOT, _ROOT], [_ROOT, -_ROOT]], dtype=np.complex128),
    "Y": np.array([[_ROOT, -1j * _ROOT], [_ROOT, 1j * _ROOT]], dtype=np.complex128),
}
"""What turns a basis into Z."""


@dataclass(frozen=True, eq=False, slots=True)
class Basis:
    """A basis for every qubit that is measured, and how to read operators off bit strings.

    Attributes:
        letters: (qubit, "X" | "Y" | "Z") by ascending qubit; other qubits are not measured.
        operators: (k,) int64; which of the operators given are read in this basis.
        parity: (k,) int64 bit masks over qubits; see `kernels.simulate.shot_counts`.
        care: (k,) int64.
        value: (k,) int64.
        whole: The operators are the projectors on all outcomes of the qubits that are measured, in
            order, the first qubit being an outcome's least significant bit. They are counted, not
            read one by one, and have no masks.
    """

    letters: tuple[tuple[int, str], ...]
    operators: NDArray[np.int64]
    parity: NDArray[np.int64]
    care: NDArray[np.int64]
    value: NDArray[np.int64]
    whole: bool = False

    def count(self, hits: NDArray[np.int64], num_bits: int, sums: NDArray[np.float64]) -> None:
        """Add what every operator reads off every shot.

        Args:
            hits: (shots,) What was hit: `outcome << num_bits | bit string`; shot k belongs to group
                k modulo the number of groups.
            num_bits: Length of a bit string.
            sums: (groups, outcomes, operators), added to.
        """
        if not self.whole:
            tally(hits, num_bits, self.parity, self.care, self.value, sums)
            return
        groups, outcomes, operators = sums.shape
        at_cuts, read = hits >> num_bits, self._outcomes(hits)
        place = ((np.arange(len(hits)) % groups) * outcomes + at_cuts) * operators + read
        sums += np.bincount(place, minlength=sums.size).reshape(sums.shape)

    def means(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(outcomes, operators) as infinitely many shots would have it.

        Args:
            probabilities: (outcomes, 2**bits).
        """
        found = np.zeros((len(probabilities), len(self.operators)))
        if not self.whole:
            read_all(probabilities, self.parity, self.care, self.value, found)
            return found
        read = self._outcomes(np.arange(probabilities.shape[1]))
        for row, mine in zip(found, probabilities, strict=True):
            row += np.bincount(read, mine, len(row))
        return found

    def _outcomes(self, strings: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) outcomes of the measured qubits, from (n,) bit strings of all qubits."""
        found = np.zeros(len(strings), np.int64)
        for place, (qubit, _) in enumerate(self.letters):
            found |= (strings >> qubit & 1) << place
        return found


def outcome_basis(qubits: Sequence[int]) -> Basis:
    """The basis in which all outcomes of some qubits are told apart.

    Args:
        qubits: That are measured, ascending; their operators are the 2**len(qubits) projectors.

    Raises:
        PlanError: If a qubit has no bit in a bit string.
    """
    _check_room(max(qubits, default=0))
    nothing = np.zeros(0, np.int64)
    letters = tuple((qubit, "Z") for qubit in qubits)
    return Basis(letters, np.arange(1 << len(qubits)), nothing, nothing, nothing, whole=True)


def bases_of(operators: Sequence[Factors]) -> tuple[Basis, ...]:
    """Sort operators into few bases, each into the first that fits, longest operators first.

    Args:
        operators: Products of one-qubit operators; the empty product fits everywhere.

    Returns:
        At least one basis, if there is any operator; every operator is in exactly one.

    Raises:
        PlanError: If an operator acts on a qubit that has no bit in the masks.
    """
    _check_room(max((qubit for operator in operators for qubit, _ in operator), default=0))
    found: list[tuple[dict[int, str], list[int]]] = []
    for k in sorted(range(len(operators)), key=lambda k: -len(operators[k])):
        wanted = {qubit: _KIND[letter] for qubit, letter in operators[k]}
        for letters, members in found:
            if all(letters.get(qubit, kind) == kind for qubit, kind in wanted.items()):
                letters.update(wanted)
                members.append(k)
                break
        else:
            found.append((wanted, [k]))
    return tuple(_basis(letters, members, operators) for letters, members in found)


def _check_room(last: int) -> None:
    if last >= _MASK_BITS:
        raise PlanError(
            f"a fragment of at least {last + 1} qubits is too wide for shots, which are read from "
            f"{_MASK_BITS} qubits at most: plan with max_qubits={_MASK_BITS} or less"
        )


def _basis(letters: dict[int, str], members: list[int], operators: Sequence[Factors]) -> Basis:
    masks = np.array([_masks(operators[k]) for k in members], dtype=np.int64)
    return Basis(tuple(sorted(letters.items())), np.array(members, dtype=np.int64), *masks.T.copy())


def _masks(operator: Factors) -> tuple[int, int, int]:
    parity = care = value = 0
    for qubit, letter in operator:
        if letter in _VALUE:
            care |= 1 << qubit
            value |= _VALUE[letter] << qubit
        else:
            parity |= 1 << qubit
    return parity, care, value
