"""From a plan and observable terms to what sampled mode runs: fragments, variants, glue.

Nothing runs here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.cut.problem import block_problem
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.fragment.split import split_terms
from qdreamer_lab.workload.sampled.bases import bases_of
from qdreamer_lab.workload.sampled.glue import Glue, gate_glue, joint_glue, settled_glue, wire_glue
from qdreamer_lab.workload.sampled.reconstruct import Gluing
from qdreamer_lab.workload.sampled.settled import settled_ends
from qdreamer_lab.workload.sampled.variants import Leg, ShotFragment
from qdreamer_lab.workload.sampled.weyl import weyl_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import ProductTerm
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.lower import Decomposed
    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.weyl import WeylForm

__all__ = ["SampledProgram", "ShotProgram", "lower", "lower_fragments"]

Reading = tuple[tuple["Basis", ...], int]
"""How a fragment's qubits are measured, and how many local operators are read in all bases."""

_MOST_JOINT = 4
"""Gates that are cut as one: n of them take 2^n unitaries and three operations for every pair of
these, 376 for four gates and 1,520 for five."""


@dataclass(frozen=True, eq=False, slots=True)
class ShotProgram:
    """A plan made ready for shots, whatever is wanted of them.

    Attributes:
        plan: The plan.
        fragments: One per fragment that has blocks.
        glues: What joins them.
    """

    plan: Partition
    fragments: tuple[ShotFragment, ...]
    glues: tuple[Glue, ...]

    @property
    def num_variants(self) -> int:
        """Different circuits of all fragments together."""
        return sum(fragment.num_variants for fragment in self.fragments)


@dataclass(frozen=True, eq=False, slots=True)
class SampledProgram(ShotProgram):
    """A plan made ready for expectation values.

    Attributes:
        gluing: Puts the fragments' tensors together to values, one per observable.
    """

    gluing: Gluing


def lower(
    plan: Partition, observables: Sequence[Sequence[ProductTerm]], *, joint: bool = True
) -> SampledProgram:
    """Split observables over the fragments of a plan.

    Args:
        plan: What to lower.
        observables: The terms of each.
        joint: Let cuts that share a decomposition under the plan's cost model share glue. What
            they do together spans several moments of a circuit, so a device can only run cuts
            that are each on their own.

    Raises:
        ObservableError: If a term acts on a qubit whose light cone the plan left out.
    """
    terms = list(dict.fromkeys(term.factors for terms in observables for term in terms))
    place = {factors: k for k, factors in enumerate(terms)}
    coefficients = np.zeros((len(observables), len(terms)))
    for row, observable in enumerate(observables):
        for term in observable:
            coefficients[row, place[term.factors]] += term.coefficient
    split = split_terms(plan, terms)
    readings = iter([(bases_of(operators), len(operators)) for operators in split.operators])
    program = lower_fragments(plan, lambda _: next(readings), joint=joint)
    coefficients *= split.lone_factors(plan.blocks.lone)
    gluing = Gluing(program.fragments, program.glues, split.operator_of, coefficients)
    return SampledProgram(plan, program.fragments, program.glues, gluing)


def lower_fragments(
    plan: Partition, reading: Callable[[FragmentProgram], Reading], *, joint: bool = True
) -> ShotProgram:
    """Lower a plan to fragments and glue.

    Args:
        plan: What to lower.
        reading: What is read of a fragment; asked once for each, in their order.
        joint: As for `lower`.
    """
    forms = _weyl_forms(plan)
    by_matrix = {plan.blocks.unitaries[block].tobytes(): form for block, form in forms.items()}

    def decompose(unitary: NDArray[np.complex128]) -> Decomposed:
        form = by_matrix[unitary.tobytes()]
        return form.low, form.high

    programs = fragment_programs(plan, decompose)
    readings = [reading(program) for program in programs]
    settled = settled_ends(plan, forms, programs, [bases for bases, _ in readings])
    groups = _groups(plan, forms, settled, joint)
    glues = [_glue(plan, cuts, forms, settled) for cuts in groups]
    fragments = tuple(
        ShotFragment(program, _legs(plan, program, groups, glues), *mine)
        for program, mine in zip(programs, readings, strict=True)
    )
    return ShotProgram(plan, fragments, tuple(glues))


def _weyl_forms(plan: Partition) -> dict[int, WeylForm]:
    """The Weyl form of every block that is cut."""
    blocks = [cut.block for cut in plan.cuts if isinstance(cut, GateCut)]
    return {block: weyl_form(plan.blocks.unitaries[block]) for block in blocks}


def _groups(
    plan: Partition, forms: dict[int, WeylForm], settled: Mapping[int, int], joint: bool
) -> list[tuple[int, ...]]:
    """Which cuts are glued as one, without those that cost nothing."""
    rank = {
        k: len(forms[cut.block].coefficients) if isinstance(cut, GateCut) else 2
        for k, cut in enumerate(plan.cuts)
    }
    cuts = [k for k in rank if rank[k] > 1]
    if not joint or plan.cost not in ("joint", "locc") or not cuts:
        return [(k,) for k in cuts]
    # Imported late: the compiled kernels take a while to load, and independent cuts need none.
    from qdreamer_lab.search.cost_models import joint_groups

    shared = joint_groups(block_problem(plan.blocks, plan.blocks.num_qubits), plan.labels)
    found: dict[object, list[int]] = {}
    for k in cuts:
        cut = plan.cuts[k]
        name: object = f"cut {k}"
        if isinstance(cut, GateCut) and rank[k] == 2 and k not in settled:
            name = int(shared[cut.block])
        found.setdefault(name, []).append(k)
    return [
        tuple(group[first : first + _MOST_JOINT])
        for group in found.values()
        for first in range(0, len(group), _MOST_JOINT)
    ]


def _glue(
    plan: Partition,
    cuts: tuple[int, ...],
    forms: dict[int, WeylForm],
    settled: Mapping[int, int],
) -> Glue:
    parts = [forms[cut.block] for k in cuts if isinstance(cut := plan.cuts[k], GateCut)]
    if not parts:
        return wire_glue()
    if len(parts) > 1:
        return joint_glue([part.coefficients for part in parts])
    how = parts[0].coefficients, parts[0].commute
    return settled_glue(*how, settled[cuts[0]]) if cuts[0] in settled else gate_glue(*how)


def _legs(
    plan: Partition, program: FragmentProgram, groups: list[tuple[int, ...]], glues: list[Glue]
) -> tuple[Leg, ...]:
    axis = {cut: k for k, (cut, _) in enumerate(program.axes)}
    legs = []
    for number, cuts in enumerate(groups):
        if cuts[0] not in axis:
            continue
        end = 0 if plan.cuts[cuts[0]].fragments[0] == program.id else 1
        side = glues[number].sides[end]
        legs.append(Leg(tuple(axis[k] for k in cuts), number, end, side))
    return tuple(legs)
