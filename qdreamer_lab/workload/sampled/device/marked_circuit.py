"""A fragment as the user wrote it: a circuit with a mark wherever something is cut.

Blocks inside the fragment keep the user's own instructions and symbols, so that one transpilation
serves a whole sweep. Nothing here knows devices, variants or measurements.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate
from qiskit.circuit.library import Barrier, UnitaryGate

from pilot_kernel.primitive.circuit.custom_gates import unrolled
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qiskit.circuit import CircuitInstruction

    from qdreamer_lab.engine.program import Step
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["FragmentCircuit", "Mark", "fragment_circuit"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a cut meets a fragment.

    Attributes:
        cut: Its number in `plan.cuts`.
        start: Whether a wire begins here, in |0⟩; otherwise a gate is cut.
        then: Whether this is the second of two marks, between which an outcome is handed on.
    """

    cut: int
    start: bool
    then: bool = False

    @property
    def label(self) -> str:
        """What its barrier is called."""
        where = "start" if self.start else "end of gate" if self.then else "gate"
        return f"{where} of cut {self.cut}"


@dataclass(frozen=True, eq=False)
class FragmentCircuit:
    """A fragment's circuit on its local qubits, with gaps where it is cut.

    A mark is a labelled barrier on one qubit: the transpiler moves it along with its qubit, and
    moves nothing across it.

    Attributes:
        fragment: Id in the plan.
        circuit: Without measurements; parameters are the user's. The last qubits are those that
            hold outcomes.
        steps: For every step of the fragment's program, its mark, or None for a whole block.
        rigid: Names of parameters whose values are written into matrices here, because their
            gates were decomposed; when one changes, the fragment must be written anew.
        held: Gate cuts that have an outcome, which waits on a qubit of its own, in this order.
    """

    fragment: int
    circuit: QuantumCircuit
    steps: tuple[Mark | None, ...]
    rigid: tuple[str, ...]
    held: tuple[int, ...] = ()

    @cached_property
    def key(self) -> str:
        """A digest: fragments with equal keys are transpiled alike."""
        file = io.BytesIO()
        qpy.dump(self.circuit, file)
        return hashlib.sha256(file.getvalue()).hexdigest()


def fragment_circuit(
    circuit: QuantumCircuit,
    plan: Partition,
    program: FragmentProgram,
    held: tuple[int, ...] = (),
) -> FragmentCircuit:
    """Write one fragment of a plan.

    Args:
        circuit: What the plan's blocks were made of, with or without its parameters bound.
        plan: The plan, with blocks of any binding that shares the circuit.
        program: The fragment, lowered from the plan.
        held: Gate cuts whose outcome is handed to a further qubit.
    """
    # Qiskit would make up another name each time, and the key would change with it.
    out = QuantumCircuit(program.width + len(held), name=f"fragment-{program.id}")
    marks: list[Mark | None] = []
    rigid: set[str] = set()
    places = zip(_places(plan, program.id), program.steps, strict=True)
    for place, step in places:
        if isinstance(place, Mark):
            out.append(Barrier(1, label=place.label), step.qubits)
            marks.append(place)
            if not place.start and place.cut in held:
                out.cx(step.qubits[0], program.width + held.index(place.cut))
                after = replace(place, then=True)
                out.append(Barrier(1, label=after.label), step.qubits)
        else:
            rigid |= _write_block(out, circuit, plan, place, step)
            marks.append(None)
    # Transpilers, and the digest's file format, would take gates of one's own for Qiskit's.
    return FragmentCircuit(program.id, unrolled(out), tuple(marks), tuple(sorted(rigid)), held)


def _places(plan: Partition, fragment: int) -> Iterator[Mark | int]:
    """The block or mark that each step of the fragment's program stands for, in its order."""
    gates = {cut.block: k for k, cut in enumerate(plan.cuts) if isinstance(cut, GateCut)}
    wires = {
        (cut.qubit, cut.before): k for k, cut in enumerate(plan.cuts) if isinstance(cut, WireCut)
    }
    for block, (pair, sides) in enumerate(
        zip(plan.blocks.pairs.tolist(), plan.labels.tolist(), strict=True)
    ):
        for qubit, side in zip(pair, sides, strict=True):
            if side == fragment and (qubit, block) in wires:
                yield Mark(wires[qubit, block], True)
        if fragment in sides:
            yield Mark(gates[block], False) if block in gates else block


def _write_block(
    out: QuantumCircuit, circuit: QuantumCircuit, plan: Partition, block: int, step: Step
) -> set[str]:
    """Append one block; returns the parameters that are lost in its matrix."""
    local = dict(zip(plan.blocks.pairs[block].tolist(), step.qubits, strict=True))
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    sources = [circuit.data[source] for source in plan.blocks.sources[block]]
    qubits = [[number[bit] for bit in source.qubits] for source in sources]
    if all(len(on) <= 2 for on in qubits) and not any(map(_is_opaque, sources)):
        for source, on in zip(sources, qubits, strict=True):
            out.append(source.operation, [local[qubit] for qubit in on])
        return set()
    # A wider gate was decomposed, and may reach into other blocks: only the matrix is known.
    # The same goes for gates that Qiskit cannot write in others.
    out.append(UnitaryGate(step.matrices[0]), step.qubits)
    return {
        parameter.name
        for source in sources
        for value in source.params
        for parameter in getattr(value, "parameters", ())
    }


def _is_opaque(instruction: CircuitInstruction) -> bool:
    """Whether only the matrix will do; `UnitaryGate` is synthesized by Qiskit.

    That is so of gates without a definition, and of what is no gate: a state prepared by
    `initialize`, an instruction with classical bits.
    """
    gate = instruction.operation
    if instruction.is_standard_gate() or isinstance(gate, UnitaryGate):
        return False
    return not isinstance(gate, Gate) or gate.definition is None
