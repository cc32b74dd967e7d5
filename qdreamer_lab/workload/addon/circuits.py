"""Plans as qiskit-addon-cutting's cut circuits, and back.

A cut circuit carries its cuts as instructions: a `TwoQubitQPDGate` stands for a gate that is cut,
a `CutWire` for a place where a wire is. The only place that knows the addon; it must not search.
"""

from __future__ import annotations

import warnings
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate, Qubit
from qiskit.circuit.library import UnitaryGate

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.addon.decomposition import unitary_of_basis
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.options import check_width
from qdreamer_lab.workload.cut.partition import Partition, lone_labels
from qdreamer_lab.workload.cut.wire_segments import connected, layout_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

__all__ = [
    "check_markers",
    "cut_gate",
    "cut_wire",
    "is_cut_gate",
    "is_cut_wire",
    "read_cut_circuit",
    "renamed_for_addon",
    "write_cut_circuit",
]

_ADDON_NAMES = frozenset({"barrier", "cut_wire", "move", "qpd_1q", "qpd_2q", "qpd_measure"})
"""Names by which the addon knows instructions, whatever they are."""


def cut_gate(gate: Any) -> Any:
    """The addon's instruction for cutting a two-qubit gate.

    Raises:
        CircuitError: If the addon cannot decompose the gate.
    """
    from qiskit_addon_cutting.qpd import TwoQubitQPDGate

    try:
        return TwoQubitQPDGate.from_instruction(gate)
    except ValueError as error:
        raise CircuitError(
            f"qiskit-addon-cutting cannot decompose the gate {gate.name}: {error}"
        ) from error


def cut_wire() -> Any:
    """The addon's instruction for cutting a wire."""
    from qiskit_addon_cutting.instructions import CutWire

    return CutWire()


def is_cut_gate(instruction: CircuitInstruction) -> bool:
    """Whether it is a gate that is to be cut."""
    from qiskit_addon_cutting.qpd import TwoQubitQPDGate

    return not instruction.is_standard_gate() and isinstance(instruction.operation, TwoQubitQPDGate)


def is_cut_wire(instruction: CircuitInstruction) -> bool:
    """Whether it marks a wire that is to be cut."""
    from qiskit_addon_cutting.instructions import CutWire

    return not instruction.is_standard_gate() and isinstance(instruction.operation, CutWire)


def renamed_for_addon(instruction: CircuitInstruction) -> CircuitInstruction:
    """A user's gate under another name, if the addon would take it for one of its own."""
    if instruction.name not in _ADDON_NAMES or not isinstance(instruction.operation, Gate):
        return instruction
    renamed = instruction.operation.copy(name=f"own_{instruction.name}")
    return CircuitInstruction(renamed, instruction.qubits, instruction.clbits)


def write_cut_circuit(plan: Partition, *, moves: bool = False) -> QuantumCircuit:
    """Write a plan as a cut circuit: one `UnitaryGate` per block, in the plan's order.

    Args:
        plan: What to write.
        moves: Write wire cuts as cut `Move` gates to extra qubits, as the addon's `cut_wires`
            does, instead of `CutWire` markers.

    Raises:
        CircuitError: If the addon cannot decompose a block.
    """
    blocks = plan.blocks
    circuit = QuantumCircuit(blocks.num_qubits)
    for qubit, matrix in blocks.lone.items():
        circuit.append(UnitaryGate(matrix), [qubit])
    layout = layout_of(blocks.pairs, plan.labels)
    begins: dict[int, list[int]] = {}
    for later in np.flatnonzero(layout.previous >= 0).tolist():
        begins.setdefault(int(layout.first[later]), []).append(int(layout.qubit[later]))
    cut = plan.labels[:, 0] != plan.labels[:, 1]
    for block, pair in enumerate(blocks.pairs.tolist()):
        for qubit in begins.get(block, ()):
            circuit.append(cut_wire(), [qubit])
        gate = UnitaryGate(blocks.unitaries[block], check_input=False)
        circuit.append(cut_gate(gate) if cut[block] else gate, pair)
    if moves:
        return _with_moves(circuit)
    check_markers(circuit)
    return circuit


def check_markers(circuit: QuantumCircuit) -> None:
    """Warn of markers that the addon's `cut_wires` mixes up.

    It counts a wire's cuts by runs of markers. If another wire is cut between two cuts of one, it
    gives that one too few new qubits and moves states to the wrong ones, without an error (seen in
    0.10).
    """
    order = [step.qubits[0] for step in circuit.data if is_cut_wire(step)]
    runs = [qubit for qubit, _ in groupby(order)]
    if len(runs) > len(set(runs)):
        warnings.warn(
            "a wire is cut again after another wire was: cut_wires of qiskit-addon-cutting gets "
            "such circuits wrong; CutPlan.to_circuit(moves=True) does its work instead",
            stacklevel=3,
        )


def _with_moves(circuit: QuantumCircuit) -> QuantumCircuit:
    """Give every piece of a cut wire a qubit; the last one keeps the wire's own."""
    from qiskit_addon_cutting.instructions import Move

    extra: dict[Qubit, list[Qubit]] = {qubit: [] for qubit in circuit.qubits}
    for step in circuit.data:
        if is_cut_wire(step):
            extra[step.qubits[0]].append(Qubit())
    moved = QuantumCircuit([q for own in circuit.qubits for q in (*extra[own], own)])
    for register in circuit.qregs:
        moved.add_register(register)
    at = {own: iter((*new, own)) for own, new in extra.items()}
    now = {own: next(places) for own, places in at.items()}
    for step in circuit.data:
        if not is_cut_wire(step):
            moved.append(CircuitInstruction(step.operation, [now[q] for q in step.qubits]))
            continue
        (own,) = step.qubits
        before, now[own] = now[own], next(at[own])
        moved.append(cut_gate(Move()), [before, now[own]])
    return moved


def read_cut_circuit(circuit: QuantumCircuit, max_qubits: int | None = None) -> Partition:
    """Read a cut circuit: what no cut separates is one fragment.

    Every two-qubit gate becomes a block of its own, since cuts tell equal gates apart. Cuts that
    separate nothing are dropped.

    Args:
        circuit: With `TwoQubitQPDGate` and `CutWire` instructions, before `cut_wires`.
        max_qubits: The width to keep to; by default that of the widest fragment.

    Raises:
        CircuitError: If the rest of the circuit cannot be read, or a cut is not of a unitary gate.
        PlanError: If a fragment is wider than `max_qubits`.
    """
    plain = circuit.copy_empty_like()
    cut: set[int] = set()
    markers: dict[int, list[int]] = {k: [] for k in range(circuit.num_qubits)}
    for step in circuit.data:
        if is_cut_wire(step):
            markers[circuit.find_bit(step.qubits[0]).index].append(len(plain.data))
            continue
        if is_cut_gate(step):
            cut.add(len(plain.data))
            step = CircuitInstruction(_uncut(step.operation), step.qubits)
        plain.append(step)
    blocks = to_blocks(plain, merge=False)
    labels = _labels(plain, blocks, cut, markers)
    if max_qubits is None:
        max_qubits = int(layout_of(blocks.pairs, labels).widths(1).max(initial=1))
    check_width(max_qubits)
    return Partition(blocks, labels, lone_labels(blocks, labels, max_qubits), max_qubits)


def _uncut(gate: Any) -> UnitaryGate:
    """The gate that a `TwoQubitQPDGate` stands for."""
    unitary = unitary_of_basis(gate.basis)
    if unitary is None:
        raise CircuitError(
            f"{gate.label} does not stand for a unitary gate; if it is a cut wire, pass the "
            "circuit from before cut_wires"
        )
    return UnitaryGate(unitary, check_input=False)


def _labels(
    plain: QuantumCircuit, blocks: BlockCircuit, cut: set[int], markers: dict[int, list[int]]
) -> NDArray[np.int64]:
    """Labels (m, 2) of the parts that are left when the cuts are made."""
    sources = [max(k for k in merged if len(plain.data[k].qubits) > 1) for merged in blocks.sources]
    stretch = np.array(
        [
            [sum(place <= source for place in markers[qubit]) for qubit in pair]
            for pair, source in zip(blocks.pairs.tolist(), sources, strict=True)
        ],
        dtype=np.int64,
    ).reshape(-1, 2)
    whole = np.array([source not in cut for source in sources], dtype=bool)
    return connected(blocks.pairs, stretch, whole)
