"""Exact mode: from a plan and observable terms to fragment jobs, and from their tensors to values.

Terms are split into one product per fragment. Each distinct product is evaluated once per fragment,
however many terms use it. Nothing runs here; whoever calls decides where the jobs go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import ObservableError
from qdreamer_lab.workload.contract import Reconstruction
from qdreamer_lab.workload.fragment import FragmentProgram, fragment_programs
from qdreamer_lab.workload.observables import LETTERS, Factors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["ExactRun", "FragmentJob", "prepare"]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentJob:
    """A fragment and the distinct local operators wanted of it."""

    program: FragmentProgram
    operators: tuple[Factors, ...]


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
        whole = Reconstruction([job.program for job in self.jobs], memory_limit_bytes)
        values = np.empty(len(self.lone_factors))
        for term, operators in enumerate(self.operator_of.tolist()):
            chosen = [tensor[k] for tensor, k in zip(tensors, operators, strict=True)]
            values[term] = self.lone_factors[term] * whole.value(chosen)
        return values


def prepare(plan: CutPlan, terms: Sequence[Factors]) -> ExactRun:
    """Split terms over the fragments of a plan.

    Raises:
        ObservableError: if a term acts on a qubit whose light cone the plan left out.
    """
    _check_measured(plan, terms)
    programs = fragment_programs(plan)
    operator_of = np.empty((len(terms), len(programs)), dtype=np.int64)
    jobs = []
    for column, program in enumerate(programs):
        local = dict(program.wires)
        known: dict[Factors, int] = {}
        for row, term in enumerate(terms):
            part = tuple((local[qubit], letter) for qubit, letter in term if qubit in local)
            operator_of[row, column] = known.setdefault(part, len(known))
        jobs.append(FragmentJob(program, tuple(known)))
    lone = np.array([_lone_factor(plan.blocks.lone, term) for term in terms])
    return ExactRun(tuple(jobs), operator_of, lone)


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
        if qubit in lone:
            state = lone[qubit][:, 0]
            factor *= float(np.real(np.vdot(state, LETTERS[letter] @ state)))
    return factor
