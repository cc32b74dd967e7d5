"""A matrix product state in NumPy: blocks are applied to it, Pauli strings are read off it.

It takes and gives arrays; it must not know circuits, plans or sessions.

Each site is a tensor of shape (left, 2, right) whose rows are orthonormal, so that all sites to the
right of a bond together are an orthonormal basis. Schmidt coefficients are kept beside them. A
gate is applied as Hastings does it (J. Math. Phys. 50, 095207, 2009): nothing is ever divided by a
coefficient, so small ones do no harm.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import svd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["TRUNCATION", "MatrixProductState"]

TRUNCATION = 1e-22
"""Weight of Schmidt coefficients that may be dropped at a time: amplitudes are kept to its square
root, which is near rounding."""

_SWAP = np.eye(4, dtype=np.complex128)[[0, 2, 1, 3]]

_PAULIS = {
    "X": np.array([[0, 1], [1, 0]], np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], np.complex128),
    "Z": np.diag([1, -1]).astype(np.complex128),
}


class MatrixProductState:
    """A chain of tensors, |0…0⟩ at first.

    Args:
        num_qubits: n, in the order of the chain at first.
    """

    def __init__(self, num_qubits: int) -> None:
        zero = np.array([1, 0], np.complex128).reshape(1, 2, 1)
        self._sites = [zero] * num_qubits
        self._coefficients = [np.ones(1)] * num_qubits  # across the bond to the left of each site
        self._order = list(range(num_qubits))
        self._place = list(range(num_qubits))

    @property
    def widest(self) -> int:
        """The greatest bond dimension."""
        return max(map(len, self._coefficients))

    def apply_one(self, qubit: int, matrix: NDArray[np.complex128]) -> None:
        """Apply a (2, 2) unitary."""
        place = self._place[qubit]
        self._sites[place] = matrix @ self._sites[place]

    def apply_two(self, low: int, high: int, unitary: NDArray[np.complex128]) -> None:
        """Apply a (4, 4) unitary whose rows count 2 * high + low.

        The right one of the two is moved to the left one, and stays there, as in
        `kernels.simulate.bond_bounds`.
        """
        left, right = sorted((self._place[low], self._place[high]))
        while right > left + 1:
            self._apply(_SWAP, right)
            a, b = self._order[right - 1], self._order[right]
            self._order[right - 1], self._order[right] = b, a
            self._place[a], self._place[b] = right, right - 1
            right -= 1
        if self._place[low] < self._place[high]:
            unitary = _SWAP @ unitary @ _SWAP
        self._apply(unitary, right)

    def _apply(self, unitary: NDArray[np.complex128], right: int) -> None:
        """Apply to a site and the one to its left; rows count 2 * left one + right one."""
        a, b = self._sites[right - 1], self._sites[right]
        x, y = a.shape[0], b.shape[2]
        both = unitary @ np.tensordot(a, b, 1).reshape(x, 4, y)
        coefficients = self._coefficients[right - 1]
        weighted = (coefficients[:, None, None] * both).reshape(2 * x, 2 * y)
        values, rows = _leading(weighted)
        k = len(values)
        self._coefficients[right] = values
        self._sites[right - 1] = (both.reshape(2 * x, 2 * y) @ rows.conj().T).reshape(x, 2, k)
        self._sites[right] = rows.reshape(k, 2, y)

    def values(self, strings: Iterable[Factors]) -> dict[Factors, float]:
        """Expectation values of Pauli strings that are not the identity.

        What strings have in common from their first letter on is computed once.
        """
        placed = sorted((*self._spelled(string), string) for string in set(strings))
        found: dict[Factors, float] = {}
        known: list[NDArray[np.complex128]] = []  # after 0, 1, ... of the letters in common
        for (first, letters, string), after in zip_longest(placed, placed[1:]):
            common = _shared(letters, after[1]) if after and after[0] == first else -1
            if not known:
                known.append(np.diag(self._coefficients[first] ** 2).astype(np.complex128))
            left = known[-1]
            for number in range(len(known) - 1, len(letters)):
                left = self._beside(left, first + number, letters[number])
                if number < common:
                    known.append(left)
            del known[common + 1 :]
            found[string] = float(np.trace(left).real)
        return found

    def _spelled(self, string: Factors) -> tuple[int, str]:
        """The first place of a Pauli string, and the letters from there to its last one."""
        letters = {self._place[qubit]: letter for qubit, letter in string}
        first = min(letters)
        return first, "".join(letters.get(at, "I") for at in range(first, max(letters) + 1))

    def _beside(
        self, left: NDArray[np.complex128], place: int, letter: str
    ) -> NDArray[np.complex128]:
        """The left environment of the next site, bra (rows) and ket (columns), from this one's."""
        site = self._sites[place]
        x, _, y = site.shape
        ket = (left @ site.reshape(x, 2 * y)).reshape(x, 2, y)
        if letter != "I":
            ket = _PAULIS[letter] @ ket
        return site.reshape(2 * x, y).conj().T @ ket.reshape(2 * x, y)


def _shared(first: str, second: str) -> int:
    """How many letters two strings have in common from the first on."""
    return next(
        (k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )


def _leading(
    matrix: NDArray[np.complex128],
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """The singular values that are kept, normalized, and their right vectors as rows."""
    try:
        _, values, rows = np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:  # divide and conquer may fail to converge; QR takes longer
        _, values, rows = svd(matrix, full_matrices=False, lapack_driver="gesvd")
    tail = np.cumsum(np.square(values[::-1]))[::-1]
    kept = max(1, int(np.count_nonzero(tail > TRUNCATION)))
    values = values[:kept]
    return values / np.linalg.norm(values), np.ascontiguousarray(rows[:kept])
