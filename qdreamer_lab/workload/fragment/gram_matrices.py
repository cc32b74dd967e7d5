"""Gram matrices ⟨ψ_i|O|φ_j⟩ of batches of states, for many local operators at once.

Products of Pauli matrices and of projectors on |0⟩ and |1⟩ need no copy of the states. It must not
know how the states came about.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.engine.cpu.gram import string_matrices
from qdreamer_lab.engine.cpu.gram_plan import PauliString, scratch_bytes
from qdreamer_lab.engine.cpu.pool import spread
from qdreamer_lab.kernels.simulate.statevector import apply_one_qubit
from qdreamer_lab.workload.circuit.terms import LETTERS, Factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["gram_matrices", "gram_scratch_bytes", "pauli_strings"]

_PARTS = 8
"""An operator that is no Pauli string is applied to a copy of this part of the rows at a time."""

_IDENTITY = PauliString(0, 0)


def gram_matrices(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    operators: Sequence[Factors],
    cores: int | None = None,
) -> NDArray[np.complex128]:
    """⟨ψ_i|O|φ_j⟩ for all rows ψ of `bra` and φ of `ket`, and all operators.

    Args:
        bra: (a, 2**n); only read.
        ket: (b, 2**n); the same array as `bra` if the states are the same.
        operators: Hermitian, on local qubits below n.
        cores: Threads at once; those this process may use if None. Results do not depend on it.

    Returns:
        (operators, a, b) complex128; sums are in double precision for complex64 states too.
    """
    cores = usable_cores() if cores is None else cores
    same, bra = bra is ket, np.ascontiguousarray(bra)
    ket = bra if same else np.ascontiguousarray(ket)
    out = np.empty((len(operators), len(bra), len(ket)), dtype=np.complex128)
    strings, numbers, others = pauli_strings(tuple(operators))
    string_matrices(bra, ket, strings, numbers, out, cores)
    for number in others:
        _general(bra, ket, operators[number], out[number], cores)
    return out


def gram_scratch_bytes(rows: int, row_bytes: int, operators: Sequence[Factors]) -> int:
    """Memory that `gram_matrices` takes for a while, beyond its arguments and its result.

    Args:
        rows: Of `bra` and of `ket`.
        row_bytes: Size of one.
        operators: As for `gram_matrices`.
    """
    strings, _, others = pauli_strings(tuple(operators))
    cores, size = usable_cores(), row_bytes // 8
    sums = scratch_bytes(len(strings), rows, size, cores)
    if not others:
        return sums
    image = -(-rows // _PARTS) * row_bytes
    return max(sums, image + scratch_bytes(1, rows, size, cores))


@lru_cache(maxsize=64)
def pauli_strings(
    operators: tuple[Factors, ...],
) -> tuple[tuple[PauliString, ...], tuple[int, ...], tuple[int, ...]]:
    """The operators that are products of Paulis and of |0⟩⟨0| and |1⟩⟨1|.

    Returns:
        Them, their numbers among the operators, and the numbers of the others.
    """
    strings, numbers, others = [], [], []
    for number, operator in enumerate(operators):
        bits = dict.fromkeys("XYZ01", 0)
        for qubit, letter in operator:
            bits[letter] = bits.get(letter, 0) | 1 << qubit
        if len(bits) > len("XYZ01"):
            others.append(number)
            continue
        x, y, z, zero, one = bits.values()
        strings.append(PauliString(x | y, z | y, zero | one, one, 1j ** y.bit_count()))
        numbers.append(number)
    return tuple(strings), tuple(numbers), tuple(others)


def _general(
    bra: NDArray[np.complexfloating],
    ket: NDArray[np.complexfloating],
    operator: Factors,
    out: NDArray[np.complex128],
    cores: int,
) -> None:
    """One operator with any letters, applied to a copy of a few rows at a time."""
    step = -(-len(bra) // _PARTS)
    for first in range(0, len(bra), step):
        image = bra[first : first + step].copy()
        for qubit, letter in operator:
            matrix = LETTERS[letter].astype(image.dtype)
            parts = [(part, matrix, qubit) for part in _apart(image, qubit, cores)]
            spread(apply_one_qubit, parts, cores)
        # O is Hermitian, so ⟨Oψ_i|φ_j⟩ is the entry itself.
        string_matrices(image, ket, (_IDENTITY,), (0,), out[None, first : first + step], cores)
        del image  # before there is another


def _apart(
    states: NDArray[np.complexfloating], qubit: int, cores: int
) -> list[NDArray[np.complexfloating]]:
    """Parts of the states, as many as cores if there are, that a gate on the qubit keeps apart."""
    pieces = states.reshape(-1, 2 << qubit)
    few = max(1, min(cores, len(pieces), states.size >> 16))
    marks = [len(pieces) * k // few for k in range(few + 1)]
    return [pieces[begin:end] for begin, end in pairwise(marks)]
