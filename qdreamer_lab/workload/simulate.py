"""Simulating one fragment exactly: what runs on a worker.

A fragment's states form a batch with one axis per cut. The batch starts as one state and grows
where a cut asks for choices, so that everything before the first cut is done once. This module
takes a program and operators and gives arrays; it must not know plans, circuits or sessions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.kernels.statevector import apply_one_qubit, apply_two_qubit, branch_one_qubit
from qdreamer_lab.workload.memory import available_bytes, readable
from qdreamer_lab.workload.observables import LETTERS, Factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.fragment import FragmentProgram

__all__ = ["FragmentResult", "check_memory", "final_states", "gram", "run_fragment"]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentResult:
    """What a fragment hands back.

    Attributes:
        tensors: (operators, *dims, *dims) complex128: ⟨ψ_i|O|ψ_j⟩ with the bra's indices first;
            dims are those of `FragmentProgram.axes`.
        seconds: wall time on the worker.
    """

    tensors: NDArray[np.complex128]
    seconds: float


def run_fragment(
    program: FragmentProgram, operators: tuple[Factors, ...], memory_limit_bytes: int | None = None
) -> FragmentResult:
    """Simulate a fragment and take its tensor for each operator.

    Args:
        program: the fragment.
        operators: products of one-qubit operators on local qubits that are not open.
        memory_limit_bytes: most memory to use; what this machine has free if None.

    Raises:
        MemoryLimitError: before anything is allocated, if the limit is too small.
    """
    start = time.perf_counter()
    check_memory(program, len(operators), memory_limit_bytes)
    states = final_states(program)
    shape = tuple(size for _, size in program.axes)
    tensors = np.empty((len(operators), *shape, *shape), dtype=np.complex128)
    for k, operator in enumerate(operators):
        tensors[k] = gram(states, operator).reshape(shape + shape)
    return FragmentResult(tensors, time.perf_counter() - start)


def check_memory(program: FragmentProgram, num_operators: int, limit_bytes: int | None) -> None:
    """Refuse a fragment that would not fit.

    Raises:
        MemoryLimitError: with the sizes.
    """
    limit = available_bytes() if limit_bytes is None else limit_bytes
    needed = program.memory_bytes(num_operators)
    if needed > limit:
        raise MemoryLimitError(
            f"fragment {program.id} needs {readable(needed)} "
            f"({program.variants} states of {program.width} qubits), but {readable(limit)} may be "
            "used: plan with a smaller max_qubits, or raise memory_limit_bytes"
        )


def final_states(program: FragmentProgram) -> NDArray[np.complex128]:
    """Run the program.

    Returns:
        (rows, 2**closed): one row per choice at every cut, the open qubits being the last part of
        the row index.
    """
    states = np.zeros((1, 1 << program.width), dtype=np.complex128)
    states[0, 0] = 1
    for step in program.steps:
        if len(step.qubits) == 2:
            apply_two_qubit(states, step.matrices[0], *step.qubits)
        elif len(step.matrices) == 1:
            apply_one_qubit(states, step.matrices[0], step.qubits[0])
        else:
            states = branch_one_qubit(states, step.matrices, step.qubits[0])
    return states.reshape(len(states) << len(program.open_cuts), -1)


def gram(states: NDArray[np.complex128], operator: Factors) -> NDArray[np.complex128]:
    """⟨ψ_i|O|ψ_j⟩ for all rows ψ of `states`.

    Args:
        states: (rows, 2**n).
        operator: Hermitian, on local qubits below n.

    Returns:
        (rows, rows) complex128.
    """
    rows = len(states)
    out = np.empty((rows, rows), dtype=np.complex128)
    half = (rows + 1) // 2
    for first in range(0, rows, half):
        image = states[first : first + half].copy()
        for qubit, letter in operator:
            apply_one_qubit(image, LETTERS[letter], qubit)
        np.conjugate(image, out=image)
        # O is Hermitian, so ⟨Oψ_i|ψ_j⟩ is the entry itself.
        np.matmul(image, states.T, out=out[first : first + half])
    return out
