"""Plans for the terms of an observable, found once and used again.

Parameter sweeps and variational loops run one circuit over and over with other angles. What
follows from its structure alone is kept: the groups of terms, their plans, how the terms fall apart
over the fragments, and the order of contraction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by
from qdreamer_lab.workload.circuit.pulled_back import pulled_back
from qdreamer_lab.workload.cut.options import BRIEFLY, SearchOptions
from qdreamer_lab.workload.exact.group_terms import (
    block_cones,
    gate_cones,
    restricted_plan,
    run_together,
    term_groups,
)
from qdreamer_lab.workload.exact.lower import lower
from qdreamer_lab.workload.exact.slicing import cuts_to_slice
from qdreamer_lab.workload.exact.term_group import BoundGroup, Group
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.fragment.split import split_terms
from qdreamer_lab.workload.plan.fit import dearer, fitted
from qdreamer_lab.workload.plan.search import find_partition

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.exact.reconstruct import Reconstruction
    from qdreamer_lab.workload.request import RunSettings

__all__ = ["ExactPlans", "bound_group", "parts_that_fit"]


def parts_that_fit(
    part: BoundGroup, itemsize: int, task_bytes: int, here_bytes: int
) -> list[tuple[BoundGroup, tuple[int, ...], Reconstruction]]:
    """A group, or its terms in several portions, with the cuts to slice and the contraction.

    Raises:
        MemoryLimitError: If even a single term does not fit.
    """
    try:
        sliced = cuts_to_slice(part.program, itemsize, task_bytes, here_bytes)
        return [(part, sliced, part.group.contraction(part.program, sliced, here_bytes))]
    except MemoryLimitError:
        if len(part.group.terms) < 2:
            raise
    half = len(part.group.terms) // 2
    found = []
    for inside in (slice(None, half), slice(half, None)):
        group = replace(
            part.group,
            terms=part.group.terms[inside],
            numbers=part.group.numbers[inside],
            signs=part.group.signs[inside],
            split=split_terms(part.plan, part.group.terms[inside]),
            contractions={},
        )
        less = bound_group(group, part.plan)
        found += parts_that_fit(less, itemsize, task_bytes, here_bytes)
    return found


def bound_group(group: Group, plan: Partition) -> BoundGroup:
    """A group with the matrices of a plan that has the labels of its own."""
    return BoundGroup(group, plan, lower(plan, group.terms, group.split))


class ExactPlans:
    """The plans of the circuit and terms that were run last.

    Jobs of one estimator may ask at the same time, from threads of their own: what is kept is one
    object, which is read and replaced as a whole.
    """

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def runs(
        self,
        circuit: QuantumCircuit,
        terms: tuple[Factors, ...],
        settings: RunSettings,
        gates: GateList | None = None,
    ) -> list[BoundGroup]:
        """Everything to run for some terms of a circuit, the group with the most work first.

        Args:
            circuit: Bound.
            terms: What is wanted.
            settings: How to plan.
            gates: The circuit's, if they have been read.

        Raises:
            PlanError: If the given plan does not belong to the circuit, or leaves out a term.
        """
        if gates is None:
            gates = GateList(flat_gates(circuit))
        kept = self._kept
        if kept is None or not kept.suits(gates, circuit.num_qubits, terms, settings.plan):
            kept, runs = self._plan(gates, circuit.num_qubits, terms, settings)
            if settings.plan is None:  # then the plans have the matrices of these gates
                return runs
        runs = _runs(kept.groups, gates, circuit.num_qubits, settings)
        if settings.plan is None and any(dearer(bound.plan, bound.group.plan) for bound in runs):
            _, runs = self._plan(gates, circuit.num_qubits, terms, settings)
        return runs

    def _plan(
        self,
        gates: GateList,
        num_qubits: int,
        terms: tuple[Factors, ...],
        settings: RunSettings,
    ) -> tuple[_Kept, list[BoundGroup]]:
        """Plan anew, and keep it; also what is to be run, with the matrices of the plans."""
        runs = _planned(gates, num_qubits, terms, settings)
        groups = tuple(bound.group for bound in runs)
        self._kept = made = _Kept(gates, terms, settings.plan, groups)
        return made, runs


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    """Groups with their plans, and what they were made for."""

    gates: GateList
    terms: tuple[Factors, ...]
    plan: Partition | None
    groups: tuple[Group, ...]

    def suits(
        self,
        gates: GateList,
        num_qubits: int,
        terms: tuple[Factors, ...],
        plan: Partition | None,
    ) -> bool:
        """Whether they were made for this."""
        wide = all(group.plan.blocks.num_qubits == num_qubits for group in self.groups)
        return wide and self.gates == gates and self.terms == terms and self.plan is plan


def _runs(
    groups: tuple[Group, ...], gates: GateList, num_qubits: int, settings: RunSettings
) -> list[BoundGroup]:
    """The groups with the matrices of these gates."""
    merge = settings.plan is None or settings.plan.blocks.merged
    runs = []
    for group in groups:
        blocks = blocks_of_gates(gates, num_qubits, group.measured, among=group.gates, merge=merge)
        runs.append(bound_group(group, group.plan.with_blocks(blocks)))
    return runs


def _planned(
    gates: GateList,
    num_qubits: int,
    terms: tuple[Factors, ...],
    settings: RunSettings,
) -> list[BoundGroup]:
    """Group terms and plan each group."""
    plan, width = settings.plan, settings.max_qubits
    if plan is not None:
        width = plan.max_qubits
        blocks, whole = fitted(plan, gates, num_qubits, terms)
        together = term_groups(block_cones(blocks, whole.terms), width)
    else:
        whole = pulled_back(gates, terms)
        if run_together(gates, whole, width):
            together = [tuple(range(len(terms)))]
        else:
            together = term_groups(gate_cones(gates, whole), width)
    runs = []
    for numbers in together:
        if plan is not None:
            inside = tuple(whole.terms[k] for k in numbers)
            left = replace(whole, terms=inside, signs=whole.signs[list(numbers)])
            kept = restricted_plan(plan, tuple(measured_by(inside)))
            measured = kept.blocks.measured
        else:
            alone = len(numbers) == len(terms)
            left = whole if alone else pulled_back(gates, [terms[k] for k in numbers])
            measured = tuple(measured_by(left.terms))
            part = blocks_of_gates(gates, num_qubits, measured, among=left.gates)
            options = SearchOptions(seed=settings.seed, rounds=BRIEFLY, devices=settings.devices)
            kept = find_partition(part, width, options)
        programs = fragment_programs(kept)
        group = Group(
            terms=left.terms,
            numbers=np.array(numbers, np.int64),
            signs=left.signs,
            gates=left.gates,
            measured=measured,
            plan=kept,
            split=split_terms(kept, left.terms, programs),
        )
        runs.append(BoundGroup(group, kept, lower(kept, group.terms, group.split, programs)))
    return runs
