"""Exact mode: from a plan and observable terms to fragment jobs, and from their tensors to values.

Terms are split into one product per fragment. Each distinct product is evaluated once per fragment,
however many terms use it. Nothing runs here; whoever calls decides where the jobs go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import ObservableError
from qdreamer_lab.workload.circuit.observables import LETTERS, Factors
from qdreamer_lab.workload.exact.reconstruct import Reconstruction, paired
from qdreamer_lab.workload.fragment.program import FragmentProgram, fragment_programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["ExactRun", "FragmentJob", "TermSplit", "prepare", "split_terms"]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentJob:
    """A fragment and the distinct local operators wanted of it."""

    program: FragmentProgram
    operators: tuple[Factors, ...]

    @property
    def work(self) -> float:
        """Rough floating-point operations: 8 per amplitude and complex multiply-add."""
        program = self.program
        rows = program.variants << len(program.open_cuts)
        gates = 4.0 * len(program.steps) * program.variants
        pairs = 0.5 * len(self.operators) * rows * program.variants
        return 8 * math.ldexp(gates + pairs, program.width)


@dataclass(frozen=True, eq=False, slots=True)
class TermSplit:
    """How terms fall apart over the fragments of a plan, whatever the parameter values.

    Attributes:
        operators: per fragment, the distinct products of local operators wanted of it.
        operator_of: (terms, fragments) int64; which of them each term uses.
        lone: distinct products on the qubits without blocks.
        lone_of: (terms,) int64; which of those each term has.
    """

    operators: tuple[tuple[Factors, ...], ...]
    operator_of: NDArray[np.int64]
    lone: tuple[Factors, ...]
    lone_of: NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class ExactRun:
    """A plan made ready for some terms.

    Attributes:
        jobs: one per fragment that has blocks.
        operator_of: (terms, jobs) int64; which of a job's operators each term uses.
        lone_factors: (terms,) float64; what the qubits without blocks contribute.
    """

    jobs: tuple[FragmentJob, ...]
    operator_of: NDArray[np.int64]
    lone_factors: NDArray[np.float64]

    def axes(self, sliced: Sequence[int] = ()) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Per job, (cut, size) of each axis of its paired tensors when some cuts are fixed."""
        return tuple(
            tuple((cut, 1 if cut in sliced else size * size) for cut, size in job.program.axes)
            for job in self.jobs
        )

    def gram_bytes(self, sliced: Sequence[int] = ()) -> int:
        """Memory of all tensors together when some cuts are fixed."""
        return sum(
            16 * len(job.operators) * math.prod(size for _, size in axes)
            for job, axes in zip(self.jobs, self.axes(sliced), strict=True)
        )

    def values(
        self,
        tensors: Sequence[NDArray[np.complex128]],
        memory_limit_bytes: int | None = None,
    ) -> NDArray[np.float64]:
        """Reconstruct.

        Args:
            tensors: per job, (operators, *dims, *dims) as `run_fragment` returns them.
            memory_limit_bytes: most memory for the contraction; what is free if None.

        Returns:
            (terms,) float64 expectation values.

        Raises:
            MemoryLimitError: if the contraction does not fit.
        """
        whole = Reconstruction(self.axes(), memory_limit_bytes)
        return self.lone_factors * whole.values([paired(t) for t in tensors], self.operator_of)


def prepare(plan: CutPlan, terms: Sequence[Factors], split: TermSplit | None = None) -> ExactRun:
    """Make a plan ready for some terms.

    Args:
        plan: where to cut.
        terms: products of one-qubit operators.
        split: what `split_terms` gave for the same terms and a plan with the same labels.

    Raises:
        ObservableError: if a term acts on a qubit whose light cone the plan left out.
    """
    programs = fragment_programs(plan)
    if split is None:
        split = split_terms(plan, terms, programs)
    factors = np.array([_lone_factor(plan.blocks.lone, one) for one in split.lone])
    jobs = tuple(FragmentJob(*one) for one in zip(programs, split.operators, strict=True))
    return ExactRun(jobs, split.operator_of, factors[split.lone_of])


def split_terms(
    plan: CutPlan, terms: Sequence[Factors], programs: Sequence[FragmentProgram] | None = None
) -> TermSplit:
    """Split terms over the fragments of a plan.

    Raises:
        ObservableError: if a term acts on a qubit whose light cone the plan left out.
    """
    _check_measured(plan, terms)
    programs = fragment_programs(plan) if programs is None else programs
    home = {qubit: k for k, one in enumerate(programs) for qubit, _ in one.wires}
    local = {qubit: place for one in programs for qubit, place in one.wires}
    known: list[dict[Factors, int]] = [{} for _ in programs]
    lone: dict[Factors, int] = {}
    operator_of = np.empty((len(terms), len(programs)), dtype=np.int64)
    lone_of = np.empty(len(terms), dtype=np.int64)
    for row, term in enumerate(terms):
        parts: dict[int, list[tuple[int, str]]] = {}
        for qubit, letter in term:
            parts.setdefault(home.get(qubit, -1), []).append((local.get(qubit, qubit), letter))
        lone_of[row] = lone.setdefault(tuple(parts.get(-1, ())), len(lone))
        for column, seen in enumerate(known):
            part = tuple(parts.get(column, ()))
            operator_of[row, column] = seen.setdefault(part, len(seen))
    return TermSplit(tuple(map(tuple, known)), operator_of, tuple(lone), lone_of)


def _check_measured(plan: CutPlan, terms: Sequence[Factors]) -> None:
    missing = {qubit for term in terms for qubit, _ in term} - set(plan.blocks.measured)
    if missing:
        names = ", ".join(map(str, sorted(missing)))
        raise ObservableError(
            f"the plan was made for other observables: it leaves out what leads to qubit {names}"
        )


def _lone_factor(lone: Mapping[int, NDArray[np.complex128]], term: Factors) -> float:
    """Product of ⟨0|U†OU|0⟩ over the qubits that no block touches."""
    factor = 1.0
    for qubit, letter in term:
        state = lone[qubit][:, 0]
        factor *= float(np.real(np.vdot(state, LETTERS[letter] @ state)))
    return factor
