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
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem, Found

__all__ = ["Recalled", "forget", "recall", "remember", "remember_time"]

#: What is asked of a circuit but for the width: cost model, most fragments, devices, kinds of cuts.
Asked = tuple[str, int | None, tuple[int, ...] | None, tuple[str, ...]]

#: Circuits that are remembered, plans of each, and block endpoints of all these plans together,
#: which only the last plan of all may exceed.
CIRCUITS, PLANS, ENDS = 32, 256, 2_000_000

#: Questions about a circuit of which a bound is known.
BOUNDS = 1_024

#: Questions about a circuit for which it is known how long they were searched.
QUESTIONS = 256

#: Plans of each other cost model that are priced for a question, the cheapest by their own account
#: first.
PRICED = 3


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


@dataclass(frozen=True, eq=False)
class _Known:
    """A plan that was found, and what tells for which questions it is one too.

    Attributes:
        labels: (m, 2) Fragment of each endpoint.
        bits: Its price under the cost model that it was found for.
        widths: (K,) Qubits of each fragment that is not empty.
        gates: Whether gates are cut.
        wires: Whether wires are.
    """

    labels: NDArray[np.int64]
    bits: float
    widths: NDArray[np.int64]
    gates: bool
    wires: bool

    def answers(self, problem: CutProblem) -> bool:
        """Whether it keeps to the limits of a problem, and to the kinds of cuts it allows."""
        if (self.gates and "gate" not in problem.kinds) or (
            self.wires and "wire" not in problem.kinds
        ):
            return False
        widths = self.widths
        if widths.max(initial=0) > problem.max_qubits or widths.sum() > problem.total_room:
            return False
        if problem.devices is not None:
            return fits(widths, problem.devices[: problem.max_fragments])
        return problem.max_fragments is None or len(widths) <= problem.max_fragments


@dataclass
class _Circuit:
    """Plans of a circuit by question, bounds by what was asked, and how long each was searched."""

    plans: OrderedDict[tuple[Asked, int], _Known] = field(default_factory=OrderedDict)
    bounds: dict[tuple[Asked, int], float] = field(default_factory=dict)
    spent: dict[tuple[Asked, int, int, bool], tuple[float, int]] = field(default_factory=dict)

    def forget_oldest(self) -> None:
        """Forget the plan that was found longest ago, and how long it was searched for."""
        gone, _ = self.plans.popitem(last=False)
        self.spent = {key: spent for key, spent in self.spent.items() if key[:2] != gone}


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
        plans = sorted(circuit.plans.items(), key=lambda each: each[1].bits)
        asked, width = _asked(problem, cost), problem.max_qubits
        bounds = (b for (a, w), b in circuit.bounds.items() if a == asked and w >= width)
        bound = max(bounds, default=0.0)
        seconds, rounds = circuit.spent.get((asked, width, seed, prove), (0.0, 0))
    best, value = None, np.inf
    priced: dict[str, list[NDArray[np.int64]]] = {}
    for ((model, *_), _), known in plans:
        alike = priced.setdefault(model, [])
        if len(alike) == (1 if model == cost else PRICED) or not known.answers(problem):
            continue
        if any(np.array_equal(known.labels, labels) for labels in alike):
            continue
        alike.append(known.labels)
        price = known.bits if model == cost else _price(problem, known.labels, cost)
        if price < value:
            best, value = known.labels, price
    return Recalled(best, value, min(bound, value), seconds, rounds)


def remember(problem: CutProblem, cost: str, found: Found) -> None:
    """Keep an answer, for all questions that it answers too."""
    question = _asked(problem, cost), problem.max_qubits
    known = _known(problem, found)
    with _lock:
        circuit = _circuits.setdefault(_key(problem), _Circuit())
        _circuits.move_to_end(_key(problem))
        before = circuit.plans.get(question)
        if before is None or known.bits < before.bits:
            circuit.plans[question] = known
        circuit.plans.move_to_end(question)
        bound = max(circuit.bounds.pop(question, 0.0), found.log2_lower_bound)
        circuit.bounds[question] = bound
        if len(circuit.bounds) > BOUNDS:
            circuit.bounds.pop(next(iter(circuit.bounds)))
        while len(_circuits) > CIRCUITS or (_ends() > ENDS and len(_circuits) > 1):
            _circuits.popitem(last=False)
        while len(circuit.plans) > PLANS or (_ends() > ENDS and len(circuit.plans) > 1):
            circuit.forget_oldest()


def _known(problem: CutProblem, found: Found) -> _Known:
    """An answer, with what tells which other questions it answers."""
    labels = found.labels
    widths = fragment_widths(problem.pairs, labels)
    return _Known(
        labels,
        found.log2_overhead,
        widths[widths > 0],
        gates=bool(np.any(labels[:, 0] != labels[:, 1])),
        wires=_wire_cuts(problem, labels) > 0,
    )


def remember_time(
    problem: CutProblem, cost: str, seed: int, spent: tuple[float, int], *, prove: bool
) -> None:
    """Keep that a question was searched for so many seconds and rounds, which need not be again."""
    with _lock:
        circuit = _circuits.get(_key(problem))
        if circuit is None:
            return
        question = _asked(problem, cost), problem.max_qubits
        if question not in circuit.plans:
            return
        circuit.spent[*question, seed, prove] = spent
        if len(circuit.spent) > QUESTIONS:
            circuit.spent.pop(next(iter(circuit.spent)))


def _ends() -> int:
    """Block endpoints of all plans."""
    return sum(known.labels.size for each in _circuits.values() for known in each.plans.values())


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


def _price(problem: CutProblem, labels: NDArray[np.int64], cost: str) -> float:
    """What a plan costs; without kernels where costs add up, which need not be compiled then."""
    if cost != "lo":
        return plan_price(problem, labels, cost)
    gates = problem.gate_cost[labels[:, 0] != labels[:, 1]].sum()
    return float(gates + problem.wire_cost * _wire_cuts(problem, labels))


def _wire_cuts(problem: CutProblem, labels: NDArray[np.int64]) -> int:
    """How often a wire goes from one fragment to another."""
    return int(fragment_widths(problem.pairs, labels).sum()) - len(np.unique(problem.pairs))
