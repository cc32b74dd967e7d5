"""The memory that simulating a fragment takes, known before it starts.

A batch of states that does not fit is made in parts, with the choices at some cuts gone through one
by one. Arithmetic only; nothing is allocated here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab.engine.cpu.cache import tile_scratch_bytes
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.fragment.gram_matrices import gram_scratch_bytes

if TYPE_CHECKING:
    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["Choice", "batch_bytes", "split_cuts"]

Choice = Mapping[int, int]
"""The choice made at some cuts: cut -> index. Cuts that a fragment does not touch are ignored."""


def split_cuts(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    limit_bytes: int,
    itemsize: int,
    bra: Choice,
    ket: Choice,
    size: Callable[..., int] | None = None,
) -> tuple[int, ...]:
    """Cuts whose choices are to be gone through one by one so that the states fit.

    Args:
        program: The fragment.
        operators: What is wanted of it.
        limit_bytes: Most memory.
        itemsize: Bytes of an amplitude.
        bra: Choices that are fixed on the bra's side.
        ket: The same cuts with the choices on the ket's side.
        size: What it takes with some cuts split, called like `batch_bytes`, which it is if None.

    Raises:
        MemoryLimitError: If one state alone, or the result, does not fit.
    """
    size = size or batch_bytes
    free = [step.cut for step in program.steps if step.cut is not None and step.cut not in bra]
    for count in range(len(free) + 1):
        split = tuple(cut for cut in free[:count] if cut is not None)
        needed = size(program, operators, itemsize, bra, ket, split)
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
    branches = program.variants_with(fixed) > 1
    tiles = tile_scratch_bytes(states, itemsize, usable_cores(), branches=branches)
    making = more * kept + states + max(chosen, tiles) + (result if split else 0)
    block = result + (16 * len(operators) * rows * rows if split else 0)
    taking = (1 + more) * kept + block + gram_scratch_bytes(rows, row_bytes, operators)
    return max(making, taking)
