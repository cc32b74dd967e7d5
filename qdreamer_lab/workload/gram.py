"""Gram matrices ⟨ψ_i|O|φ_j⟩ of batches of states, for many local operators at once.

Pauli strings need no copy of the states, and strings that flip the same qubits share most of their
work. It must not know how the states came about.
"""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.kernels.pauli import pauli_sums
from qdreamer_lab.kernels.statevector import apply_one_qubit
from qdreamer_lab.workload.observables import LETTERS, Factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["gram_matrices", "gram_scratch_bytes"]

_BLOCK = 512
"""Amplitudes looked at together; their products stay in the first-level cache."""

_PARTS = 8
"""An operator that is no Pauli string is applied to a copy of this part of the rows at a time."""


class _Group(NamedTuple):
    """Pauli strings that flip the same qubits: which operators they are, and their masks."""

    flip: int
    numbers: list[int]
    z: list[int]
    phases: list[complex]


def gram_matrices(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    operators: Sequence[Factors],
) -> NDArray[np.complex128]:
    """⟨ψ_i|O|φ_j⟩ for all rows ψ of `bra` and φ of `ket`, and all operators.

    Args:
        bra: (a, 2**n).
        ket: (b, 2**n); the same array as `bra` if the states are the same.
        operators: Hermitian, on local qubits below n.

    Returns:
        (operators, a, b) complex128.
    """
    out = np.zeros((len(operators), len(bra), len(ket)), dtype=np.complex128)
    groups, others = _grouped(operators)
    lower = np.tril_indices(len(bra), -1)

    def fill(group: _Group) -> None:
        block = min(_BLOCK, bra.shape[1])
        z, place = np.array(group.z, np.int64), np.array(group.numbers, np.int64)
        pauli_sums(bra, ket, group.flip, z, bra is ket, block, out, place)
        for number, phase in zip(group.numbers, group.phases, strict=True):
            matrix = out[number]
            if phase != 1:
                matrix *= phase
            if bra is ket:
                matrix[lower] = matrix.T[lower].conj()

    cores = _cores()
    if cores == 1 or len(groups) == 1 or bra.size * len(groups) < 1 << 16:
        for group in groups:
            fill(group)
    else:
        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(fill, groups))
    for number in others:
        _general(bra, ket, operators[number], out[number])
    return out


def gram_scratch_bytes(rows: int, row_bytes: int, operators: Sequence[Factors]) -> int:
    """Memory that `gram_matrices` takes for a while, beyond its arguments and its result.

    Args:
        rows: of `bra` and of `ket`.
        row_bytes: size of one.
        operators: as for `gram_matrices`.
    """
    matrix = 16 * rows * rows  # indices of one half, and the half itself
    image = -(-rows // _PARTS) * (row_bytes + 16 * rows) if _grouped(operators)[1] else 0
    return matrix * (1 + min(_cores(), len(operators))) + image


def _grouped(operators: Sequence[Factors]) -> tuple[list[_Group], list[int]]:
    """Sort operators into groups of Pauli strings, the largest first, and the others."""
    found: dict[int, _Group] = {}
    others = []
    for number, operator in enumerate(operators):
        bits: dict[str, int] = defaultdict(int)
        for qubit, letter in operator:
            bits[letter] |= 1 << qubit
        if not bits.keys() <= {"X", "Y", "Z"}:
            others.append(number)
            continue
        flip = bits["X"] | bits["Y"]
        group = found.setdefault(flip, _Group(flip, [], [], []))
        group.numbers.append(number)
        group.z.append(bits["Z"] | bits["Y"])
        group.phases.append(1j ** bits["Y"].bit_count())
    return sorted(found.values(), key=lambda group: -len(group.z)), others


def _general(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    operator: Factors,
    out: NDArray[np.complex128],
) -> None:
    """One operator with any letters, applied to a copy of a few rows at a time."""
    step = -(-len(bra) // _PARTS)
    for first in range(0, len(bra), step):
        image = bra[first : first + step].copy()
        for qubit, letter in operator:
            apply_one_qubit(image, LETTERS[letter].astype(image.dtype), qubit)
        np.conjugate(image, out=image)
        # O is Hermitian, so ⟨Oψ_i|φ_j⟩ is the entry itself.
        out[first : first + step] = image @ ket.T


def _cores() -> int:
    """Cores that this process may use: a worker has what its pilot gave it."""
    given = os.environ.get("PILOT_CORES_PER_WORKER")
    return max(1, int(given)) if given else os.cpu_count() or 1
