"""Simulating one fragment exactly: what runs on a worker.

A fragment's states form a batch with one axis per cut. The batch starts as one state and grows
where a cut asks for choices, so that everything before the first cut is done once. A batch that
does not fit is made in parts, with the choices at some cuts fixed. This module takes a program and
operators and gives arrays; it must not know plans, circuits or sessions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.workload.execution.memory import available_bytes
from qdreamer_lab.workload.fragment.footprint import split_cuts
from qdreamer_lab.workload.fragment.gpu import gpu_fragments
from qdreamer_lab.workload.fragment.gram_matrices import gram_matrices
from qdreamer_lab.workload.fragment.parts import FragmentCall, parts_of, place_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.footprint import Choice
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = [
    "FragmentCall",
    "FragmentResults",
    "final_states",
    "run_fragment",
    "run_fragments",
]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentResults:
    """What fragments hand back.

    Attributes:
        tensors: For each, (operators, *dims, *dims) complex128: ⟨ψ_i|O|ψ_j⟩ with the bra's indices
            first; dims are those of `FragmentProgram.axes`, and 1 where the choice was fixed.
        seconds: Wall time on the worker.
    """

    tensors: tuple[NDArray[np.complex128], ...]
    seconds: float


def run_fragments(
    calls: tuple[FragmentCall, ...],
    memory_limit_bytes: int | None,
    dtype: str,
    device: str = "CPU",
) -> FragmentResults:
    """Simulate several fragments one after another, and time them.

    Args:
        calls: The fragments.
        memory_limit_bytes: Most memory to use; what there is if None.
        dtype: Of the states, "complex128" or "complex64".
        device: "CPU", or "GPU" for that of this process; nothing takes its place.

    Raises:
        GpuError: `device` is "GPU", and there is none that can be used.
        MemoryLimitError: Before anything is allocated, if the memory is too small.
    """
    start = time.perf_counter()
    limit = memory_limit_bytes
    if device == "GPU":
        tensors = gpu_fragments(calls, limit, dtype)
    else:
        tensors = tuple(
            run_fragment(call.program, call.operators, limit, dtype, call.bra, call.ket)
            for call in calls
        )
    return FragmentResults(tensors, time.perf_counter() - start)


def run_fragment(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    memory_limit_bytes: int | None = None,
    dtype: str = "complex128",
    bra: Choice | None = None,
    ket: Choice | None = None,
) -> NDArray[np.complex128]:
    """Simulate a fragment and take its tensor for each operator.

    Args:
        program: The fragment.
        operators: Products of one-qubit operators on local qubits that are not open.
        memory_limit_bytes: Most memory to use; what this machine has free if None.
        dtype: Of the states, "complex128" or "complex64".
        bra: Choices that are fixed on the bra's side.
        ket: The same cuts with the choices on the ket's side.

    Returns:
        (operators, *dims, *dims), as in `FragmentResults`.

    Raises:
        MemoryLimitError: Before anything is allocated, if the limit is too small.
    """
    bra, ket = bra or {}, ket or {}
    limit = available_bytes() if memory_limit_bytes is None else memory_limit_bytes
    split = split_cuts(program, operators, limit, np.dtype(dtype).itemsize, bra, ket)
    if split:
        tensors = _in_parts(program, operators, dtype, bra, ket, parts_of(program, split))
    else:
        first = final_states(program, dtype, bra)
        second = first if bra == ket else final_states(program, dtype, ket)
        tensors = gram_matrices(first, second, operators)
    shape = (len(operators), *program.dims(bra), *program.dims(ket))
    return tensors.reshape(shape)


def _in_parts(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    dtype: str,
    bra: Choice,
    ket: Choice,
    parts: list[dict[int, int]],
) -> NDArray[np.complex128]:
    """The tensors, from one pair of parts of the batch at a time."""
    left, right = program.dims(bra), program.dims(ket)
    tensors = np.empty((len(operators), *left, *right), dtype=np.complex128)
    for i, left_part in enumerate(parts):
        first = final_states(program, dtype, {**bra, **left_part})
        for right_part in parts[i if bra == ket else 0 :]:
            same = bra == ket and left_part == right_part
            second = first if same else final_states(program, dtype, {**ket, **right_part})
            block = gram_matrices(first, second, operators)
            place_block(
                program, tensors, block, left_part, right_part, mirror=bra == ket and not same
            )
            del second, block
        del first
    return tensors


def final_states(
    program: FragmentProgram, dtype: str = "complex128", fixed: Choice | None = None
) -> NDArray[np.complexfloating]:
    """Run the program.

    Returns:
        (rows, 2**closed): one row per choice at every cut that is not fixed, the open qubits being
        the last part of the row index.
    """
    fixed = fixed or {}
    states = simulate(program.width, program.steps, dtype, fixed, usable_cores())
    open_shape = (2,) * len(program.open_cuts)
    chosen = tuple(fixed.get(cut, slice(None)) for cut in program.open_cuts)
    apart = states.reshape(len(states), *open_shape, -1)[(slice(None), *chosen)]
    return apart.reshape(-1, apart.shape[-1])
