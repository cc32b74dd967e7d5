"""Plans whose cuts are priced against the swaps that a coupling map would need without them.

Fewest cuts are no longer best: a cut pays if it costs fewer bits than the swaps that it saves, and
not cutting at all competes with as many swaps as that takes. Plans of many widths are looked at,
and plans for which blocks that begin far apart on the map are cheaper to cut; what lies beside the
best of them; and then, as far as it goes, all plans whose cuts alone cost less, which is a proof.
It must not know how swaps are counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.finder import make_ready, search
from qdreamer_lab.workload.cut.cuts import Swaps
from qdreamer_lab.workload.cut.options import check_width
from qdreamer_lab.workload.cut.problem import block_problem, qubits_with_room
from qdreamer_lab.workload.cut.search_messages import searching
from qdreamer_lab.workload.cut.wire_segments import layout_of
from qdreamer_lab.workload.plan.cheaper_plans import CheaperPlans
from qdreamer_lab.workload.plan.search import find_partition, separated, with_labels
from qdreamer_lab.workload.plan.swap_count import SwapCounter
from qdreamer_lab.workload.plan.swap_moves import neighbouring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem
    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.cut.options import SearchOptions
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["find_routed"]

_WIDTHS = 8
"""Widths whose cheapest cuts are looked at."""

_LAYOUTS = 3
"""Layouts of an uncut circuit whose distances make blocks cheaper."""

_ROUNDS = 4
"""Of refinement for each of these plans, which are starts and no answers."""

_IMPROVED = 4
"""Plans that are improved step by step."""

_FINDING, _STEERING, _IMPROVING = 0.3, 0.5, 0.8
"""Parts of the time that are over when all widths are looked at, distances, and neighbours."""

_SOON = 60
"""Blocks up to which a fragment is routed in milliseconds; larger ones wait for others."""

_FEW_STEPS, _MOST_STEPS = 2_000, 200_000
"""Partial plans that are looked at for a proof, before anything else and at last: milliseconds, and
less than half a second."""

_EQUAL = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class _Way:
    """A plan, and what it costs in bits with its swaps."""

    labels: NDArray[np.int64]
    swaps: tuple[int, ...]
    total: float


def find_routed(blocks: BlockCircuit, max_qubits: int, options: SearchOptions) -> Partition:
    """Find the plan whose cuts and swaps together cost least.

    Args:
        blocks: The circuit in normal form.
        max_qubits: Greatest width of a fragment.
        options: How to look for the plan, with the couplings of the device.

    Raises:
        InfeasiblePlanError: If no plan keeps to the limits.
        PlanError: If the coupling map has too few qubits, or the width makes no sense.
    """
    couplings = options.couplings
    assert couplings is not None, "swaps need a coupling map"
    check_width(max_qubits)
    need = min(max_qubits, qubits_with_room(blocks))
    if need > couplings.num_qubits:
        raise PlanError(
            f"fragments may have {need} qubits, but the coupling map has {couplings.num_qubits}: "
            f"plan with max_qubits={couplings.num_qubits} or less, or give a larger map"
        )
    price = couplings.swap_bits if options.swap_price is None else options.swap_price
    counter = SwapCounter(couplings)
    with searching():
        for model in ("lo", options.cost):  # a time limit is one on searching
            make_ready(model, limited=options.max_fragments is not None)
        began = time.perf_counter()
        least = find_partition(blocks, max_qubits, _share(options, _FINDING))
        room = min(max_qubits, couplings.num_qubits)
        problem = block_problem(
            blocks, room, kinds=options.kinds, max_fragments=options.max_fragments
        )
        looked = _Looked(blocks, problem, options, (counter, price), began)
        if blocks.num_blocks:
            looked.at_all(least.labels, least.log2_lower_bound)
        else:
            looked.at(least.labels)
    best = looked.best
    assert best is not None, "the plan of fewest cuts is one"
    bound = best.total if looked.proven else min(least.log2_lower_bound, best.total)
    known = bound, best.total <= bound + _EQUAL
    plan = with_labels(blocks, max_qubits, options, best.labels, *known)
    alone = len(plan.fragments) - len(best.swaps)  # of qubits without blocks
    return replace(plan, swaps=Swaps(best.swaps + (0,) * alone, price))


def _share(options: SearchOptions, share: float) -> SearchOptions:
    """The same search without swaps, in a part of the time."""
    limit = share * options.time_limit_s
    return replace(options, couplings=None, swap_price=None, time_limit_s=limit)


class _Looked:
    """Plans that were looked at, and the best of them.

    Args:
        blocks: The circuit.
        problem: The same as the finder sees it.
        options: How to look.
        swaps: Counts swaps, and bits of each.
        began: When, by `time.perf_counter`.
    """

    def __init__(
        self,
        blocks: BlockCircuit,
        problem: CutProblem,
        options: SearchOptions,
        swaps: tuple[SwapCounter, float],
        began: float,
    ) -> None:
        self._blocks = blocks
        self._problem = problem
        self._options = options
        self._counter, self._price = swaps
        self._began = began
        self._seen: dict[bytes, _Way | None] = {}
        self.best: _Way | None = None
        self.proven = False

    def at_all(self, least: NDArray[np.int64], bound: float) -> None:
        """Look for the best.

        Args:
            least: (m, 2) labels of a plan with few cuts, to begin with.
            bound: No plan costs less than so many bits, even without swaps.
        """
        whole = np.zeros_like(least)
        late = len(least) > _SOON and not self._counter.embeds(self._segments(whole))
        if late:
            self._narrower(self._problem.gate_cost, _FINDING)
        self.at(whole)
        self.at(least)
        if self.best is not None and self.best.total <= bound + _EQUAL:
            return
        self._prove(_FEW_STEPS)
        if self.proven:
            return
        if not late:
            self._narrower(self._problem.gate_cost, _FINDING)
        start = whole if self._fits else least
        for seed in range(_LAYOUTS):
            if self._over(_STEERING):
                break
            far = self._counter.distances(self._segments(start), start, seed)
            near = np.maximum(0.0, self._problem.gate_cost - self._price * far)
            self._narrower(near, _STEERING)
        self._improve()
        self._prove(_MOST_STEPS)

    def at(self, labels: NDArray[np.int64]) -> bool:
        """Price a plan, if it keeps to the limits; whether it is the best so far.

        Swaps are counted only if the cuts alone do not cost as much as the best plan.
        """
        labels = separated(self._blocks, labels, self._options)
        key = labels.tobytes()
        if key in self._seen:
            return False
        self._seen[key] = None
        layout = layout_of(self._problem.pairs, labels)
        count = int(labels.max(initial=-1)) + 1
        if not self._keeps(labels, layout.widths(count), bool((layout.previous >= 0).any())):
            return False
        bits = plan_price(self._problem, labels, self._options.cost) if len(labels) else 0.0
        limit = np.inf if self.best is None else self.best.total
        if bits >= limit - _EQUAL:
            return False
        most = (limit - bits) / self._price if self._price > 0 else np.inf
        swaps = self._counter.each(layout.of, labels, count, most)
        if swaps is None:
            return False
        way = _Way(labels, swaps, bits + self._price * sum(swaps))
        self._seen[key] = way
        if way.total >= limit - _EQUAL:
            return False
        self.best = way
        return True

    def _narrower(self, gate_cost: NDArray[np.float64], share: float) -> None:
        """Look at plans for one width after the other, one at least, in a share of the time."""
        for number, width in enumerate(self._widths()):
            if number and self._over(share):
                break
            self._searched(gate_cost, width)

    def _segments(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m, 2) segment of each end of each block."""
        return layout_of(self._problem.pairs, labels).of

    @property
    def _fits(self) -> bool:
        """Whether the whole circuit fits on the map."""
        assert self._options.couplings is not None
        return self._problem.num_qubits <= self._options.couplings.num_qubits

    def _over(self, share: float) -> bool:
        """Whether so much of the time is over."""
        return time.perf_counter() - self._began > share * self._options.time_limit_s

    def _widths(self) -> list[int]:
        """Widths below the circuit's that may lead to other plans, the narrowest first.

        Narrow fragments are routed soon, and a good plan spares many others from being routed.
        """
        busy = len(np.unique(self._problem.pairs))
        most = min(self._problem.max_qubits, busy - 1)
        if most < 1:
            return []
        spread = np.geomspace(min(2, most), most, _WIDTHS)
        return [int(width) for width in np.unique(np.rint(spread))]

    def _searched(self, gate_cost: NDArray[np.float64], width: int) -> None:
        """Look at the plan with the cheapest cuts, if gates cost so much."""
        left = self._options.time_limit_s - (time.perf_counter() - self._began)
        try:
            problem = replace(self._problem, gate_cost=gate_cost, max_qubits=width)
            found = search(
                problem,
                time_limit_s=max(0.0, left / _WIDTHS),
                seed=int(self._options.seed),
                rounds=_ROUNDS,
            )
        except PlanError:  # too narrow for the kinds of cuts, or the number of fragments
            return
        self.at(found.labels)

    def _improve(self) -> None:
        """Take steps to better plans from the best ones, until none is better."""
        ways = sorted((way for way in self._seen.values() if way), key=lambda way: way.total)
        for start in ways[:_IMPROVED]:
            labels: NDArray[np.int64] | None = start.labels
            while labels is not None and not self._over(_IMPROVING):
                labels = self._step(labels)

    def _step(self, labels: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """A plan beside `labels` that is better than all so far; None if there is none."""
        for other in neighbouring(self._problem.pairs, labels):
            if self._over(_IMPROVING):
                break
            if self.at(other):
                return self.best.labels if self.best is not None else None
        return None

    def _prove(self, most_steps: int) -> None:
        """Look at all plans whose cuts alone cost less than the best plan, if they are not many."""
        plans = CheaperPlans(self._problem, self._options.cost, most_steps)
        for labels in plans.below(lambda: np.inf if self.best is None else self.best.total):
            self.at(labels)
            if self._over(1.0):
                return
        self.proven = plans.complete

    def _keeps(self, labels: NDArray[np.int64], widths: NDArray[np.int64], wires: bool) -> bool:
        """Whether a plan keeps to the limits, and has the allowed kinds of cuts only."""
        problem, kinds = self._problem, self._options.kinds
        gates = bool((labels[:, 0] != labels[:, 1]).any())
        if (gates and "gate" not in kinds) or (wires and "wire" not in kinds):
            return False
        fragments = problem.max_fragments
        few = fragments is None or len(widths) <= fragments
        narrow = int(widths.max(initial=0)) <= problem.max_qubits
        return few and narrow and int(widths.sum()) <= problem.total_room
