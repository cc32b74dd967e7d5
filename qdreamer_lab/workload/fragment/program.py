"""A fragment as a program: what to do to its own qubits, and where the cuts enter.

An exact cut is a sum of pairs of local operations with the identity as glue. A gate cut is
Σ_k high_k ⊗ low_k, a wire cut Σ_b |b⟩⟨b|: the side after the cut starts in |b⟩, and the side before
leaves that qubit as an open axis of its state. So every cut is an index k that two fragments share.
This module lowers a plan to such programs; it must not run them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.workload.circuit.schmidt import local_terms
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["Decomposed", "FragmentProgram", "Step", "fragment_programs"]

Decomposed = tuple[NDArray[np.complex128], NDArray[np.complex128]]
"""Local operations (r, 2, 2) of a block's low and high qubit, one pair per term."""

_START = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], dtype=np.complex128)
"""Identity and X: they take |0⟩ to the two states in which a cut wire can start."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One operation on local qubits (least significant first).

    Attributes:
        qubits: One or two local qubits.
        matrices: (r, d, d); r choices, of which all are followed, one state each.
        cut: The shared index that counts the choices, or None when there is only one.
    """

    qubits: tuple[int, ...]
    matrices: NDArray[np.complex128]
    cut: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class FragmentProgram:
    """Everything a worker needs to simulate one fragment.

    Local qubits that live on after an upstream wire cut come last, so that they are the leading
    bits of a state and can be split off without moving memory.

    Attributes:
        id: Label of the fragment in its plan.
        width: Local qubits.
        steps: In order of application, from |0…0⟩.
        open_cuts: Cut of each open qubit, most significant first; these are the `len(open_cuts)`
            last local qubits.
        wires: (circuit qubit, local qubit) for each wire that ends here.
    """

    id: int
    width: int
    steps: tuple[Step, ...]
    open_cuts: tuple[int, ...]
    wires: tuple[tuple[int, int], ...]

    @property
    def axes(self) -> tuple[tuple[int, int], ...]:
        """(cut, dimension) of the state's leading axes: choices in order of time, then open."""
        chosen = [(s.cut, len(s.matrices)) for s in self.steps if s.cut is not None]
        return (*chosen, *((cut, 2) for cut in self.open_cuts))

    @property
    def variants(self) -> int:
        """State vectors simulated."""
        return math.prod(len(s.matrices) for s in self.steps)

    def variants_with(self, fixed: Mapping[int, int]) -> int:
        """State vectors simulated when the choice at some cuts is fixed."""
        return math.prod(len(s.matrices) for s in self.steps if s.cut not in fixed)

    def dims(self, fixed: Mapping[int, int]) -> tuple[int, ...]:
        """Sizes of `axes` when the choice at some cuts is fixed."""
        return tuple(1 if cut in fixed else size for cut, size in self.axes)


def fragment_programs(
    plan: CutPlan, decompose: Callable[[NDArray[np.complex128]], Decomposed] = local_terms
) -> tuple[FragmentProgram, ...]:
    """Lower a plan to one program per fragment that has blocks, by fragment id.

    Cuts are numbered as in `plan.cuts`. Gate cuts of rank one need no index and get none.

    Args:
        plan: What to lower.
        decompose: The low and the high local operations (r, 2, 2) of a block that is cut.
    """
    steps: dict[int, list[Step]] = defaultdict(list)
    local, open_cut, starts = _local_qubits(plan)
    gates = {cut.block: k for k, cut in enumerate(plan.cuts) if isinstance(cut, GateCut)}
    for block, (low, high) in enumerate(plan.segment_of.tolist()):
        for segment in (low, high):
            if segment in starts and plan.segments[segment].first == block:
                start = Step((local[segment],), _START, starts[segment])
                steps[plan.segments[segment].fragment].append(start)
        unitary = plan.blocks.unitaries[block]
        sides = plan.labels[block].tolist()
        if block not in gates:
            steps[sides[0]].append(Step((local[low], local[high]), unitary[None]))
            continue
        terms = decompose(unitary)
        index = gates[block] if len(terms[0]) > 1 else None
        for side, segment, matrices in zip(sides, (low, high), terms, strict=True):
            steps[side].append(Step((local[segment],), matrices, index))
    members: dict[int, list[int]] = defaultdict(list)
    for k, segment in enumerate(plan.segments):
        members[segment.fragment].append(k)
    return tuple(
        FragmentProgram(
            id=label,
            width=len(inside),
            steps=tuple(steps[label]),
            open_cuts=tuple(
                open_cut[k] for k in sorted(inside, key=lambda k: -local[k]) if k in open_cut
            ),
            wires=tuple((plan.segments[k].qubit, local[k]) for k in inside if k not in open_cut),
        )
        for label, inside in sorted(members.items())
    )


def _local_qubits(plan: CutPlan) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Number every fragment's segments.

    Returns:
        The local qubit of each segment, the cut that ends it, and the cut that starts it.
    """
    number = {
        (cut.qubit, cut.before): k for k, cut in enumerate(plan.cuts) if isinstance(cut, WireCut)
    }
    opened: dict[int, int] = {}
    starts: dict[int, int] = {}
    previous: dict[int, int] = {}
    for k, segment in enumerate(plan.segments):
        if segment.qubit in previous:
            cut = number[segment.qubit, segment.first]
            opened[previous[segment.qubit]] = starts[k] = cut
        previous[segment.qubit] = k
    count: dict[int, int] = defaultdict(int)
    local: dict[int, int] = {}
    for k in sorted(range(len(plan.segments)), key=lambda k: k in opened):
        fragment = plan.segments[k].fragment
        local[k] = count[fragment]
        count[fragment] += 1
    return local, opened, starts
