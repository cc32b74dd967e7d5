"""Gram matrices ⟨ψ_i|O|φ_j⟩ of batches of states, for many local operators at once.

Pauli strings need no copy of the states, and strings that flip the same qubits share most of their
work. It must not know how the states came about.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.kernels.simulate.pauli_sums import join_blocks, part_blocks, pauli_sums
from qdreamer_lab.kernels.simulate.statevector import apply_one_qubit
from qdreamer_lab.workload.circuit.terms import LETTERS, Factors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "WORTH_THREADS",
    "PauliGroup",
    "gram_matrices",
    "gram_scratch_bytes",
    "pauli_groups",
]

BLOCK = 512
"""Amplitudes looked at together; their products stay in the first-level cache."""

WORTH_THREADS = 1 << 18
"""Amplitudes times groups from which on threads are worth starting."""

_PARTS = 8
"""An operator that is no Pauli string is applied to a copy of this part of the rows at a time."""

_MIRRORED = 128
"""Columns that are mirrored together: a square of them is small enough for the cache."""


class PauliGroup(NamedTuple):
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

    Reorders the states in place for as long as it runs, so nothing else may read them meanwhile.

    Args:
        bra: (a, 2**n).
        ket: (b, 2**n); the same array as `bra` if the states are the same.
        operators: Hermitian, on local qubits below n.

    Returns:
        (operators, a, b) complex128.
    """
    out = np.zeros((len(operators), len(bra), len(ket)), dtype=np.complex128)
    groups, others = pauli_groups(operators)
    for number in others:
        _general(bra, ket, operators[number], out[number])
    block = min(BLOCK, bra.shape[1])
    parts = [states.view(states.real.dtype) for states in ([bra] if bra is ket else [bra, ket])]
    for part in parts if groups else ():
        part_blocks(part, block)

    def fill(group: PauliGroup) -> None:
        z, place = np.array(group.z, np.int64), np.array(group.numbers, np.int64)
        pauli_sums(parts[0], parts[-1], group.flip, z, bra is ket, block, out, place)
        _finish(out, group, mirror=bra is ket)

    _all(fill, groups, bra.size)
    for part in parts if groups else ():
        join_blocks(part, block)
    return out


def _finish(out: NDArray[np.complex128], group: PauliGroup, *, mirror: bool) -> None:
    """Put in the factors that the sums lack, and the lower half."""
    for number, phase in zip(group.numbers, group.phases, strict=True):
        matrix = out[number]
        if phase != 1:
            matrix *= phase
        if mirror:
            _mirror(matrix)


def _mirror(matrix: NDArray[np.complex128]) -> None:
    """Make a matrix Hermitian of its upper half, some columns at a time."""
    for first in range(0, len(matrix), _MIRRORED):
        end = first + _MIRRORED
        np.conjugate(matrix[first:end, end:].T, out=matrix[end:, first:end])
        square = matrix[first:end, first:end]
        lower = np.tril_indices(len(square), -1)
        square[lower] = square.T[lower].conj()


def _all(fill: Callable[[PauliGroup], None], groups: list[PauliGroup], size: int) -> None:
    """Go through all groups, on all cores if it pays."""
    cores = min(usable_cores(), len(groups))
    if cores < 2 or size * len(groups) < WORTH_THREADS:
        for group in groups:
            fill(group)
        return
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(fill, groups))


def gram_scratch_bytes(rows: int, row_bytes: int, operators: Sequence[Factors]) -> int:
    """Memory that `gram_matrices` takes for a while, beyond its arguments and its result.

    Args:
        rows: Of `bra` and of `ket`.
        row_bytes: Size of one.
        operators: As for `gram_matrices`.
    """
    edge = min(rows, _MIRRORED)
    matrix = 24 * edge * edge  # indices of one half of a square, and the half itself
    image = -(-rows // _PARTS) * (row_bytes + 16 * rows) if pauli_groups(operators)[1] else 0
    return matrix * min(usable_cores(), len(operators)) + image


def pauli_groups(operators: Sequence[Factors]) -> tuple[list[PauliGroup], list[int]]:
    """Sort operators into groups of Pauli strings, the largest first, and the others."""
    found: dict[int, PauliGroup] = {}
    others = []
    for number, operator in enumerate(operators):
        bits: dict[str, int] = defaultdict(int)
        for qubit, letter in operator:
            bits[letter] |= 1 << qubit
        if not bits.keys() <= {"X", "Y", "Z"}:
            others.append(number)
            continue
        flip = bits["X"] | bits["Y"]
        group = found.setdefault(flip, PauliGroup(flip, [], [], []))
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
        del image  # before there is another
