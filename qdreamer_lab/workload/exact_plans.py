"""Plans for the terms of an observable, found once and used again.

Parameter sweeps and variational loops run one circuit over and over with other angles. What
follows from its structure alone is kept: the groups of terms, their plans, how the terms fall apart
over the fragments, and the order of contraction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.cones import restricted, restricted_plan, term_groups
from qdreamer_lab.workload.contract import Reconstruction
from qdreamer_lab.workload.exact import ExactRun, TermSplit, prepare, split_terms
from qdreamer_lab.workload.options import SearchOptions
from qdreamer_lab.workload.planner import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.blocks import BlockCircuit
    from qdreamer_lab.workload.estimate import RunOptions
    from qdreamer_lab.workload.observables import Factors
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["ExactPlans", "Group", "GroupRun"]

_Axes = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Terms that run together, and what is known of them whatever the parameter values.

    Attributes:
        terms: the terms.
        numbers: their indices among all terms.
        measured: the qubits on which they act.
        plan: their plan, with the matrices of the circuit for which it was found.
        split: how they fall apart over its fragments.
        contractions: those planned so far, by axes and limit.
    """

    terms: tuple[Factors, ...]
    numbers: NDArray[np.int64]
    measured: tuple[int, ...]
    plan: CutPlan
    split: TermSplit
    contractions: dict[tuple[_Axes, int], Reconstruction] = field(default_factory=dict)

    def contraction(self, run: ExactRun, sliced: Sequence[int], limit_bytes: int) -> Reconstruction:
        """How to contract tensors of this run when some cuts are fixed."""
        axes = run.axes(sliced)
        for (known, limit), found in self.contractions.items():
            if known == axes and limit <= limit_bytes:
                return found
        made = Reconstruction(axes, limit_bytes)
        self.contractions[axes, limit_bytes] = made
        return made


@dataclass(frozen=True, eq=False, slots=True)
class GroupRun:
    """A group with the matrices of one set of parameter values."""

    group: Group
    plan: CutPlan
    run: ExactRun


class ExactPlans:
    """The plans of the circuit and terms that were run last."""

    def __init__(self) -> None:
        self._pairs: NDArray[np.int64] | None = None
        self._terms: tuple[Factors, ...] = ()
        self._groups: tuple[Group, ...] = ()

    def runs(
        self, circuit: QuantumCircuit, terms: tuple[Factors, ...], options: RunOptions
    ) -> list[GroupRun]:
        """Everything to run for some terms of a circuit, the group with the most work first.

        Raises:
            PlanError: if the given plan does not belong to the circuit, or leaves out a term.
        """
        given = options.plan
        blocks = to_blocks(circuit, merge=given is None or given.blocks.merged)
        if given is not None:
            blocks = _like(given, blocks, terms)
        if self._pairs is None or not np.array_equal(self._pairs, blocks.pairs):
            self._terms, self._groups = (), ()
        if self._terms != terms:
            self._groups = _groups(blocks, terms, options)
            self._pairs, self._terms = blocks.pairs, terms
        runs = []
        for group in self._groups:
            plan = group.plan.with_blocks(restricted(blocks, group.measured))
            runs.append(GroupRun(group, plan, prepare(plan, group.terms, group.split)))
        return runs


def _like(plan: CutPlan, blocks: BlockCircuit, terms: tuple[Factors, ...]) -> BlockCircuit:
    """The part of a circuit for which a plan was made."""
    part = restricted(blocks, plan.blocks.measured)
    acted = {qubit for term in terms for qubit, _ in term}
    same = np.array_equal(part.pairs, plan.blocks.pairs)
    if not same or not acted <= set(plan.blocks.measured):
        raise PlanError("the plan was made for another circuit, or for narrower observables")
    return part


def _groups(
    blocks: BlockCircuit, terms: tuple[Factors, ...], options: RunOptions
) -> tuple[Group, ...]:
    """Group terms and plan each group."""
    width = options.max_qubits if options.plan is None else options.plan.max_qubits
    groups = []
    for numbers in term_groups(blocks, terms, width):
        inside = tuple(terms[k] for k in numbers)
        measured = tuple(sorted({qubit for term in inside for qubit, _ in term}))
        if options.plan is None:
            cone = restricted(blocks, measured)
            plan = plan_blocks(cone, width, SearchOptions(seed=options.seed))
        else:
            plan = restricted_plan(options.plan, measured)
            measured = plan.blocks.measured
        split = split_terms(plan, inside)
        groups.append(Group(inside, np.array(numbers, np.int64), measured, plan, split))
    return tuple(groups)
