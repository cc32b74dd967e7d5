"""From a fragment's program to plain numbers: the passes that the engine plans, and its depth.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.fragment.cost import PassShape, StatesShape
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import PassCosts, plan_passes
from qdreamer_lab.kernels.simulate.tile_pass import DENSE_TWO, DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, Pass
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["CPU_COSTS", "GPU_COSTS", "program_depth", "program_states"]

CPU_COSTS = PassCosts()
"""What the planner weighs where passes run on cores."""

GPU_COSTS = PassCosts(
    tile_bits=12,
    pass_ns=0.0107,
    start_ns=4000.0,
    dense_two_ns=0.0027,
    half_ns=0.0018,
    diagonal_ns=0.0019,
    crowded=(0.0,),
)
"""The same for a data-centre GPU, whose tiles lie in shared memory: figures of data sheets."""

_CROWDED = (1.0, 0.75, 0.7, 0.24, 0.11, 0.04)
"""How much longer a gate takes on tile bit 0, 1, …, as parts of what bit 0 costs: there is less and
less in a row for registers to be filled with."""

_HALF = 0.57
"""The same of gates that do half the arithmetic, next to a dense one."""


def program_states(
    program: FragmentProgram,
    fixed: Mapping[int, int] | None = None,
    costs: PassCosts = CPU_COSTS,
) -> StatesShape:
    """What the engine does to make a fragment's states.

    Args:
        program: The fragment.
        fixed: The choice at some cuts.
        costs: What the planner of passes weighs.
    """
    gates, _ = read_gates(program.steps, fixed or {})
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
