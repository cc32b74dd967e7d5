"""Outcomes at gate cuts that wait for the end of a circuit, where a device measures only there.

By the principle of deferred measurement (Nielsen and Chuang, section 4.4) a qubit that is measured
and goes on can hand its outcome to a fresh one with a CX, which is measured at the end. With the
rotations around it, that is the Hadamard test of the reflection that a gate cut measures: the same
circuits, coefficients and sampling overhead, for one more qubit per outcome. Where nothing follows
a cut, its qubit is measured at the end itself. Nothing runs here.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["held_by", "most_held", "ways_to_hold"]


def held_by(fragment: ShotFragment, variant: int) -> tuple[int, ...]:
    """The cuts, ascending, whose outcomes one variant has on further qubits until the end.

    Args:
        fragment: The fragment; no leg may span several cuts.
        variant: Number of the variant.
    """
    axes = fragment.program.axes
    measuring = {
        axes[leg.axes[0]][0]
        for leg, operation in zip(fragment.legs, fragment.operations(variant), strict=True)
        if len(operation.kraus) > 1
    }
    return tuple(sorted(measuring & _going_on(fragment, fragment.basis(variant))))


def ways_to_hold(fragment: ShotFragment) -> set[tuple[int, ...]]:
    """What `held_by` is for all variants together."""
    found: set[tuple[int, ...]] = set()
    for basis in fragment.bases:
        mine = sorted(_measured(fragment) & _going_on(fragment, basis))
        for size in range(len(mine) + 1):
            found.update(itertools.combinations(mine, size))
    return found


def most_held(fragment: ShotFragment) -> int:
    """Further qubits that the fragment needs on a device that measures only at the end."""
    mine = _measured(fragment)
    return max((len(mine & _going_on(fragment, each)) for each in fragment.bases), default=0)


def _measured(fragment: ShotFragment) -> set[int]:
    """The gate cuts at which some variants measure."""
    axes, chosen = fragment.program.axes, len(fragment.program.choices)
    return {
        axes[axis][0]
        for leg in fragment.legs
        for axis in leg.axes
        if axis < chosen and any(len(each.kraus) > 1 for each in leg.side.operations)
    }


def _going_on(fragment: ShotFragment, basis: Basis) -> set[int]:
    """The gate cuts after which something is done to the qubit, or read off it."""
    program = fragment.program
    first_open = program.width - len(program.open_cuts)
    busy = {qubit for qubit, _ in basis.letters} | set(range(first_open, program.width))
    found = set()
    for step in reversed(program.steps):
        if step.cut is not None and step.qubits[0] in busy:
            found.add(step.cut)
        busy.update(step.qubits)
    return found
