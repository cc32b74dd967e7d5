"""Products of one-qubit operators as signs and selections of amplitudes.

A Pauli string takes |x⟩ to i^y (-1)^|x & signs| |x ^ flip⟩, y counting its Y. A projector on an
eigenstate of Z selects amplitudes. Every other projector is one of those after a rotation of its
qubit, so that no operator needs a copy of the states: they are rotated in place, and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Letters", "Rotated", "rotated_strings"]

Letters = tuple[tuple[int, str], ...]
"""(qubit, letter) for every qubit acted on, each once. Letters: X, Y, Z, and 0, 1, +, -, r, l,
which project on the eigenstates of Z, X and Y with the eigenvalues 1 and -1."""

_H = np.array([[1, 1], [1, -1]], complex) / np.sqrt(2)

_TO_Z = {"X": _H, "Y": _H @ np.diag([1, -1j])}
"""V with V P V† = Z, for P = X and Y."""

_PROJECTORS = {
    "0": ("Z", 0),
    "1": ("Z", 1),
    "+": ("X", 0),
    "-": ("X", 1),
    "r": ("Y", 0),
    "l": ("Y", 1),
}
"""The Pauli operator of each, and which of its eigenstates: 0 is that with eigenvalue 1."""

Basis = tuple[tuple[int, str], ...]
"""The Pauli operator that is to become Z, of each qubit that has to be rotated."""


@dataclass(frozen=True, eq=False, slots=True)
class Rotated:
    """Operators that are sums over amplitudes once some qubits have been rotated.

    Attributes:
        rotations: Qubits, and the (2, 2) unitaries to apply to all states first.
        numbers: (m,) Which operators, in the order of `strings`.
        strings: (m, 4) int64: flip, signs, mask and value. The sum over x of
            conj(bra[x ^ flip]) (-1)^|x & signs| ket[x], over those with x & mask == value.
        phases: (m,) Factors that the sums lack.
    """

    rotations: tuple[tuple[int, NDArray[np.complex128]], ...]
    numbers: NDArray[np.int64]
    strings: NDArray[np.int64]
    phases: NDArray[np.complex128]

    def groups(self, most: int) -> NDArray[np.int64]:
        """(k, 2) first string and number of strings, at most `most`, of the same flip."""
        found: list[list[int]] = []
        for number, flip in enumerate(self.strings[:, 0].tolist()):
            if found and self.strings[found[-1][0], 0] == flip and found[-1][1] < most:
                found[-1][1] += 1
            else:
                found.append([number, 1])
        return np.array(found, np.int64)


def rotated_strings(operators: Sequence[Letters]) -> list[Rotated]:
    """Sort operators by the rotations that they need, and then by what they flip."""
    found: dict[Basis, list[tuple[list[int], complex, int]]] = {}
    for number, operator in enumerate(operators):
        basis = tuple(
            sorted(
                (qubit, _PROJECTORS[letter][0])
                for qubit, letter in operator
                if letter in _PROJECTORS and _PROJECTORS[letter][0] != "Z"
            )
        )
        found.setdefault(basis, []).append((*_string(operator), number))
    return [_rotated(basis, members) for basis, members in found.items()]


def _string(operator: Letters) -> tuple[list[int], complex]:
    """Flip, signs, mask and value once projectors are projectors on eigenstates of Z; the phase."""
    flip = signs = mask = value = 0
    phase = 1 + 0j
    for qubit, letter in operator:
        bit = 1 << qubit
        if letter in _PROJECTORS:
            mask |= bit
            value |= bit * _PROJECTORS[letter][1]
        elif letter == "Z":
            signs |= bit
        else:
            flip |= bit
            if letter == "Y":
                signs |= bit
                phase *= 1j
    return [flip, signs, mask, value], phase


def _rotated(basis: Basis, members: list[tuple[list[int], complex, int]]) -> Rotated:
    members = sorted(members, key=lambda member: member[0][0])
    return Rotated(
        tuple((qubit, _TO_Z[axis]) for qubit, axis in basis),
        np.array([number for _, _, number in members], np.int64),
        np.array([string for string, _, _ in members], np.int64),
        np.array([phase for _, phase, _ in members], np.complex128),
    )
