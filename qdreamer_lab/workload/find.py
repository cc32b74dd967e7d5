"""`find_cuts` with the signature of qiskit-addon-cutting's, so that one import can be swapped.

It cuts at the instructions of the given circuit, without merging any, so that whoever asked finds
their own gates again. It must not look at fragments or run anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from qiskit.circuit import CircuitInstruction

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.addon import check_markers, cut_gate, cut_wire
from qdreamer_lab.workload.gates import two_qubit_gates
from qdreamer_lab.workload.layout import layout_of
from qdreamer_lab.workload.options import SearchOptions, check_width
from qdreamer_lab.workload.pieces import WIRE_CUT_GAMMA
from qdreamer_lab.workload.pricing import cut_problem
from qdreamer_lab.workload.schmidt import schmidt_coefficients
from qdreamer_lab.workload.searching import searching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.search.problem import Found
    from qdreamer_lab.workload.gates import FlatGate

__all__ = ["find_cuts"]


class Optimization(Protocol):
    """What is read of the addon's `OptimizationParameters`; its other settings have no use here."""

    seed: int | None
    gate_lo: bool
    wire_lo: bool


class Constraints(Protocol):
    """What is read of the addon's `DeviceConstraints`."""

    qubits_per_subcircuit: int


def find_cuts(
    circuit: QuantumCircuit, optimization: Optimization, constraints: Constraints
) -> tuple[QuantumCircuit, dict[str, Any]]:
    """Find where to cut a circuit; a drop-in for `qiskit_addon_cutting.find_cuts`.

    Args:
        circuit: unitary, without gates on more than two qubits. Parameters of one-qubit gates may
            be unbound.
        optimization: the addon's `OptimizationParameters`, or anything with its `seed`, `gate_lo`
            and `wire_lo`. A seed of None is the same as 0; `max_gamma` and `max_backjumps` bound a
            search that is not made here, and are ignored.
        constraints: the addon's `DeviceConstraints`, or anything with `qubits_per_subcircuit`.

    Returns:
        The circuit with its cuts as the addon's `TwoQubitQPDGate` and `CutWire` instructions, and
        a dictionary: `cuts`, a list of ("Gate Cut" or "Wire Cut", index into the data of that
        circuit); `sampling_overhead`, the factor on shots if every cut is decomposed on its own;
        `minimum_reached`, whether that is proven to be the least.

    Raises:
        CircuitError: if the circuit holds something that cannot be cut (where, and what to do).
        InfeasiblePlanError: if no plan keeps to the width with the allowed kinds of cuts.
        PlanError: if the settings make no sense.
    """
    allowed = {"gate": optimization.gate_lo, "wire": optimization.wire_lo}
    kinds = tuple(kind for kind, wanted in allowed.items() if wanted)
    if not kinds:
        raise PlanError("neither gate_lo nor wire_lo: there is nothing left to cut")
    check_width(constraints.qubits_per_subcircuit)
    seed = 0 if optimization.seed is None else optimization.seed
    options = SearchOptions(kinds, seed=seed)
    gates = two_qubit_gates(circuit)
    pairs = np.array([gate.qubits for gate in gates], dtype=np.int64).reshape(-1, 2)
    matrices = np.array([gate.matrix for gate in gates]).reshape(-1, 4, 4)
    coefficients = schmidt_coefficients(matrices)
    found = _search(
        circuit.num_qubits, pairs, coefficients, constraints.qubits_per_subcircuit, options
    )
    wires = _wires_cut_before(pairs, found.labels)
    cut = found.labels[:, 0] != found.labels[:, 1]
    marked = _marked(circuit, gates, np.flatnonzero(cut).tolist(), wires)
    return marked, {
        "cuts": _cuts_in(marked),
        "sampling_overhead": _overhead(marked),
        "minimum_reached": found.proven_optimal,
    }


def _search(
    num_qubits: int,
    pairs: NDArray[np.int64],
    coefficients: NDArray[np.float64],
    max_qubits: int,
    options: SearchOptions,
) -> Found:
    from qdreamer_lab.search.driver import search

    with searching():
        problem = cut_problem(num_qubits, pairs, coefficients, max_qubits, kinds=options.kinds)
        return search(problem, time_limit_s=options.time_limit_s, seed=int(options.seed))


def _wires_cut_before(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> list[list[int]]:
    """Per block, the qubits whose wire is cut right before it."""
    layout = layout_of(pairs, labels)
    wires: list[list[int]] = [[] for _ in pairs]
    for later in np.flatnonzero(layout.previous >= 0).tolist():
        wires[layout.first[later]].append(int(layout.qubit[later]))
    return wires


def _marked(
    circuit: QuantumCircuit, gates: list[FlatGate], cut: list[int], wires: list[list[int]]
) -> QuantumCircuit:
    """The circuit with cut gates replaced and cut wires marked."""
    block_of: Mapping[int, int] = {gate.source: block for block, gate in enumerate(gates)}
    instead = {gates[block].source for block in cut}
    marked = circuit.copy_empty_like()
    for source, instruction in enumerate(circuit.data):
        if source in block_of:
            for qubit in wires[block_of[source]]:
                marked.append(cut_wire(), [circuit.qubits[qubit]])
        if source in instead:
            operation = cut_gate(instruction.operation)
            instruction = CircuitInstruction(operation, instruction.qubits)
        marked.append(instruction)
    check_markers(marked)
    return marked


def _overhead(marked: QuantumCircuit) -> float:
    """The factor on shots if every cut has a decomposition of its own."""
    overhead = 1.0
    for instruction in marked.data:
        if instruction.name == "qpd_2q":
            overhead *= instruction.operation.basis.overhead
        elif instruction.name == "cut_wire":
            overhead *= WIRE_CUT_GAMMA**2
    return overhead


def _cuts_in(marked: QuantumCircuit) -> list[tuple[str, int]]:
    names = {"qpd_2q": "Gate Cut", "cut_wire": "Wire Cut"}
    names_here = (instruction.name for instruction in marked.data)
    return [(names[name], k) for k, name in enumerate(names_here) if name in names]
