"""From a circuit in normal form to a partition of it: the way to the cut finder and back.

It translates, and finds room for the qubits that the finder does not see. It must not search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.devices import fits, fragment_widths
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.problem import Found
from qdreamer_lab.workload.cut.options import SearchOptions, check_width
from qdreamer_lab.workload.cut.partition import Partition, lone_labels
from qdreamer_lab.workload.cut.problem import block_problem, price_labels, qubits_with_room
from qdreamer_lab.workload.cut.search_messages import searching
from qdreamer_lab.workload.cut.wire_segments import connected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

__all__ = ["find_partition", "find_partitions", "separated", "with_labels"]


def find_partition(
    blocks: BlockCircuit, max_qubits: int, options: SearchOptions | None = None
) -> Partition:
    """Split a circuit so that no fragment needs more than `max_qubits` qubits.

    Args:
        blocks: The circuit in normal form.
        max_qubits: Greatest width of a fragment; the widest device's if there are devices.
        options: How to look for the plan, and the devices.

    Raises:
        InfeasiblePlanError: If no plan keeps to the limits; it knows the smallest width that does.
        PlanError: If the width makes no sense.
    """
    check_width(max_qubits)
    options = SearchOptions() if options is None else options
    if options.cost != "work" and qubits_with_room(blocks) <= max_qubits:
        return _partition(blocks, max_qubits, options, _uncut(blocks))
    # Imported late, because loading the compiled kernels takes longer than a plan without cuts.
    from qdreamer_lab.search.finder import search

    with searching():
        problem = block_problem(
            blocks,
            max_qubits,
            kinds=options.kinds,
            max_fragments=options.max_fragments,
            devices=options.devices,
        )
        found = search(
            problem,
            cost=options.cost,
            time_limit_s=options.time_limit_s,
            seed=int(options.seed),
            rounds=options.rounds,
        )
    return _partition(blocks, max_qubits, options, found)


def find_partitions(
    blocks: BlockCircuit, widths: list[int], options: SearchOptions
) -> list[Partition]:
    """One partition for each of several widths.

    Raises:
        InfeasiblePlanError: If there is none for the smallest of them.
    """
    from qdreamer_lab.search.finder import search_pareto

    if not widths or blocks.num_blocks == 0:
        return [find_partition(blocks, width, options) for width in widths]
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
            rounds=options.rounds,
        )
    return [_partition(blocks, w, options, answer) for w, answer in zip(widths, found, strict=True)]


def _uncut(blocks: BlockCircuit) -> Found:
    """What the finder says where all has room in one fragment, and cuts gain nothing."""
    return Found(np.zeros(blocks.pairs.shape, np.int64), 0.0, 0.0, True, 0.0)


def _partition(
    blocks: BlockCircuit, max_qubits: int, options: SearchOptions, found: Found
) -> Partition:
    labels = separated(blocks, found.labels, options)
    known = found.log2_lower_bound, found.proven_optimal
    return with_labels(blocks, max_qubits, options, labels, *known)


def with_labels(
    blocks: BlockCircuit,
    max_qubits: int,
    options: SearchOptions,
    labels: NDArray[np.int64],
    log2_lower_bound: float = 0.0,
    proven_optimal: bool = False,
) -> Partition:
    """The plan of labels (m, 2) that keep to the limits, with room for the qubits without blocks.

    Args:
        blocks: The circuit.
        max_qubits: Greatest width of a fragment.
        options: The limits and the cost model.
        labels: (m, 2) fragment of each end of each block.
        log2_lower_bound: As the plan is to have it, like the next.
        proven_optimal: Whether no plan is better.
    """
    return Partition(
        blocks=blocks,
        labels=labels,
        lone_labels=lone_labels(blocks, labels, max_qubits, options.max_fragments, options.devices),
        max_qubits=int(max_qubits),
        cost=options.cost,
        log2_lower_bound=log2_lower_bound,
        proven_optimal=proven_optimal,
        devices=options.devices,
    )


def separated(
    blocks: BlockCircuit, labels: NDArray[np.int64], options: SearchOptions
) -> NDArray[np.int64]:
    """Split fragments into their connected parts, which are easier to run, where that is free.

    It may not be: fragments may be limited in number, and cuts share a decomposition only between
    the same two fragments.
    """
    apart = connected(blocks.pairs, labels)
    more = apart.max(initial=-1) > labels.max(initial=-1)
    if not more:
        return apart
    if options.max_fragments is not None and apart.max() >= options.max_fragments:
        return renumbered(labels)
    if options.devices is not None and not fits(
        fragment_widths(blocks.pairs, apart), options.devices
    ):
        return renumbered(labels)
    if options.cost in ("joint", "locc"):
        before, after = (price_labels(blocks, each, options.cost) for each in (labels, apart))
        if after > before + 1e-9:
            return renumbered(labels)
    return apart
