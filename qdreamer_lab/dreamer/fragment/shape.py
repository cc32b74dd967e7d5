"""From a fragment's program to plain numbers: its steps, and how deep it is.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.kernels.simulate.statevector import FAR_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["program_depth", "program_steps"]


def program_steps(
    program: FragmentProgram, itemsize: int, fixed: Mapping[int, int] | None = None
) -> tuple[tuple[str, int], ...]:
    """Kind and number of choices of each step."""
    steps = []
    for step in program.steps:
        if len(step.qubits) == 2:
            near = itemsize << min(step.qubits) < FAR_BYTES
            steps.append(("near" if near else "far", 1))
        else:
            free = step.cut is None or step.cut not in (fixed or {})
            steps.append(("one_qubit", len(step.matrices) if free else 1))
    return tuple(steps)


def program_depth(program: FragmentProgram) -> int:
    """Blocks of two qubits on the longest way through a fragment."""
    deep: dict[int, int] = {}
    for step in program.steps:
        if len(step.qubits) == 2:
            level = 1 + max(deep.get(qubit, 0) for qubit in step.qubits)
            deep.update(dict.fromkeys(step.qubits, level))
    return max(deep.values(), default=0)
