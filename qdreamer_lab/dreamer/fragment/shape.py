"""From a fragment's program to plain numbers: the passes that the engine plans, and its depth.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.fragment.cost import PassShape, StatesShape
from qdreamer_lab.engine.cpu.cache import cpu_costs
from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.gpu.device import GpuDevice
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import plan_passes
from qdreamer_lab.kernels.simulate.tile_pass import DENSE_TWO, DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, Pass, PassCosts
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["program_depth", "program_states"]

_TYPICAL_GPU = GpuDevice(
    name="H100",
    memory_bytes=80 << 30,
    compute_capability=(9, 0),
    driver=12040,
    runtime=12040,
    multiprocessors=132,
    shared_block_bytes=232_448,
    shared_bytes=233_472,
)
"""Passes on other GPUs are planned with tiles that are a bit larger or smaller."""

_CROWDED = (1.0, 0.75, 0.7, 0.24, 0.11, 0.04)
"""How much longer a gate takes on tile bit 0, 1, …, as parts of what bit 0 costs: there is less and
less in a row for registers to be filled with."""

_HALF = 0.57
"""The same of gates that do half the arithmetic, next to a dense one."""


def program_states(
    program: FragmentProgram,
    fixed: Mapping[int, int] | None = None,
    itemsize: int = 16,
    *,
    gpu: bool = False,
) -> StatesShape:
    """What the engine does to make a fragment's states, on a machine such as this one.

    Args:
        program: The fragment.
        fixed: The choice at some cuts.
        itemsize: Bytes of an amplitude.
        gpu: Whether a GPU does it.
    """
    gates, _ = read_gates(program.steps, fixed or {})
    costs = gpu_costs(_TYPICAL_GPU, itemsize) if gpu else cpu_costs(itemsize)
    return _planned(program.width, gates, costs)


@lru_cache(maxsize=1024)
def _planned(width: int, gates: tuple[Gate, ...], costs: PassCosts) -> StatesShape:
    rows, before, shapes = 1, 0, []
    for step in plan_passes(width, gates, costs):
        shapes.append(_pass_shape(step, rows, before))
        rows *= step.growth
        before = step.touched.bit_count()
    return StatesShape(len(gates), rows, tuple(shapes))


def _pass_shape(step: Pass, rows: int, before: int) -> PassShape:
    """Counts of a pass over so many rows, of which so many qubits have been touched before."""
    touched = step.touched.bit_count()
    dense = half = diagonal = crowded = visits = 0.0
    tiles = rows << (touched - len(step.qubits))
    here = rows
    for operation in step.operations:
        here *= operation.rank
        amplitudes = float(here << touched)
        visits += tiles * (here // rows)
        if operation.kind == DIAGONAL:
            diagonal += amplitudes
        elif operation.kind == DENSE_TWO:
            dense += amplitudes
            crowded += amplitudes * _squeezed(operation)
        else:
            half += amplitudes
            crowded += amplitudes * _HALF * _squeezed(operation)
    return PassShape(
        tiles=tiles,
        operations=len(step.operations),
        visits=visits,
        read=float(rows << before) if before else 0.0,
        written=float(here << touched),
        dense=dense,
        half=half,
        diagonal=diagonal,
        crowded=crowded,
    )


def _squeezed(operation: Operation) -> float:
    lowest = min(operation.bits)
    return _CROWDED[lowest] if lowest < len(_CROWDED) else 0.0


def program_depth(program: FragmentProgram) -> int:
    """Blocks of two qubits on the longest way through a fragment."""
    deep: dict[int, int] = {}
    for step in program.steps:
        if len(step.qubits) == 2:
            level = 1 + max(deep.get(qubit, 0) for qubit in step.qubits)
            deep.update(dict.fromkeys(step.qubits, level))
    return max(deep.values(), default=0)
