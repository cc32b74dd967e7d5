"""A circuit rewritten in gates that Aer runs correctly.

Aer goes by names, so a custom gate must not get there: it is replaced by its definition, down to
Qiskit's standard gates, or by a `UnitaryGate` if it has only a matrix. Bodies of control flow are
rewritten in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    Clbit,
    ControlModifier,
    InverseModifier,
    Measure,
    PowerModifier,
    Qubit,
    Reset,
    Store,
)
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import (
    GlobalPhaseGate,
    Initialize,
    MCXGate,
    UnitaryGate,
)

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.gates import (
    DEEPEST,
    WITHOUT_EFFECT,
    definition_of,
    has_open_controls,
    kind_of,
    matrix_of,
    standard_name,
)
from pilot_kernel.primitive.simulator.aer import BOUND_LATE, CONTROLLED_NOTS
from pilot_kernel.primitive.simulator.angles import Angles, is_free
from pilot_kernel.primitive.simulator.control_flow import is_flow, write_flow

__all__ = ["Rewritten", "rewrite"]


@dataclass(frozen=True)
class Rewritten:
    """A circuit in known gates.

    Attributes:
        circuit: The circuit. Its free parameters are those of `angles`.
        angles: What stands for what.
        measured: Classical bits that are written.
        read: Classical bits that control flow looks at.
    """

    circuit: QuantumCircuit
    angles: Angles
    measured: frozenset[Clbit]
    read: frozenset[Clbit]


def rewrite(circuit: QuantumCircuit, basis: frozenset[str], number: int) -> Rewritten:
    """Rewrite a circuit in known gates.

    Args:
        circuit: Any circuit.
        basis: Names of the gates that need not be taken apart.
        number: The PUB's number.

    Raises:
        PubError: An instruction has no meaning that could be simulated.
    """
    writer = _Writer(_empty(circuit), basis, number)
    writer.write(circuit, circuit.qubits, circuit.clbits)
    return Rewritten(writer.out, writer.angles, frozenset(writer.measured), frozenset(writer.read))


def _empty(circuit: QuantumCircuit) -> QuantumCircuit:
    """No gates yet; the bits of a register side by side, those in no register behind them."""
    empty = QuantumCircuit(metadata=circuit.metadata)
    empty.add_bits(circuit.qubits)
    for register in circuit.cregs:
        empty.add_register(register)
    placed = set(empty.clbits)
    empty.add_bits([bit for bit in circuit.clbits if bit not in placed])
    return empty


class _Writer:
    """Writes into a circuit, and takes apart what cannot be written as it is.

    It is the `Writer` that control flow is written with.
    """

    def __init__(self, out: QuantumCircuit, basis: frozenset[str], number: int) -> None:
        self.out = out
        self.number = number
        self.angles = Angles()
        self.measured: set[Clbit] = set()
        self.read: set[Clbit] = set()
        self.loops: list[Any] = []
        self.keep_angles = False
        self.phase: Any = 0.0
        self._basis = basis
        self._depth = 0

    def write(
        self, circuit: QuantumCircuit, qubits: Sequence[Qubit], clbits: Sequence[Clbit]
    ) -> None:
        """Write all of a circuit.

        Args:
            circuit: The circuit, or a body or definition within it.
            qubits: Where its qubits are.
            clbits: Where its classical bits are.
        """
        at: dict[Any, Any] = dict(zip(circuit.qubits, qubits, strict=True))
        at.update(zip(circuit.clbits, clbits, strict=True))
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.complaint(f"has definitions within each other, over {DEEPEST} deep")
        self.phase += circuit.global_phase
        for step in circuit.data:
            operation = step.operation
            if is_flow(operation):
                write_flow(self, step, at)
            else:
                self._write_step(operation, [at[q] for q in step.qubits], step.clbits, at)
        self._depth -= 1

    def _write_step(
        self, operation: Any, qubits: list[Qubit], clbits: Sequence[Clbit], at: Mapping[Any, Any]
    ) -> None:
        kind = kind_of(operation)
        if kind in WITHOUT_EFFECT:
            self.phase += operation.params[0] if kind is GlobalPhaseGate else 0.0
            return
        if kind is Measure:
            self.measured.add(at[clbits[0]])
            self.out.append(Measure(), qubits, [at[clbits[0]]], copy=False)
        elif kind is Reset:
            self.out.append(Reset(), qubits, copy=False)
        elif kind is Store:
            raise self.complaint(
                f"stores into the classical variable {_name_of(operation.lvalue)}, which "
                "simulators here do not run; measure into classical registers instead"
            )
        elif (known := self._known(operation, kind)) is not None:
            self.out.append(known, qubits, copy=False)
        else:
            inner = self._inside(operation, kind)
            self.write(inner, qubits, [at[bit] for bit in clbits])

    def _known(self, operation: Any, kind: type) -> Any:
        """The operation to write, if it need not be taken apart."""
        basis, parameters = self._basis, list(getattr(operation, "params", ()))
        name = standard_name(operation)
        if name is not None and name in basis:
            if not any(map(is_free, parameters)):
                return kind(*parameters)
            if kind in BOUND_LATE:
                return kind(*(self.angle(p) if is_free(p) else p for p in parameters))
            return None
        if kind is UnitaryGate and "unitary" in basis:
            return UnitaryGate(parameters[0], check_input=False)
        if kind in CONTROLLED_NOTS and "mcx" in basis and not has_open_controls(operation):
            return MCXGate(operation.num_ctrl_qubits)
        if kind is Initialize and "initialize" in basis and _has_amplitudes(parameters):
            return Initialize(list(parameters))
        return None

    def angle(self, value: Any) -> Any:
        """What to write for an angle that has no value yet."""
        if self.keep_angles:
            return value
        parameters = set(value.parameters)  # Qiskit 2.1 gives the keys of a dictionary
        inner = parameters.intersection(self.loops)
        if not inner:
            return self.angles.stand_in(value)
        if inner != parameters:
            raise self.complaint(
                f"has an angle, {value}, of both a loop with break or continue and the circuit's "
                "parameters; bind those with circuit.assign_parameters"
            )
        return value

    def _inside(self, operation: Any, kind: type) -> QuantumCircuit:
        """What an operation is made of."""
        if kind is AnnotatedOperation:
            return self._modified(operation)
        free = any(is_free(value) for value in getattr(operation, "params", ()))
        try:
            definition = definition_of(operation)
        except (CircuitError, TypeError, ValueError) as error:
            if not free:
                raise
            raise self.complaint(
                f"has a gate {operation.name!r} that is not defined before its parameters have "
                "values; bind them with circuit.assign_parameters"
            ) from error
        if definition is not None:
            return definition
        matrix = None if free else matrix_of(operation)
        if matrix is None:
            raise self.complaint(
                f"has an instruction {operation.name!r} without a definition; give it one, or put "
                "a gate with a matrix in its place"
            )
        alone = QuantumCircuit(operation.num_qubits)
        alone.append(UnitaryGate(matrix), range(operation.num_qubits))
        return alone

    def _modified(self, operation: AnnotatedOperation) -> QuantumCircuit:
        base = QuantumCircuit(operation.base_op.num_qubits)
        base.append(operation.base_op, base.qubits)
        # In standard gates first: Qiskit takes gates apart by name before it controls them.
        within = _Writer(base.copy_empty_like(), self._basis - {"mcx", "initialize"}, self.number)
        within.keep_angles = True
        within.write(base, base.qubits, [])
        within.out.global_phase = within.phase
        gate: Any = within.out.to_gate()
        for modifier in operation.modifiers:
            if isinstance(modifier, InverseModifier):
                gate = gate.inverse()
            elif isinstance(modifier, PowerModifier):
                gate = gate.power(modifier.power)
            elif isinstance(modifier, ControlModifier):
                gate = gate.control(
                    modifier.num_ctrl_qubits, ctrl_state=modifier.ctrl_state, annotated=False
                )
        alone = QuantumCircuit(operation.num_qubits)
        alone.append(gate, alone.qubits)
        return alone

    def complaint(self, text: str) -> PubError:
        """An error about this PUB."""
        return PubError(f"PUB {self.number} {text}")


def _has_amplitudes(parameters: Sequence[Any]) -> bool:
    """Whether an initialization gives a state, rather than a label or a number."""
    return len(parameters) > 1 and all(isinstance(value, complex) for value in parameters)


def _name_of(lvalue: Any) -> str:
    return repr(getattr(lvalue, "name", None) or str(lvalue))
