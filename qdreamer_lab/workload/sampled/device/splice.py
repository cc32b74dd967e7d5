"""Putting a variant into a fragment's transpiled circuit.

What a variant does at a cut is a rotation, a measurement between two rotations, or a preparation:
few gates on one qubit, which go where the mark of the cut was. Nothing is transpiled, and nothing
is run here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import CircuitInstruction, Measure, pauli_twirl_2q_gates
from qiskit.synthesis import OneQubitEulerDecomposer

from qdreamer_lab.workload.sampled.bases import TO_Z
from qdreamer_lab.workload.sampled.device.held_outcomes import held_by
from qdreamer_lab.workload.sampled.device.spliced import Spliced
from qdreamer_lab.workload.sampled.weyl import PAULIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.sampled.device.transpile import Forms, Template
    from qdreamer_lab.workload.sampled.glue import Operation
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["REGISTER", "all_alike", "splice", "twirled"]

REGISTER = "bits"
"""Name of the one classical register."""


_NOTHING = np.eye(2, dtype=np.complex128)


@dataclass(frozen=True, eq=False, slots=True)
class _Move:
    """A rotation, and then perhaps a measurement into a classical bit."""

    matrix: NDArray[np.complex128]
    clbit: int | None = None


def splice(fragment: ShotFragment, forms: Forms, variant: int) -> Spliced:
    """Make the circuit of one variant.

    Args:
        fragment: The fragment, with the matrices of the binding in question.
        forms: Its circuits for a device; parameters may still be free.
        variant: Number of the variant; no leg may span several cuts.
    """
    program, basis = fragment.program, fragment.basis(variant)
    template = forms.templates[() if forms.midway else held_by(fragment, variant)]
    numbers, at_cut = _at_cuts(fragment, variant)
    at_mark: dict[tuple[int, bool], list[_Move]] = {}
    at_end = []
    for mark, step in zip(template.steps, program.steps, strict=True):
        if mark is None:
            continue
        moves = _moves(step.matrices, mark.start, *at_cut.get(mark.cut, (None, None)))
        if len(moves) > 1 and not forms.midway:
            before, after = moves
            if mark.cut in template.held:
                at_mark[mark.cut, True] = [after]
                bit = template.outputs[program.width + template.held.index(mark.cut)]
            else:  # nothing follows
                bit = template.outputs[step.qubits[0]]
            at_end.append((bit, _Move(_NOTHING, before.clbit)))
            moves = [_Move(before.matrix)]
        at_mark[mark.cut, False] = moves
    for k, cut in enumerate(program.open_cuts):
        operation, clbit = at_cut[cut]
        # The rows of a measurement are the bras of its outcomes.
        at_end.append((template.outputs[program.width - 1 - k], _Move(operation.kraus, clbit)))
    for k, (qubit, letter) in enumerate(basis.letters):
        turn = TO_Z.get(letter, _NOTHING)
        at_end.append((template.outputs[qubit], _Move(turn, numbers + k)))
    circuit = _written(template, at_mark, at_end, numbers + len(basis.letters))
    measured = tuple(qubit for qubit, _ in basis.letters)
    return Spliced(circuit, numbers, measured, _room(program))


def all_alike(forms: Forms, qubits: Sequence[int], bit: int) -> QuantumCircuit:
    """A circuit that prepares some physical qubits in 0, or in 1, and measures them.

    Args:
        forms: Circuits of a fragment for the same device.
        qubits: Which qubits.
        bit: 0 or 1.
    """
    template = next(iter(forms.templates.values()))
    circuit = QuantumCircuit(*template.circuit.qregs, ClassicalRegister(len(qubits), REGISTER))
    rotate = OneQubitEulerDecomposer(template.euler)
    moves = [(qubit, _Move(PAULIS[bit], k)) for k, qubit in enumerate(qubits)]  # I or X
    turns = [step for each in moves for step in _turned(circuit, rotate, *each)]
    circuit.data = turns + [step for each in moves for step in _measured(circuit, *each)]
    return circuit


def twirled(
    circuit: QuantumCircuit, count: int, seed: np.random.SeedSequence, backend: BackendV2
) -> list[QuantumCircuit]:
    """A circuit with random Paulis around its two-qubit gates that undo each other.

    Args:
        circuit: In a device's gates.
        count: How many circuits, with Paulis of their own; one is as it was.
        seed: Of the Paulis.
        backend: The device.
    """
    if count == 1:
        return [circuit]
    number = int(seed.generate_state(1, np.uint64)[0])
    made = pauli_twirl_2q_gates(circuit, seed=number, num_twirls=count, target=backend.target)
    return list(made)


def _room(program: FragmentProgram) -> int:
    return program.width - len(program.open_cuts)


def _at_cuts(
    fragment: ShotFragment, variant: int
) -> tuple[int, dict[int, tuple[Operation, int | None]]]:
    """Number of outcome bits; what is done at each cut, and the bit that its outcome goes to."""
    found: dict[int, tuple[Operation, int | None]] = {}
    used = 0
    axes = fragment.program.axes
    for leg, operation in zip(fragment.legs, fragment.operations(variant), strict=True):
        (axis,) = leg.axes
        clbit = None
        if len(operation.kraus) > 1:
            clbit, used = used, used + 1
        found[axes[axis][0]] = operation, clbit
    return used, found


def _moves(
    matrices: NDArray[np.complex128], start: bool, operation: Operation | None, clbit: int | None
) -> list[_Move]:
    """What to do at a mark, given the choices that the cut sums over."""
    if operation is None:  # a gate that is a product needs no choice
        return [_Move(matrices[0])]
    kraus = np.tensordot(operation.kraus, matrices, axes=1)
    if start:
        a, b = kraus[0, :, 0]
        return [_Move(np.array([[a, -np.conj(b)], [b, np.conj(a)]]))]
    if clbit is None:
        return [_Move(kraus[0])]
    # K± = U (1 ± R)/2: measure the reflection R, then do U.
    plus, minus = kraus
    unitary = plus + minus
    reflection = unitary.conj().T @ (plus - minus)
    vectors = np.linalg.eigh(reflection)[1][:, ::-1]  # +1 first, as outcome 0
    return [_Move(vectors.conj().T, clbit), _Move(unitary @ vectors)]


def _written(
    template: Template,
    at_mark: dict[tuple[int, bool], list[_Move]],
    at_end: list[tuple[int, _Move]],
    num_bits: int,
) -> QuantumCircuit:
    circuit = template.circuit.copy_empty_like()
    if num_bits:
        circuit.add_register(ClassicalRegister(num_bits, REGISTER))
    rotate = OneQubitEulerDecomposer(template.euler)
    data: list[Any] = []
    done = 0
    source = list(template.circuit.data)
    for place in template.places:
        data += source[done : place.index]
        done = place.index
        for move in at_mark[place.mark.cut, place.mark.then]:
            data += _turned(circuit, rotate, place.qubit, move)
            data += _measured(circuit, place.qubit, move)
    data += source[done:]
    for qubit, move in at_end:
        data += _turned(circuit, rotate, qubit, move)
    for qubit, move in at_end:  # some devices take no gate at all after a measurement
        data += _measured(circuit, qubit, move)
    circuit.data = data
    return circuit


def _turned(circuit: QuantumCircuit, rotate: Any, qubit: int, move: _Move) -> list[Any]:
    on = (circuit.qubits[qubit],)
    return [CircuitInstruction(gate.operation, on) for gate in rotate(move.matrix).data]


def _measured(circuit: QuantumCircuit, qubit: int, move: _Move) -> list[Any]:
    if move.clbit is None:
        return []
    return [CircuitInstruction(Measure(), (circuit.qubits[qubit],), (circuit.clbits[move.clbit],))]
