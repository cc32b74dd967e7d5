"""Which gates are Clifford gates, and what those make of the letters of observables.

A Clifford gate U turns every Pauli string P into one Pauli string, U†PU (Gottesman, *The Heisenberg
representation of quantum computers*, quant-ph/9807006). Gates are known by their matrices, so that
two T gates in a row are one S. It must not know circuits.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.gates.light_cones import FAILS, may_be_clifford
from qdreamer_lab.workload.circuit.terms import LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CODES", "FAILS", "LetterTable", "letter_tables", "pauli_images"]

CODES = ("I", "X", "Y", "Z", "0", "1", "+", "-", "r", "l")
"""Letters of observables in the order of their codes; the first four are the Pauli matrices."""

_PAULIS = np.stack([np.eye(2), LETTERS["X"], LETTERS["Y"], LETTERS["Z"]])

_STRINGS = {2: _PAULIS, 4: np.einsum("aij,bkl->abikjl", _PAULIS, _PAULIS).reshape(16, 4, 4)}
"""By size of their matrices, Pauli strings: number 4 a + b is b on the low qubit."""

_PROJECTORS = {4: (3, 0), 5: (3, 1), 6: (1, 0), 7: (1, 1), 8: (2, 0), 9: (2, 1)}
"""Projectors (I ± P)/2 by code: the code of P, and whether its sign is negative."""

_CODE_OF = {value: code for code, value in _PROJECTORS.items()}

_EXACT = 1e-14
"""What the image of a string may hold of others, in their coefficients: rounding, and no more."""


@dataclass(frozen=True, slots=True)
class LetterTable:
    """What a Clifford gate on one or two qubits makes of products of letters.

    Attributes:
        codes: What each becomes: number c on one qubit, 10 a + b on two, with b on the low qubit,
            has its codes there, low qubit first, one byte each; `FAILS` if it is no such product.
        negative: One byte each, 1 where the sign changes.
    """

    codes: bytes
    negative: bytes


def pauli_images(
    unitaries: NDArray[np.complex128],
) -> tuple[NDArray[np.uint8], NDArray[np.int8], NDArray[np.float64]]:
    """What gates make of Pauli strings, U†PU.

    Args:
        unitaries: (m, d, d), d = 2 or 4.

    Returns:
        (m, d²) the number of the string that each becomes most of all, its sign there, and the
        greatest coefficient that any other has: zero for a Clifford gate.
    """
    size = unitaries.shape[-1]
    strings = _STRINGS[size]
    turned = unitaries.conj().transpose(0, 2, 1)[:, None] @ strings @ unitaries[:, None]
    flat = turned.reshape(len(unitaries), size * size, size * size)
    overlap = np.real(flat @ strings.conj().reshape(size * size, -1).T) / size
    best = np.abs(overlap).argmax(axis=2)
    value = np.take_along_axis(overlap, best[:, :, None], axis=2)[:, :, 0]
    # The others say more than the greatest one: it falls with the square of their size.
    np.put_along_axis(overlap, best[:, :, None], 0.0, axis=2)
    return best.astype(np.uint8), np.sign(value).astype(np.int8), np.abs(overlap).max(axis=2)


def letter_tables(
    matrices: NDArray[np.complex128], sizes: NDArray[np.int64] | None = None
) -> list[LetterTable | None]:
    """The table of each gate that is a Clifford gate to rounding, None for others.

    Args:
        matrices: (m, d, d), C-contiguous.
        sizes: (m,) how many rows and columns of each count, the rest being zero; d if None.
    """
    tables: list[LetterTable | None] = [None] * len(matrices)
    for gate in np.flatnonzero(may_be_clifford(matrices)).tolist():
        size = matrices.shape[1] if sizes is None else int(sizes[gate])
        tables[gate] = _table(matrices[gate, :size, :size].tobytes(), size)
    return tables


@lru_cache(maxsize=1024)
def _table(content: bytes, size: int) -> LetterTable | None:
    """The table of a matrix, by its bytes."""
    images, signs, others = pauli_images(np.frombuffer(content, complex).reshape(1, size, size))
    if not (others < _EXACT).all():
        return None
    image, negative = images[0].tolist(), (signs[0] < 0).tolist()
    codes, changed = [], []
    for pair in itertools.product(range(len(CODES)), repeat=size // 2):
        found = _turned(pair[::-1], image, negative)
        codes += [FAILS] * len(pair) if found is None else list(found[0])
        changed.append(found is not None and found[1])
    return LetterTable(bytes(codes), bytes(changed))


def _turned(
    letters: tuple[int, ...], image: list[int], negative: list[bool]
) -> tuple[tuple[int, ...], bool] | None:
    """What becomes of letters, low qubit first, and whether the sign changes."""
    if max(letters) < 4:
        string = sum(code << 2 * slot for slot, code in enumerate(letters))
        became = tuple(image[string] >> 2 * slot & 3 for slot in range(len(letters)))
        return became, negative[string]
    # A projector is no string: each letter must go to a single place, and no two to the same.
    out = [0] * len(letters)
    minus = False
    for slot, code in enumerate(letters):
        if code == 0:
            continue
        pauli, below = _PROJECTORS.get(code, (code, 0))
        string = pauli << 2 * slot
        places = [at for at in range(len(letters)) if image[string] >> 2 * at & 3]
        if len(places) != 1 or out[places[0]]:
            return None
        pauli = image[string] >> 2 * places[0] & 3
        if code < 4:
            minus ^= negative[string]
            out[places[0]] = pauli
        else:
            out[places[0]] = _CODE_OF[pauli, below ^ negative[string]]
    return tuple(out), minus
