"""Exact values by another way: a sum over paths of bits, contracted as a tensor network.

Between |0…0⟩ and the observable, each qubit has a bit after every turn about X. A turn is a matrix
between two bits of a qubit, a ZZ rotation a phase that depends on the bits of two, so ⟨U†PU⟩ is a
sum over the bits of two paths, of U and of its adjoint. opt_einsum finds the order of summation.
Nothing here comes from the packages that are checked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import opt_einsum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.utility.experiment import String

_PAULIS = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0, -1.0]).astype(complex),
}

_TOO_LARGE = 1 << 28
"""Elements of a tensor that would not fit here."""


class Oracle:
    """The value of one Pauli string at any angle; the order of summation is found once.

    Args:
        edges: Pairs of neighbours.
        steps: Turns about X, each followed by the ZZ rotations by -π/2.
        string: The observable.
        tries: Orders of summation to try; the plain greedy one if zero.

    Raises:
        MemoryError: If no order was found that fits into memory.
    """

    def __init__(
        self, edges: list[tuple[int, int]], steps: int, string: String, tries: int = 0
    ) -> None:
        self._sign, self._letters = _before_last_layer(dict(string), edges)
        self._turns, self._pairs = _cone(self._letters, edges, steps)
        operands = self._operands(0.3)
        how = opt_einsum.RandomGreedy(max_repeats=tries, minimize="size") if tries else "greedy"
        self._path, info = opt_einsum.contract_path(*operands, [], optimize=how)
        if info.largest_intermediate > _TOO_LARGE:
            raise MemoryError(f"a tensor has {info.largest_intermediate:.3g} elements")

    def value(self, angle: float) -> float:
        """The expectation value."""
        total: complex = opt_einsum.contract(*self._operands(angle), [], optimize=self._path)
        return self._sign * complex(total).real

    def _operands(self, angle: float) -> list[Any]:
        """Arrays and the numbers of their indices, in turn."""
        cosine, sine = math.cos(angle / 2), math.sin(angle / 2)
        turn = np.array([[cosine, -1j * sine], [-1j * sine, cosine]])
        spins = np.array([1, -1])
        phase: NDArray[np.complex128] = np.exp(0.25j * math.pi * np.outer(spins, spins))
        operands: list[Any] = []
        count = 0
        ends: list[dict[int, int]] = []
        for adjoint in (False, True):
            now: dict[int, int] = {}
            for turned, pairs in zip(self._turns, self._pairs, strict=True):
                for qubit in turned:
                    matrix = turn.conj() if adjoint else turn
                    if qubit in now:
                        operands += [matrix, [count, now[qubit]]]
                    else:
                        operands += [matrix[:, 0], [count]]
                    now[qubit], count = count, count + 1
                for first, second in pairs:
                    matrix = phase.conj() if adjoint else phase
                    operands += [matrix, [now[first], now[second]]]
            ends.append(now)
        ket, bra = ends
        for qubit in ket:
            operands += [_PAULIS[self._letters.get(qubit, "I")], [bra[qubit], ket[qubit]]]
        return operands


def _before_last_layer(
    letters: dict[int, str], edges: list[tuple[int, int]]
) -> tuple[float, dict[int, str]]:
    """The string carried back through the last ZZ rotations: V†PV with V = exp(iπ/4 ZZ).

    Where P and ZZ anticommute, V†PV = P V² = i P ZZ: X becomes Y and Y becomes -X where P has one
    of them, and on the other qubit a Z comes or goes.
    """
    letters, sign = dict(letters), 1.0
    for pair in edges:
        flips = [qubit for qubit in pair if letters.get(qubit) in ("X", "Y")]
        if len(flips) != 1:
            continue
        (one,) = flips
        (other,) = set(pair) - {one}
        if letters[one] == "X":
            letters[one] = "Y"
        else:
            letters[one], sign = "X", -sign
        if letters.pop(other, None) is None:
            letters[other] = "Z"
    return sign, letters


def _cone(
    letters: dict[int, str], edges: list[tuple[int, int]], steps: int
) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
    """What the string can feel: the qubits of each turn, and the pairs after it, in order."""
    seen = set(letters)
    turns = [sorted(qubit for qubit, letter in letters.items() if letter != "X")]  # which commutes
    pairs: list[list[tuple[int, int]]] = [[]]
    for _ in range(steps - 1):
        pairs.append([pair for pair in edges if seen & set(pair)])
        seen |= {qubit for pair in pairs[-1] for qubit in pair}
        turns.append(sorted(seen))
    return turns[::-1], pairs[::-1]
