"""From a partition of a circuit to one program for each fragment.

An exact cut is a sum of pairs of local operations with the identity as glue. A gate cut is
Σ_k high_k ⊗ low_k, a wire cut Σ_b |b⟩⟨b|: the side after the cut starts in |b⟩, and the side before
leaves that qubit as an open axis of its state. So every cut is an index k that two fragments share.
It must not run anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.engine.program import Step
from qdreamer_lab.workload.circuit.schmidt import local_terms
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut
from qdreamer_lab.workload.fragment.program import FragmentProgram

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["Decomposed", "fragment_programs"]

Decomposed = tuple[NDArray[np.complex128], NDArray[np.complex128]]
"""Local operations (r, 2, 2) of a block's low and high qubit, one pair per term."""

_START = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], dtype=np.complex128)
"""Identity and X: they take |0⟩ to the two states in which a cut wire can start."""


def fragment_programs(
    plan: Partition, decompose: Callable[[NDArray[np.complex128]], Decomposed] = local_terms
) -> tuple[FragmentProgram, ...]:
    """Lower a partition to one program per fragment that has blocks, by fragment id.

    Cuts are numbered as in `plan.cuts`. Gate cuts of rank one need no index and get none.

    Args:
        plan: What to lower.
        decompose: The low and the high local operations (r, 2, 2) of a block that is cut.
    """
    local, open_cut, starts = _local_qubits(plan)
    layout = plan.layout
    fragment, first = layout.fragment.tolist(), layout.first.tolist()
    steps: dict[int, list[Step]] = {label: [] for label in sorted(set(fragment))}
    gates = {cut.block: k for k, cut in enumerate(plan.cuts) if isinstance(cut, GateCut)}
    ends, labels = layout.of.tolist(), plan.labels.tolist()
    unitaries = plan.blocks.unitaries[:, None]
    for block, (low, high) in enumerate(ends):
        for segment in (low, high) if starts else ():
            if segment in starts and first[segment] == block:
                start = Step((local[segment],), _START, starts[segment])
                steps[fragment[segment]].append(start)
        if block not in gates:
            steps[labels[block][0]].append(Step((local[low], local[high]), unitaries[block]))
            continue
        terms = decompose(plan.blocks.unitaries[block])
        index = gates[block] if len(terms[0]) > 1 else None
        for side, segment, matrices in zip(labels[block], (low, high), terms, strict=True):
            steps[side].append(Step((local[segment],), matrices, index))
    members: dict[int, list[int]] = {label: [] for label in steps}
    for k, label in enumerate(fragment):
        members[label].append(k)
    qubit = layout.qubit.tolist()
    return tuple(
        FragmentProgram(
            id=label,
            width=len(inside),
            steps=tuple(steps[label]),
            open_cuts=tuple(
                open_cut[k] for k in sorted(inside, key=lambda k: -local[k]) if k in open_cut
            ),
            wires=tuple([(qubit[k], local[k]) for k in inside if k not in open_cut]),
        )
        for label, inside in members.items()
    )


def _local_qubits(plan: Partition) -> tuple[list[int], dict[int, int], dict[int, int]]:
    """Number every fragment's segments.

    Returns:
        The local qubit of each segment, the cut that ends it, and the cut that starts it.
    """
    number = {
        (cut.qubit, cut.before): k for k, cut in enumerate(plan.cuts) if isinstance(cut, WireCut)
    }
    layout = plan.layout
    opened: dict[int, int] = {}
    starts: dict[int, int] = {}
    for k in np.flatnonzero(layout.previous >= 0).tolist():
        cut = number[int(layout.qubit[k]), int(layout.first[k])]
        opened[int(layout.previous[k])] = starts[k] = cut
    fragment = layout.fragment.tolist()
    count = dict.fromkeys(fragment, 0)
    local = [0] * len(fragment)
    for k in sorted(range(len(fragment)), key=lambda k: k in opened):
        local[k] = count[fragment[k]]
        count[fragment[k]] += 1
    return local, opened, starts
