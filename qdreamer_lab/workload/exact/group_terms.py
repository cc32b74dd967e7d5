"""Light cones: which blocks a term of an observable needs, and which terms should share a run.

Terms whose cones differ are put into groups, each of which runs the blocks of its own cone only.
One run for all of them is best as long as the union of the cones costs less than the parts; a wide
circuit with local terms falls apart. This module must not search for plans or run anything.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.devices import fits, fragment_widths
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.workload.circuit.lightcone import (
    LETTER_MASKS,
    measured_by,
    needed_by_each,
    reaching_blocks,
)
from qdreamer_lab.workload.cut.partition import Partition, lone_labels
from qdreamer_lab.workload.cut.wire_segments import connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.circuit.pulled_back import PulledBack
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = [
    "block_cones",
    "gate_cones",
    "restricted",
    "restricted_plan",
    "run_together",
    "term_groups",
]

_PER_GROUP = 2.0**22
"""What planning and contracting one more group costs, in the units of `_work`: milliseconds."""


@dataclass(frozen=True, slots=True)
class _Cone:
    """Blocks and qubits as bits of integers, and what running them costs."""

    blocks: int
    qubits: int
    work: float


def term_groups(cones: Sequence[tuple[int, int]], max_qubits: int) -> list[tuple[int, ...]]:
    """Put terms into groups that run together.

    Args:
        cones: Per term, the blocks and the qubits in its light cone, as bits.
        max_qubits: Greatest width of a fragment.

    Returns:
        The indices of each group's terms, ascending; the group with the most work first.
    """
    groups = _merged([_cone(*key, max_qubits) for key in dict.fromkeys(cones)], max_qubits)
    number = {}
    for k, (_, inside) in enumerate(groups):
        number.update({(cone.blocks, cone.qubits): k for cone in inside})
    members: list[list[int]] = [[] for _ in groups]
    for index, key in enumerate(cones):
        members[number[key]].append(index)
    return [tuple(group) for group in members]


def run_together(gates: GateList, left: PulledBack, max_qubits: int) -> bool:
    """Whether terms are to run together whatever their light cones are, as `term_groups` has it.

    Args:
        gates: The circuit.
        left: The terms, and what is left of the circuit for all of them.
        max_qubits: Greatest width of a fragment.
    """
    if len(left.terms) < 2:
        return len(left.terms) == 1
    places = gates.places[np.array(left.gates, np.int64)]
    two = places[places[:, 1] >= 0]
    width = len(set(two.ravel().tolist()))
    return _work(len(two), width, max_qubits) <= 2 * _PER_GROUP


def block_cones(blocks: BlockCircuit, terms: Sequence[Factors]) -> list[tuple[int, int]]:
    """Blocks and qubits in the light cone of each term, as bits, when blocks do not commute."""
    reach: dict[int, tuple[int, int]] = {}
    for k, (low, high) in enumerate(blocks.pairs.tolist()):
        below, above = reach.get(low, (0, 1 << low)), reach.get(high, (0, 1 << high))
        reach[low] = reach[high] = (below[0] | above[0] | 1 << k, below[1] | above[1])
    return [_union(reach.get(qubit, (0, 0)) for qubit, _ in term) for term in terms]


def gate_cones(gates: GateList, left: PulledBack) -> list[tuple[int, int]]:
    """Two-qubit gates and their qubits in the light cone of each term, as bits.

    Args:
        gates: The circuit.
        left: The terms, and what is left of the circuit for all of them.
    """
    keys = {(qubit, LETTER_MASKS[letter]) for term in left.terms for qubit, letter in term}
    if len(left.terms) <= len(keys):
        return _two_qubit_cones(gates, left, [measured_by([term]) for term in left.terms])
    # What a product reaches, its factors reach together.
    cones = _two_qubit_cones(gates, left, [dict([key]) for key in keys])
    reach = dict(zip(keys, cones, strict=True))
    return [
        _union(reach[qubit, LETTER_MASKS[letter]] for qubit, letter in term) for term in left.terms
    ]


def _two_qubit_cones(
    gates: GateList, left: PulledBack, observables: list[dict[int, int]]
) -> list[tuple[int, int]]:
    """The two-qubit gates that each observable needs, and their qubits, as bits."""
    among = np.array(left.gates, np.int64)
    keep, joined = needed_by_each(gates, observables, among)
    two = np.zeros((len(observables), len(gates.qubits)), np.bool_)
    two[:, among] = keep & (gates.places[among, 1] >= 0)
    return list(zip(_as_bits(two), _as_bits(joined), strict=True))


def _as_bits(flags: NDArray[np.bool_]) -> list[int]:
    """Per row, an integer that has these bits."""
    packed = np.packbits(flags, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _union(cones: Iterable[tuple[int, int]]) -> tuple[int, int]:
    blocks = qubits = 0
    for more_blocks, more_qubits in cones:
        blocks |= more_blocks
        qubits |= more_qubits
    return blocks, qubits


def restricted(blocks: BlockCircuit, measured: Sequence[int]) -> BlockCircuit:
    """The circuit without what cannot influence these qubits, as `to_blocks` leaves it out."""
    wanted = tuple(sorted(measured))
    keep = reaching_blocks(blocks.pairs, wanted)
    if len(keep) == blocks.num_blocks:
        return blocks if wanted == blocks.measured else replace(blocks, measured=wanted)
    pairs = blocks.pairs[keep]
    busy = set(pairs.ravel().tolist())
    idle = {qubit: np.eye(2, dtype=np.complex128) for qubit in range(blocks.num_qubits)} | dict(
        blocks.lone
    )
    return replace(
        blocks,
        pairs=pairs,
        unitaries=blocks.unitaries[keep],
        lone={qubit: matrix for qubit, matrix in idle.items() if qubit not in busy},
        sources=tuple(blocks.sources[k] for k in keep),
        measured=wanted,
    )


def restricted_plan(plan: Partition, measured: Sequence[int]) -> Partition:
    """The plan without what cannot influence these qubits; the cuts that are left stay cuts."""
    keep = reaching_blocks(plan.blocks.pairs, measured)
    if len(keep) == plan.blocks.num_blocks:
        return plan
    blocks = restricted(plan.blocks, measured)
    labels = connected(blocks.pairs, plan.labels[keep])
    devices = plan.devices
    if devices is not None and not fits(fragment_widths(blocks.pairs, labels), devices):
        labels = renumbered(plan.labels[keep])  # what falls apart stays on one device
    lone = lone_labels(blocks, labels, plan.max_qubits, devices=devices)
    return Partition(blocks, labels, lone, plan.max_qubits, plan.cost, devices=devices)


def _cone(blocks: int, qubits: int, max_qubits: int) -> _Cone:
    return _Cone(blocks, qubits, _work(blocks.bit_count(), qubits.bit_count(), max_qubits))


def _work(num_blocks: int, width: int, max_qubits: int) -> float:
    """Rough work of running a cone, before there is a plan for it.

    One fragment's worth of amplitudes per block; and if it must be cut, a factor for the cuts at
    one border or two, each with as many blocks across it as there are on average.
    """
    borders = 0 if width <= max_qubits else 1 if width <= 2 * max_qubits else 2
    across = num_blocks / max(1, width - 1)
    exponent = min(width, max_qubits) + borders * across
    return num_blocks * math.exp2(min(exponent, 500.0)) + _PER_GROUP


_Group = tuple[_Cone, list[_Cone]]


def _merged(cones: list[_Cone], max_qubits: int) -> list[_Group]:
    """Groups of cones, each with the union of its cones; the most work first."""
    if not cones:
        return []

    def union(a: _Cone, b: _Cone) -> _Cone:
        return _cone(a.blocks | b.blocks, a.qubits | b.qubits, max_qubits)

    whole = functools.reduce(union, cones)
    if whole.work <= max(cone.work for cone in cones) + _PER_GROUP:
        return [(whole, cones)]
    near = sorted(cones, key=lambda cone: (cone.qubits & -cone.qubits, -cone.work))
    groups: list[_Group] = [(cone, [cone]) for cone in near]
    count = len(groups) + 1
    while len(groups) < count:  # groups grow, and some come to overlap others
        count = len(groups)
        given, groups = groups, []
        for group in given:
            _join(groups, group, union)
    if whole.work <= sum(group[0].work for group in groups):
        return [(whole, cones)]
    return sorted(groups, key=lambda group: -group[0].work)


def _join(groups: list[_Group], group: _Group, union: Callable[[_Cone, _Cone], _Cone]) -> None:
    """Merge a group into the one that it makes dearer by least, or add it as it is."""
    cone, members = group
    unions = [union(other, cone) for other, _ in groups]
    dearer = [new.work - old.work for new, (old, _) in zip(unions, groups, strict=True)]
    best = int(np.argmin(dearer)) if dearer else -1
    if best >= 0 and dearer[best] <= cone.work:
        groups[best] = (unions[best], groups[best][1] + members)
    else:
        groups.append(group)
