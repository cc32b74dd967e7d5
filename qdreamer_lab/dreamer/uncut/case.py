"""Uncut runs by other methods than state vectors, planned for real and not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.exact.case import Case, Work, for_sets, timed_twice
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS
from qdreamer_lab.dreamer.uncut.cost import (
    ChainShape,
    CliffordShape,
    clifford_counts,
    likely_counts,
)
from qdreamer_lab.errors import MethodError
from qdreamer_lab.workload.uncut.bonds import chain_of, log2_entropies, string_work
from qdreamer_lab.workload.uncut.circuit import check_chain, clifford_of, whole_of
from qdreamer_lab.workload.uncut.matrix_product_state import TRUNCATION
from qdreamer_lab.workload.uncut.tasks import stabilizer_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.machine.profile import MachineProfile
    from qdreamer_lab.dreamer.wanted import Wanted
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.plan.plan import CutPlan
    from qdreamer_lab.workload.uncut.bonds import Chain
    from qdreamer_lab.workload.uncut.circuit import Whole

__all__ = ["chain_shape", "clifford_shape", "method_case"]

_MOST_S = 6 * 3600.0
"""A matrix product state that may take longer is refused: its bound says nothing of use."""

_BESIDES_BYTES = 1 << 20
"""What a run takes besides the state."""


def method_case(wanted: Wanted, method: str, execution: Execution, profile: MachineProfile) -> Case:
    """Plan an uncut run.

    Args:
        wanted: circuit and observables.
        method: how circuits are simulated.
        execution: where and how it is to run.
        profile: says which bond dimensions take too long.

    Raises:
        MethodError: if the method does not apply, or takes hours.
        MemoryLimitError: if a matrix product state may not fit.
    """
    if method == "stabilizer":
        return _stabilizer_case(wanted)
    work_most = _MOST_S * 1e9 / profile.value("chain_svd")

    def plan() -> tuple[Whole, Chain | None, CutPlan]:
        whole = whole_of(wanted.circuit, wanted.request.observables)
        return whole, whole.chain(work_most), whole.plan()

    (whole, chain, cut_plan), plan_s = timed_twice(plan)
    if chain is None:
        raise MethodError(
            "a matrix product state may take bond dimensions with which it runs for more than "
            f"{_MOST_S / 3600:.0f} hours: the circuit entangles too much for it"
        )
    check_chain(chain, execution.task_limit_bytes())
    low = chain_of(whole.row.num_qubits, whole.row.pairs, log2_entropies(whole.coefficients))
    assert low is not None
    counts, doubt = likely_counts(
        chain_shape(whole, low), chain_shape(whole, chain), profile.belief.values
    )
    note = (
        f"bond dimensions are bounded by 2^{chain.log2_widest:.3g}, and may be less; Schmidt "
        f"coefficients of weight {TRUNCATION:g} are dropped, so that values are exact to about "
        f"{TRUNCATION**0.5:.0e}"
    )
    memory = int(chain.num_bytes) + _BESIDES_BYTES
    case = _case(counts, whole, cut_plan, plan_s, memory, (note,), doubt)
    return for_sets(case, wanted.sets, plan_s)


def _stabilizer_case(wanted: Wanted) -> Case:
    _check_clifford(wanted)

    def plan() -> tuple[Whole, CutPlan]:
        whole = whole_of(wanted.circuit, wanted.request.observables)
        stabilizer_task(whole)
        return whole, whole.plan()

    (whole, cut_plan), plan_s = timed_twice(plan)
    shape = clifford_shape(whole)
    counts = clifford_counts(shape)
    case = _case(counts, whole, cut_plan, plan_s, shape.num_bytes, (), 0.0)
    return for_sets(case, wanted.sets, plan_s)


def _check_clifford(wanted: Wanted) -> None:
    """Refuse a sweep that leaves the Clifford group: what holds for one set need not for others.

    Raises:
        MethodError: naming the first set that does.
    """
    if wanted.sets == 1:
        return
    for number, circuit in enumerate(wanted.circuits):
        try:
            clifford_of(whole_of(circuit, wanted.request.observables))
        except MethodError as error:
            raise MethodError(f"set {number} of parameter values: {error}") from error


def _case(
    counts: NDArray[np.float64],
    whole: Whole,
    plan: CutPlan,
    plan_s: float,
    memory_bytes: int,
    notes: tuple[str, ...],
    doubt: float,
) -> Case:
    row = whole.row
    strings = sum(len(one) for one in whole.sums)
    sent = row.unitaries.nbytes + row.matrices.nbytes + 100 * strings + 4000
    none = np.zeros(len(COEFFICIENTS))
    work = Work(
        items=1,
        each=counts,
        once=none,
        work_each=1.0,
        work_once=0.0,
        memory_bytes=memory_bytes,
        sent_bytes=int(sent),
    )
    return Case(
        mode="exact",
        plan=plan,
        plan_s=plan_s,
        lower_s=0.0,
        rounds=((work,),),
        transfer=none,
        contract=none,
        here_bytes=0,
        variants=1,
        notes=notes,
        shots_doubt=doubt,
    )


def chain_shape(whole: Whole, chain: Chain) -> ChainShape:
    """A matrix product state's plain numbers."""
    row = whole.row
    strings = [string for one in whole.sums for _, string in one if string]
    sites, products = string_work(chain, strings)
    return ChainShape(
        blocks=len(row.pairs) + len(row.lone),
        splits=chain.splits,
        entries=chain.entries,
        svd=chain.svd,
        strings=len(strings),
        sites=sites,
        site_products=products,
    )


def clifford_shape(whole: Whole) -> CliffordShape:
    """A Clifford circuit's plain numbers."""
    row = whole.row
    return CliffordShape(row.num_qubits, len(row.pairs) + len(row.lone), len(whole.strings))
