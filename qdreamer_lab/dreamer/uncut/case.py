"""Uncut runs by other methods than state vectors, planned for real and not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.case import Case, Work, for_sets, timed_twice
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS, PLACE
from qdreamer_lab.dreamer.uncut.cost import clifford_counts, likely_counts
from qdreamer_lab.dreamer.uncut.shape import chain_shape, clifford_shape
from qdreamer_lab.errors import MethodError
from qdreamer_lab.workload.uncut.bond_dimensions import chain_of, log2_entropies
from qdreamer_lab.workload.uncut.circuit import check_chain, clifford_of, uncut_circuit
from qdreamer_lab.workload.uncut.matrix_product_state import TRUNCATION
from qdreamer_lab.workload.uncut.tasks import stabilizer_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.dreamer.mode import Conditions
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import RunSettings
    from qdreamer_lab.workload.uncut.bond_dimensions import Chain
    from qdreamer_lab.workload.uncut.circuit import UncutCircuit

__all__ = ["product_state_case", "stabilizer_case"]

_MOST_S = 6 * 3600.0
"""A matrix product state that may take longer is refused: its bound says nothing of use."""

_BESIDES_BYTES = 1 << 20
"""What a run takes besides the state."""


def product_state_case(
    wanted: Wanted, _settings: RunSettings, execution: Execution, conditions: Conditions
) -> Case:
    """Plan an uncut run as a matrix product state.

    Args:
        wanted: Circuit and observables.
        execution: Where and how it is to run.
        conditions: The coefficients, which say what bond dimensions take too long.

    Raises:
        MethodError: If it takes hours.
        MemoryLimitError: If the state may not fit.
    """
    values_ns = conditions.belief.values
    work_most = _MOST_S * 1e9 / float(values_ns[PLACE["chain_svd"]])

    def plan() -> tuple[UncutCircuit, Chain | None, Partition]:
        whole = uncut_circuit(wanted.circuit, wanted.request.observables, carry_back=True)
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
    counts, doubt = likely_counts(chain_shape(whole, low), chain_shape(whole, chain), values_ns)
    note = (
        f"bond dimensions are bounded by 2^{chain.log2_widest:.3g}, and may be less; Schmidt "
        f"coefficients of weight {TRUNCATION:g} are dropped, so that values are exact to about "
        f"{TRUNCATION**0.5:.0e}"
    )
    memory = int(chain.num_bytes) + _BESIDES_BYTES
    case = _case(counts, whole, cut_plan, plan_s, memory, (note,), doubt)
    return for_sets(case, wanted.sets, plan_s)


def stabilizer_case(
    wanted: Wanted, _settings: RunSettings, _execution: Execution, _conditions: Conditions
) -> Case:
    """Plan an uncut run as a stabilizer state.

    Args:
        wanted: Circuit and observables.

    Raises:
        MethodError: If the circuit has gates that are not Clifford gates.
    """
    _check_clifford(wanted)

    def plan() -> tuple[UncutCircuit, Partition]:
        whole = uncut_circuit(wanted.circuit, wanted.request.observables)
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
        MethodError: Naming the first set that does.
    """
    if wanted.sets == 1:
        return
    for number, circuit in enumerate(wanted.circuits):
        try:
            clifford_of(uncut_circuit(circuit, wanted.request.observables))
        except MethodError as error:
            raise MethodError(f"set {number} of parameter values: {error}") from error


def _case(
    counts: NDArray[np.float64],
    whole: UncutCircuit,
    plan: Partition,
    plan_s: float,
    memory_bytes: int,
    notes: tuple[str, ...],
    doubt: float,
) -> Case:
    row = whole.row
    strings = sum(len(terms) for terms in whole.sums)
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
        plan=plan,
        plan_s=plan_s,
        lower_s=0.0,
        rounds=((work,),),
        transfer=none,
        contract=none,
        here_bytes=0,
        variants=1,
        notes=notes,
        counts_doubt=doubt,
    )
