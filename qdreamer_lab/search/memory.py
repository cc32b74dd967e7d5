"""What earlier searches of this process found, so that a later one does not contradict them.

A plan for a width is a plan for every greater one, and a plan found under one cost model has a
price under the others. Only plans are kept, of the circuits asked about last; it must not search.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.devices import fits, fragment_widths
from qdreamer_lab.search.strategies.strategy import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem, Found

__all__ = ["Recalled", "forget", "recall", "remember", "remember_time"]

#: What is asked of a circuit but for the width: cost model, most fragments, devices, kinds of cuts.
Asked = tuple[str, int | None, tuple[int, ...] | None, tuple[str, ...]]

#: Circuits that are remembered, plans of each, and block endpoints of all these plans together.
CIRCUITS, PLANS, ENDS = 32, 24, 2_000_000

#: Questions about a circuit for which it is known how long they were searched.
QUESTIONS = 256

#: Plans of other cost models that are priced for a question, the cheapest by their own account
#: first.
PRICED = 6


@dataclass(frozen=True)
class Recalled:
    """What is known of a question before it is searched.

    Attributes:
        labels: (m, 2) Fragment of each endpoint in the best plan known, or None.
        value: Its price under the cost model asked for, infinite without one.
        bound: Bits; no plan costs less.
        seconds: How long this very question has been searched already.
        rounds: Rounds of refinement that were made for it.
    """

    labels: NDArray[np.int64] | None = None
    value: float = np.inf
    bound: float = 0.0
    seconds: float = 0.0
    rounds: int = 0

    @property
    def proven(self) -> bool:
        """Whether no better plan can exist."""
        return self.value <= self.bound + TOLERANCE

    def with_bound(self, bound: float) -> Recalled:
        """With another bound that holds, if it is better."""
        return replace(self, bound=min(max(self.bound, bound), self.value))

    def improved_by(self, found: Found | None) -> Recalled:
        """With an answer to the same question for a smaller width, if that is cheaper."""
        if found is None or found.log2_overhead >= self.value:
            return self
        bound = min(self.bound, found.log2_overhead)
        return replace(self, labels=found.labels, value=found.log2_overhead, bound=bound)


@dataclass
class _Circuit:
    """Plans of a circuit by question, bounds by what was asked, and how long each was searched."""

    plans: OrderedDict[tuple[Asked, int], tuple[NDArray[np.int64], float]] = field(
        default_factory=OrderedDict
    )
    bounds: dict[tuple[Asked, int], float] = field(default_factory=dict)
    spent: dict[Hashable, tuple[float, int]] = field(default_factory=dict)


_circuits: OrderedDict[bytes, _Circuit] = OrderedDict()
_lock = threading.Lock()


def forget() -> None:
    """Forget everything, as in a new process."""
    with _lock:
        _circuits.clear()


def recall(problem: CutProblem, cost: str, seed: int, *, prove: bool) -> Recalled:
    """Find the best plan known for a problem, under its own limits and cost model.

    Args:
        problem: What is to be cut.
        cost: The cost model.
        seed: Of the search; another one has not been made yet.
        prove: Whether it is for a proof, likewise.
    """
    with _lock:
        circuit = _circuits.get(_key(problem))
        if circuit is None:
            return Recalled()
        _circuits.move_to_end(_key(problem))
        plans = sorted(circuit.plans.items(), key=lambda each: each[1][1])
        asked = _asked(problem, cost)
        bound = max(
            (
                b
                for (a, width), b in circuit.bounds.items()
                if a == asked and width >= problem.max_qubits
            ),
            default=0.0,
        )
        seconds, rounds = 0.0, 0
        if (asked, problem.max_qubits) in circuit.plans:  # else what was found then is forgotten
            key = asked, problem.max_qubits, seed, prove
            seconds, rounds = circuit.spent.get(key, (seconds, rounds))
    best, value, priced = None, np.inf, 0
    for ((model, *_), _), (labels, bits) in plans:
        if model != cost and priced == PRICED:
            continue
        if not (_keeps(problem, labels) and _allowed(problem, labels)):
            continue
        priced += model != cost
        price = bits if model == cost else _price(problem, labels, cost)
        if price < value:
            best, value = labels, price
    return Recalled(best, value, min(bound, value), seconds, rounds)


def remember(problem: CutProblem, cost: str, found: Found) -> None:
    """Keep an answer, for all questions that it answers too."""
    asked = _asked(problem, cost)
    with _lock:
        circuit = _circuits.setdefault(_key(problem), _Circuit())
        _circuits.move_to_end(_key(problem))
        before = circuit.plans.get((asked, problem.max_qubits))
        if before is None or found.log2_overhead < before[1]:
            circuit.plans[asked, problem.max_qubits] = found.labels, found.log2_overhead
        circuit.plans.move_to_end((asked, problem.max_qubits))
        while len(circuit.plans) > PLANS:
            circuit.plans.popitem(last=False)
        known = circuit.bounds.get((asked, problem.max_qubits), 0.0)
        circuit.bounds[asked, problem.max_qubits] = max(known, found.log2_lower_bound)
        while len(_circuits) > CIRCUITS or (_ends() > ENDS and len(_circuits) > 1):
            _circuits.popitem(last=False)


def remember_time(
    problem: CutProblem, cost: str, seed: int, spent: tuple[float, int], *, prove: bool
) -> None:
    """Keep that a question was searched for so many seconds and rounds, which need not be again."""
    with _lock:
        circuit = _circuits.get(_key(problem))
        if circuit is None:
            return
        circuit.spent[_asked(problem, cost), problem.max_qubits, seed, prove] = spent
        if len(circuit.spent) > QUESTIONS:
            circuit.spent.pop(next(iter(circuit.spent)))


def _ends() -> int:
    """Block endpoints of all plans."""
    return sum(labels.size for each in _circuits.values() for labels, _ in each.plans.values())


def _key(problem: CutProblem) -> bytes:
    """What tells circuits apart: all that plans are made of, and no limits."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{problem.num_qubits} {problem.wire_cost} {problem.idle_qubits}".encode())
    for each in (problem.pairs, problem.gate_cost, problem.sine, problem.rank):
        digest.update(b"none" if each is None else np.ascontiguousarray(each).tobytes())
    return digest.digest()


def _asked(problem: CutProblem, cost: str) -> Asked:
    """What is asked of a circuit, but for the width."""
    return cost, problem.max_fragments, problem.devices, tuple(sorted(problem.kinds))


def _keeps(problem: CutProblem, labels: NDArray[np.int64]) -> bool:
    """Whether a plan keeps to the limits of a problem."""
    widths = fragment_widths(problem.pairs, labels)
    widths = widths[widths > 0]
    if widths.max(initial=0) > problem.max_qubits or widths.sum() > problem.total_room:
        return False
    if problem.devices is not None:
        return fits(widths, problem.devices[: problem.max_fragments])
    return problem.max_fragments is None or len(widths) <= problem.max_fragments


def _price(problem: CutProblem, labels: NDArray[np.int64], cost: str) -> float:
    """What a plan costs; without kernels where costs add up, which need not be compiled then."""
    if cost != "lo":
        return plan_price(problem, labels, cost)
    gates = problem.gate_cost[labels[:, 0] != labels[:, 1]].sum()
    return float(gates + problem.wire_cost * _wire_cuts(problem, labels))


def _wire_cuts(problem: CutProblem, labels: NDArray[np.int64]) -> int:
    """How often a wire goes from one fragment to another."""
    return int(fragment_widths(problem.pairs, labels).sum()) - len(np.unique(problem.pairs))


def _allowed(problem: CutProblem, labels: NDArray[np.int64]) -> bool:
    """Whether a plan has only cuts of the kinds that a problem allows."""
    if "gate" not in problem.kinds and np.any(labels[:, 0] != labels[:, 1]):
        return False
    return "wire" in problem.kinds or _wire_cuts(problem, labels) == 0
