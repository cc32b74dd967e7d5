"""From a plan and observable terms to what exact mode runs, and from its tensors to values.

Nothing runs here; whoever calls decides where the jobs go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.workload.exact.reconstruct import Reconstruction, paired
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.fragment.split import TermSplit, split_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["ExactProgram", "FragmentJob", "lower"]


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
class ExactProgram:
    """A plan made ready for some terms.

    Attributes:
        jobs: One per fragment that has blocks.
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
        return sum(self.job_bytes(sliced))

    def job_bytes(self, sliced: Sequence[int] = ()) -> list[int]:
        """Memory of each job's tensors when some cuts are fixed."""
        return [
            16 * len(job.operators) * math.prod(size for _, size in axes)
            for job, axes in zip(self.jobs, self.axes(sliced), strict=True)
        ]

    def values(
        self,
        tensors: Sequence[NDArray[np.complex128]],
        memory_limit_bytes: int | None = None,
    ) -> NDArray[np.float64]:
        """Reconstruct.

        Args:
            tensors: Per job, (operators, *dims, *dims) as `run_fragment` returns them.
            memory_limit_bytes: Most memory for the contraction; what is free if None.

        Returns:
            (terms,) float64 expectation values.

        Raises:
            MemoryLimitError: If the contraction does not fit.
        """
        whole = Reconstruction(self.axes(), memory_limit_bytes)
        return self.lone_factors * whole.values([paired(t) for t in tensors], self.operator_of)


def lower(
    plan: Partition,
    terms: Sequence[Factors],
    split: TermSplit | None = None,
    programs: Sequence[FragmentProgram] | None = None,
) -> ExactProgram:
    """Make a plan ready for some terms.

    Args:
        plan: Where to cut.
        terms: Products of one-qubit operators.
        split: What `split_terms` gave for the same terms and a plan with the same labels.
        programs: What `fragment_programs` gave for this plan.

    Raises:
        ObservableError: If a term acts on a qubit whose light cone the plan left out.
    """
    programs = fragment_programs(plan) if programs is None else programs
    if split is None:
        split = split_terms(plan, terms, programs)
    jobs = tuple(FragmentJob(*each) for each in zip(programs, split.operators, strict=True))
    return ExactProgram(jobs, split.operator_of, split.lone_factors(plan.blocks.lone))
