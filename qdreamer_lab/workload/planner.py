"""From a circuit and a width to a plan, or to one plan for each of several widths.

This module translates, to the cut finder and back, and finds room for the qubits that the finder
does not see. It must not search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import InfeasiblePlanError
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.options import SearchOptions, check_width
from qdreamer_lab.workload.cut.problem import block_problem, price_labels
from qdreamer_lab.workload.cut.searching import searching
from qdreamer_lab.workload.cut.segments import connected, layout_of
from qdreamer_lab.workload.plan.plan import CutPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.search.problem import Found
    from qdreamer_lab.workload.circuit.blocks import BlockCircuit

__all__ = ["lone_labels", "pareto", "plan_blocks", "plan_cuts"]

_DEFAULT_WIDTHS = 10
"""Widths that `pareto` looks at unless told otherwise, at most."""


def plan_cuts(
    circuit: QuantumCircuit,
    max_qubits: int,
    *,
    observables: object | None = None,
    kinds: tuple[str, ...] = KINDS,
    cost: str = "lo",
    max_fragments: int | None = None,
    time_limit_s: float = 1.0,
    seed: int = 0,
) -> CutPlan:
    """Find where to cut a circuit so that no fragment needs more than `max_qubits` qubits.

    Args:
        circuit: unitary and fully bound.
        max_qubits: greatest width of a fragment, at least 1.
        observables: one or many; blocks outside their light cone are left out of the plan.
        kinds: cuts that are allowed, some of "gate" and "wire".
        cost: what makes a plan good: "lo" (every cut has a decomposition of its own), "joint"
            (parallel rotations share one), "locc" (also parallel wires, with classical
            communication), or "work" (floating-point operations of exact mode).
        max_fragments: most fragments there may be; None for any number.
        time_limit_s: no new attempt starts after this; with 0, the first plan found is the answer.
        seed: makes the search repeatable.

    Raises:
        CircuitError: if the circuit is empty, not unitary, or has unbound parameters.
        InfeasiblePlanError: if no plan keeps to the limits; it knows the smallest width that does.
        PlanError: if an argument makes no sense.
    """
    options = SearchOptions(kinds, cost, max_fragments, time_limit_s, seed)
    check_width(max_qubits)
    return plan_blocks(to_blocks(circuit, observables), max_qubits, options)


def plan_blocks(
    blocks: BlockCircuit, max_qubits: int, options: SearchOptions | None = None
) -> CutPlan:
    """`plan_cuts` for a circuit that is in normal form already."""
    # Imported late, because loading the compiled kernels takes longer than a plan without cuts.
    from qdreamer_lab.search.finder import search

    check_width(max_qubits)
    options = SearchOptions() if options is None else options
    with searching():
        problem = block_problem(
            blocks, max_qubits, kinds=options.kinds, max_fragments=options.max_fragments
        )
        found = search(
            problem, cost=options.cost, time_limit_s=options.time_limit_s, seed=int(options.seed)
        )
    return _plan(blocks, max_qubits, options, found)


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
) -> list[CutPlan]:
    """Find plans for several widths at once: the trade-off of fragment width against overhead.

    Args:
        circuit: unitary and fully bound.
        widths: greatest widths of a fragment, in any order; by default up to ten from an eighth of
            the circuit's qubits to all of them, without those for which there is no plan.
        observables: as for `plan_cuts`, like the rest.
        kinds: cuts that are allowed.
        cost: what makes a plan good.
        max_fragments: most fragments there may be.
        time_limit_s: for all widths together.
        seed: makes the search repeatable.

    Returns:
        One plan per width, in the order of `widths`; a wider one never costs more.

    Raises:
        CircuitError: as `plan_cuts`.
        InfeasiblePlanError: as `plan_cuts`, for the smallest of the `widths` that were given.
        PlanError: if an argument makes no sense.
    """
    options = SearchOptions(kinds, cost, max_fragments, time_limit_s, seed)
    given = None if widths is None else list(widths)
    for width in given or ():
        check_width(width)
    blocks = to_blocks(circuit, observables)
    if given is not None:
        return _plans(blocks, given, options)
    spread = _spread(blocks.num_qubits)
    try:
        return _plans(blocks, spread, options)
    except InfeasiblePlanError as error:
        smallest = error.smallest_max_qubits
        wide = [width for width in spread if width > smallest]
        return _plans(blocks, [smallest, *wide], options)


def _plans(blocks: BlockCircuit, widths: list[int], options: SearchOptions) -> list[CutPlan]:
    from qdreamer_lab.search.finder import search_pareto

    if not widths or blocks.num_blocks == 0:
        return [plan_blocks(blocks, width, options) for width in widths]
    with searching():
        problem = block_problem(
            blocks, min(widths), kinds=options.kinds, max_fragments=options.max_fragments
        )
        found = search_pareto(
            problem,
            widths,
            cost=options.cost,
            time_limit_s=options.time_limit_s,
            seed=int(options.seed),
        )
    return [_plan(blocks, w, options, one) for w, one in zip(widths, found, strict=True)]


def _spread(num_qubits: int) -> list[int]:
    """Widths that show the trade-off of a circuit, ascending."""
    narrowest = max(min(2, num_qubits), -(-num_qubits // 8))
    ideal = np.linspace(narrowest, num_qubits, _DEFAULT_WIDTHS)
    return [int(width) for width in np.unique(np.rint(ideal))]


def _plan(blocks: BlockCircuit, max_qubits: int, options: SearchOptions, found: Found) -> CutPlan:
    labels = _separated(blocks, found.labels, options)
    return CutPlan(
        blocks,
        labels,
        lone_labels(blocks, labels, max_qubits, options.max_fragments),
        int(max_qubits),
        options.cost,
        found.log2_lower_bound,
        found.proven_optimal,
    )


def _separated(
    blocks: BlockCircuit, labels: NDArray[np.int64], options: SearchOptions
) -> NDArray[np.int64]:
    """Split fragments into their connected parts, which are easier to run, where that is free.

    It may not be: fragments may be limited in number, and cuts share a decomposition only between
    the same two fragments.
    """
    apart = connected(blocks.pairs, labels)
    more = apart.max(initial=-1) > labels.max(initial=-1)
    if not more:
        return renumbered(labels)
    if options.max_fragments is not None and apart.max() >= options.max_fragments:
        return renumbered(labels)
    if options.cost in ("joint", "locc"):
        before, after = (price_labels(blocks, each, options.cost) for each in (labels, apart))
        if after > before + 1e-9:
            return renumbered(labels)
    return apart


def lone_labels(
    blocks: BlockCircuit,
    labels: NDArray[np.int64],
    max_qubits: int,
    max_fragments: int | None = None,
) -> NDArray[np.int64]:
    """Fragments for the lone qubits that are measured; -1 for the others.

    They get fragments of their own as long as there may be more, and then fill what room is left.
    """
    out = np.full(len(blocks.lone), -1, dtype=np.int64)
    measured = np.isin(np.fromiter(blocks.lone, dtype=np.int64), blocks.measured)
    count = int(labels.max(initial=-1)) + 1
    most = count + out.size if max_fragments is None else max_fragments
    room = np.arange(count, most).repeat(min(max_qubits, max(1, out.size)))
    free = np.maximum(0, max_qubits - layout_of(blocks.pairs, labels).widths(count))
    out[measured] = np.append(room, np.arange(count).repeat(free))[: measured.sum()]
    return out
