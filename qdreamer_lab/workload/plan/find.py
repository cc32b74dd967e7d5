"""From a circuit and a width to a plan, or to one plan for each of several widths.

These are the functions that users call. They must not search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import InfeasiblePlanError, PlanError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.gates import check_is_circuit
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.circuit.remainder import blocks_left
from qdreamer_lab.workload.cut.coupling_map import read_couplings
from qdreamer_lab.workload.cut.options import SearchOptions
from qdreamer_lab.workload.cut.widths import read_devices, read_widths
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.plan.search import find_partition, find_partitions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.cut.widths import Devices

__all__ = ["pareto", "plan_blocks", "plan_cuts"]

_DEFAULT_WIDTHS = 10
"""Widths that `pareto` looks at unless told otherwise, at most."""


def plan_cuts(
    circuit: QuantumCircuit,
    max_qubits: Devices,
    *,
    observables: object | None = None,
    kinds: tuple[str, ...] = KINDS,
    cost: str = "lo",
    max_fragments: int | None = None,
    time_limit_s: float = 1.0,
    seed: int = 0,
    exact: bool = False,
    rounds: int | None = None,
    coupling_map: object | None = None,
    swap_price: float | None = None,
) -> CutPlan:
    """Find where to cut a circuit so that no fragment needs more than `max_qubits` qubits.

    Devices may differ: with `max_qubits=[27, 16, 7]`, or `{27: 1, 16: 1, 7: 1}`, the plan has at
    most three fragments, and one of them at most on each device. Devices may stay unused, and
    their order does not matter.

    With `coupling_map`, the plan is the one whose cuts and swaps together cost least, in bits: the
    cost, and `swap_price` for each swap that its fragments need on the map, as `plan.swaps` has
    them. So a cut that the width does not ask for is made where it saves swaps that cost more, and
    none where swaps are cheaper. Swaps are counted block by block, as Qiskit's VF2 and SABRE find
    them at fixed seeds: a device's transpiler may do with fewer or with more. Each fragment has the
    device for itself. A cut lies between two fragments: gates within one are never cut.

    Args:
        circuit: Unitary and fully bound; measurements at its end are left out.
        max_qubits: Greatest width of a fragment, at least 1; or a list of the widths of devices,
            or a dict with the number of devices of each width, for one fragment each.
        observables: One or many; blocks outside their light cone are left out of the plan.
        kinds: Cuts that are allowed, some of "gate" and "wire".
        cost: What makes a plan good: "lo" (every cut has a decomposition of its own), "joint"
            (parallel rotations share one), "locc" (also parallel wires, with classical
            communication), or "work" (floating-point operations of exact mode).
        max_fragments: Most fragments there may be; None for any number.
        time_limit_s: Seconds to search for, if no plan is proven optimal before; with 0, the first
            plan found is the answer. Asked the same again, the search goes on where it stopped.
        seed: Makes the search repeatable.
        exact: Plan what exact mode runs: observables are carried back through Clifford gates at
            the end of the circuit, which are left out of the plan. No other mode takes it.
        rounds: Rounds of refinement at most; None for as many as there is time for. Given a number,
            the same seed gives the same plan, unless the time runs out. Without, it depends on how
            far the search comes, and is no dearer than a plan remembered for the cost model.
        coupling_map: Which qubits of the device are neighbours, in either direction: a
            `CouplingMap`, a backend or its `Target`, or pairs of qubits.
        swap_price: Bits that a swap counts for; by default 6 log2(1 / (1 - e)) with the median
            error e of the device's two-qubit gates, or 0.01 if that is not known (0.09 bits): what
            it takes in shots to make good that values shrink by the errors of three gates. Where
            errors stay in the values, a swap is worth more.

    Raises:
        CircuitError: If the circuit is empty, not unitary, or has unbound parameters.
        InfeasiblePlanError: If no plan keeps to the limits; it knows the smallest width that does,
            of as many devices of one width if several were given.
        PlanError: If an argument makes no sense, or the coupling map has too few qubits or falls
            into parts.
    """
    check_is_circuit(circuit)
    width, devices = read_devices(max_qubits)
    options = SearchOptions(
        kinds=kinds,
        cost=cost,
        max_fragments=max_fragments,
        time_limit_s=time_limit_s,
        seed=seed,
        rounds=rounds,
        devices=devices,
        couplings=read_couplings(coupling_map),
        swap_price=swap_price,
    )
    if not exact:
        return plan_blocks(to_blocks(circuit, observables), width, options)
    if observables is None:
        raise PlanError("exact=True plans for observables: say which")
    sparse = as_sparse(observables, circuit.num_qubits)
    terms = [term.factors for each in sparse for term in product_terms(each)]
    return plan_blocks(blocks_left(circuit, terms), width, options)


def plan_blocks(
    blocks: BlockCircuit, max_qubits: int, options: SearchOptions | None = None
) -> CutPlan:
    """`plan_cuts` for a circuit that is in normal form already."""
    if options is not None and options.couplings is not None:
        # Imported late: it brings the compiled kernels.
        from qdreamer_lab.workload.plan.swap_search import find_routed

        return CutPlan.of(find_routed(blocks, max_qubits, options))
    return CutPlan.of(find_partition(blocks, max_qubits, options))


def pareto(
    circuit: QuantumCircuit,
    widths: Iterable[int] | None = None,
    *,
    observables: object | None = None,
    kinds: tuple[str, ...] = KINDS,
    cost: str = "lo",
    max_fragments: int | None = None,
    time_limit_s: float = 1.0,
    seed: int = 0,
    rounds: int | None = None,
) -> list[CutPlan]:
    """Find plans for several widths at once: the trade-off of fragment width against overhead.

    Args:
        circuit: Unitary and fully bound.
        widths: Greatest widths of a fragment, in any order; by default up to ten from an eighth of
            the circuit's qubits to all of them, without those for which there is no plan.
        observables: As for `plan_cuts`, like the rest.
        kinds: Cuts that are allowed.
        cost: What makes a plan good.
        max_fragments: Most fragments there may be.
        time_limit_s: For all widths together.
        seed: Makes the search repeatable.
        rounds: As for `plan_cuts`, for each width.

    Returns:
        One plan per width, in the order of `widths`; a wider one never costs more.

    Raises:
        CircuitError: As `plan_cuts`.
        InfeasiblePlanError: As `plan_cuts`, for the smallest of the `widths` that were given.
        PlanError: If an argument makes no sense.
    """
    check_is_circuit(circuit)
    options = SearchOptions(
        kinds=kinds,
        cost=cost,
        max_fragments=max_fragments,
        time_limit_s=time_limit_s,
        seed=seed,
        rounds=rounds,
    )
    given = None if widths is None else read_widths(widths)
    blocks = to_blocks(circuit, observables)
    if given is not None:
        return _plans(blocks, given, options)
    return _plans_from_narrowest(blocks, _spread(blocks.num_qubits), options)


def _plans(blocks: BlockCircuit, widths: list[int], options: SearchOptions) -> list[CutPlan]:
    return [CutPlan.of(found) for found in find_partitions(blocks, widths, options)]


def _plans_from_narrowest(
    blocks: BlockCircuit, widths: list[int], options: SearchOptions
) -> list[CutPlan]:
    """Plans for ascending widths, from the smallest on for which there is one."""
    while True:
        try:
            return _plans(blocks, widths, options)
        except InfeasiblePlanError as error:
            smallest = error.smallest_max_qubits
            if smallest <= widths[0]:  # else it would go on for ever
                raise
            widths = [smallest, *(width for width in widths if width > smallest)]


def _spread(num_qubits: int) -> list[int]:
    """Widths that show the trade-off of a circuit, ascending."""
    narrowest = max(min(2, num_qubits), -(-num_qubits // 8))
    ideal = np.linspace(narrowest, num_qubits, _DEFAULT_WIDTHS)
    return [int(width) for width in np.unique(np.rint(ideal))]
