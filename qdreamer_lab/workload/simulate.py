"""Simulating one fragment exactly: what runs on a worker.

A fragment's states form a batch with one axis per cut. The batch starts as one state and grows
where a cut asks for choices, so that everything before the first cut is done once. A batch that
does not fit is made in parts, with the choices at some cuts fixed. This module takes a program and
operators and gives arrays; it must not know plans, circuits or sessions.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.kernels.statevector import apply_one_qubit, apply_two_qubit, branch_one_qubit
from qdreamer_lab.workload.gram import gram_matrices, gram_scratch_bytes
from qdreamer_lab.workload.memory import available_bytes, readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.fragment import FragmentProgram
    from qdreamer_lab.workload.observables import Factors

__all__ = ["Choice", "FragmentResult", "batch_bytes", "final_states", "run_fragment", "split_cuts"]

Choice = Mapping[int, int]
"""The choice made at some cuts: cut -> index. Cuts that a fragment does not touch are ignored."""


@dataclass(frozen=True, eq=False, slots=True)
class FragmentResult:
    """What a fragment hands back.

    Attributes:
        tensors: (operators, *dims, *dims) complex128: ⟨ψ_i|O|ψ_j⟩ with the bra's indices first;
            dims are those of `FragmentProgram.axes`, and 1 where the choice was fixed.
        seconds: wall time on the worker.
    """

    tensors: NDArray[np.complex128]
    seconds: float


def run_fragment(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    memory_limit_bytes: int | None = None,
    dtype: str = "complex128",
    bra: Choice | None = None,
    ket: Choice | None = None,
) -> FragmentResult:
    """Simulate a fragment and take its tensor for each operator.

    Args:
        program: the fragment.
        operators: products of one-qubit operators on local qubits that are not open.
        memory_limit_bytes: most memory to use; what this machine has free if None.
        dtype: of the states, "complex128" or "complex64".
        bra: choices that are fixed on the bra's side.
        ket: the same cuts with the choices on the ket's side.

    Raises:
        MemoryLimitError: before anything is allocated, if the limit is too small.
    """
    start = time.perf_counter()
    bra, ket = bra or {}, ket or {}
    limit = available_bytes() if memory_limit_bytes is None else memory_limit_bytes
    split = split_cuts(program, operators, limit, np.dtype(dtype).itemsize, bra, ket)
    if split:
        tensors = _in_parts(program, operators, dtype, bra, ket, _parts(program, split))
    else:
        first = final_states(program, dtype, bra)
        second = first if bra == ket else final_states(program, dtype, ket)
        tensors = gram_matrices(first, second, operators)
    shape = (len(operators), *program.dims(bra), *program.dims(ket))
    return FragmentResult(tensors.reshape(shape), time.perf_counter() - start)


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
    for i, one in enumerate(parts):
        first = final_states(program, dtype, {**bra, **one})
        for other in parts[i if bra == ket else 0 :]:
            same = bra == ket and one == other
            second = first if same else final_states(program, dtype, {**ket, **other})
            block = gram_matrices(first, second, operators)
            _place(program, tensors, block, one, other, mirror=bra == ket and not same)
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
    states = np.empty((program.variants_with(fixed), 1 << program.width), dtype=dtype)
    states[0] = 0
    states[0, 0] = 1
    used = 1
    for step in program.steps:
        matrices = step.matrices.astype(dtype)
        if step.cut is not None and step.cut in fixed:
            matrices = matrices[fixed[step.cut]][None]
        if len(step.qubits) == 2:
            apply_two_qubit(states[:used], matrices[0], *step.qubits)
        elif len(matrices) == 1:
            apply_one_qubit(states[:used], matrices[0], step.qubits[0])
        else:
            branch_one_qubit(states, used, matrices, step.qubits[0])
            used *= len(matrices)
    open_shape = (2,) * len(program.open_cuts)
    chosen = tuple(fixed.get(cut, slice(None)) for cut in program.open_cuts)
    apart = states.reshape(used, *open_shape, -1)[(slice(None), *chosen)]
    return apart.reshape(-1, apart.shape[-1])


def split_cuts(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    limit_bytes: int,
    itemsize: int,
    bra: Choice,
    ket: Choice,
) -> tuple[int, ...]:
    """Cuts whose choices are to be gone through one by one so that the states fit.

    Raises:
        MemoryLimitError: if one state alone, or the result, does not fit.
    """
    free = [step.cut for step in program.steps if step.cut is not None and step.cut not in bra]
    for count in range(len(free) + 1):
        split = tuple(cut for cut in free[:count] if cut is not None)
        needed = batch_bytes(program, operators, itemsize, bra, ket, split)
        if needed <= limit_bytes:
            return split
    raise MemoryLimitError(_too_big(program, needed, itemsize, limit_bytes))


def _too_big(program: FragmentProgram, needed: int, itemsize: int, limit_bytes: int) -> str:
    """What does not fit, and what would."""
    text = (
        f"fragment {program.id} needs {readable(needed)} ({program.variants} states of "
        f"{program.width} qubits), but {readable(limit_bytes)} may be used: "
    )
    fits = (limit_bytes // (2 * itemsize)).bit_length() - 1
    if 0 < fits < program.width:
        return text + f"plan with max_qubits={fits} or less, or raise memory_limit_bytes"
    return text + "plan with fewer cuts (a larger max_qubits), or raise memory_limit_bytes"


def batch_bytes(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    itemsize: int,
    bra: Choice,
    ket: Choice,
    split: tuple[int, ...] = (),
) -> int:
    """Peak memory of `run_fragment` with these cuts split, within a few per cent."""
    fixed = {**bra, **dict.fromkeys(split, 0)}
    row_bytes = itemsize << (program.width - len(program.open_cuts))
    states = itemsize * program.variants_with(fixed) << program.width
    rows = math.prod(program.dims(fixed))
    chosen = row_bytes * rows if any(cut in fixed for cut in program.open_cuts) else 0
    kept = chosen or states
    result = 16 * len(operators) * math.prod(program.dims(bra)) ** 2
    more = 0 if bra == ket and not split else 1  # batches besides the one that is being made
    making = more * kept + states + chosen + (result if split else 0)
    block = result + (16 * len(operators) * rows * rows if split else 0)
    taking = (1 + more) * kept + block + gram_scratch_bytes(rows, row_bytes, operators)
    return max(making, taking)


def _parts(program: FragmentProgram, split: tuple[int, ...]) -> list[dict[int, int]]:
    """Every combination of choices at the split cuts."""
    sizes = dict(program.axes)
    ranges = [range(sizes[cut]) for cut in split]
    return [dict(zip(split, chosen, strict=True)) for chosen in itertools.product(*ranges)]


def _place(
    program: FragmentProgram,
    tensors: NDArray[np.complex128],
    block: NDArray[np.complex128],
    one: Choice,
    other: Choice,
    *,
    mirror: bool,
) -> None:
    """Put the Gram matrices of two parts where they belong, and their adjoints if `mirror`."""
    left = tuple(one.get(cut, slice(None)) for cut, _ in program.axes)
    right = tuple(other.get(cut, slice(None)) for cut, _ in program.axes)
    here = tensors[(slice(None), *left, *right)]
    here[...] = block.reshape(here.shape)
    if mirror:
        there = tensors[(slice(None), *right, *left)]
        there[...] = block.conj().transpose(0, 2, 1).reshape(there.shape)
