"""Exercises of the second notebook: who goes into which fragment, and a circuit with one cut."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit

from qdreamer_lab.course.circuits import bound_circuit, state_of
from qdreamer_lab.course.verdict import NotRight, exercise
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.plan.find import plan_cuts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["check_bridge", "check_fragments", "two_rings"]

_QUBITS, _WIDTH = 8, 4
_STRONG, _WEAK = 1.2, 0.3
_COUPLINGS = tuple(
    [(k, (k + 2) % _QUBITS, _STRONG) for k in range(_QUBITS)] + [(0, 1, _WEAK), (4, 5, _WEAK)]
)
_ONE_CX = 9.0


def two_rings() -> QuantumCircuit:
    """Eight qubits: the even ones in a ring, the odd ones in another, two weak links between."""
    circuit = QuantumCircuit(_QUBITS, name="two rings")
    circuit.h(range(_QUBITS))
    for one, other, angle in _COUPLINGS:
        circuit.rzz(angle, one, other)
    return circuit


def _overhead(fragments: Sequence[object]) -> float:
    """γ² of all couplings that are cut: γ = 1 + 2|sin θ| (Mitarai and Fujii, arXiv:1909.07534)."""
    cut = [angle for one, other, angle in _COUPLINGS if fragments[one] != fragments[other]]
    return math.prod((1 + 2 * abs(math.sin(angle))) ** 2 for angle in cut)


def _groupings(size: int, most: int) -> Iterator[tuple[int, ...]]:
    """All ways to put things into groups of at most `most`, each group numbered when it is new."""
    if size == 0:
        yield ()
        return
    for head in _groupings(size - 1, most):
        for label in range(max(head, default=-1) + 2):
            if head.count(label) < most:
                yield (*head, label)


@cache
def _best() -> float:
    """The least overhead there is, found by trying all ways."""
    return min(map(_overhead, _groupings(_QUBITS, _WIDTH)))


@exercise
def check_fragments(fragments: object) -> str:
    """Check a distribution of the qubits of `two_rings` over fragments of four qubits.

    Args:
        fragments: For each qubit, qubit 0 first, the name of its fragment: a text such as
            "AAAABBBB", or a list.
    """
    if not isinstance(fragments, (str, list, tuple, np.ndarray)):
        raise NotRight(
            f"A text such as 'AAAABBBB' is wanted, or a list; this is {type(fragments).__name__}."
        )
    labels = [str(each) for each in fragments]
    if len(labels) != _QUBITS:
        raise NotRight(
            f"The circuit has {_QUBITS} qubits, and you placed {len(labels)}: one letter each."
        )
    name, width = Counter(labels).most_common(1)[0]
    if width > _WIDTH:
        raise NotRight(f"Fragment {name} holds {width} qubits; the device has {_WIDTH}.")
    cost, count = _overhead(labels), len(set(labels))
    if math.isclose(cost, _best()):
        return f"a sampling overhead of {cost:.2f}, and of all ways there are none is cheaper."
    if count > 2:
        raise NotRight(
            f"Your {count} fragments cost a factor of {cost:,.0f}. Every further fragment means "
            "further cuts, and two fragments are enough."
        )
    strong = [
        f"{one}-{other}"
        for one, other, angle in _COUPLINGS
        if angle == _STRONG and labels[one] != labels[other]
    ]
    raise NotRight(
        f"This costs a factor of {cost:,.0f}, for it cuts {len(strong)} strong couplings, "
        f"such as {strong[0]}; the best way cuts none. Who is coupled to whom?"
    )


@exercise
def check_bridge(circuit: object) -> str:
    """Check a circuit of eight qubits that four-qubit fragments run with one gate cut like a CX.

    Args:
        circuit: A circuit without measurements.
    """
    given = bound_circuit(circuit, _QUBITS)
    state = state_of(given)
    try:
        plan = plan_cuts(given.remove_final_measurements(inplace=False), _WIDTH)
    except CircuitError as error:
        raise NotRight(f"Your circuit cannot be cut: {str(error).rstrip('.')}.") from error
    if plan.num_cuts == 0:
        raise NotRight(
            "Nothing has to be cut: your circuit falls apart by itself. Some gate has to join the "
            "two halves."
        )
    overhead = 2**plan.log2_overhead
    if plan.num_cuts > 1 or overhead > _ONE_CX * (1 + 1e-6):
        raise NotRight(
            f"The best plan has {plan.summary.partition(',')[0]}, and a sampling overhead of "
            f"{overhead:,.1f}; one gate cut like that of a CX costs 9. How many gates join the "
            "halves?"
        )
    schmidt = _schmidt_values(state, plan)
    if schmidt[1:].max(initial=0.0) < 1e-6:
        raise NotRight(
            "A gate joins the halves, but their state is not entangled: a controlled gate does "
            "nothing where its control is |0⟩, nor does an X where the state is |+⟩."
        )
    if min(fragment.num_blocks for fragment in plan.fragments) == 0:
        raise NotRight(
            "A fragment of your circuit is no circuit, only single qubits: entangle the qubits "
            "on either side of the bridge as well."
        )
    return (
        f"one cut, an overhead of {overhead:.2f}, and the halves are entangled with each other "
        f"(Schmidt coefficients {schmidt[0]:.3f} and {schmidt[1]:.3f})."
    )


def _schmidt_values(state: NDArray[np.complex128], plan: CutPlan) -> NDArray[np.float64]:
    """Of a state, between the one end of a plan's cut and all that is not in its fragment."""
    (cut,) = plan.cuts
    assert isinstance(cut, GateCut)  # a wire cut costs 16, more than is let through
    inside = {s.qubit for s in plan.segments if s.fragment == cut.fragments[0]}
    axes = [_QUBITS - 1 - qubit for qubit in sorted(inside)]
    rest = [axis for axis in range(_QUBITS) if axis not in axes]
    table = state.reshape((2,) * _QUBITS).transpose(*axes, *rest).reshape(2 ** len(axes), -1)
    return np.asarray(np.linalg.svd(table, compute_uv=False), dtype=np.float64)
