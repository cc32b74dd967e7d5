"""PUBs rewritten for Aer, once, before they are cut into pieces.

Every complaint is a PubError that says which PUB and what to do about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ControlFlowOp, Reset
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.gates import kind_of
from pilot_kernel.primitive.circuit.idle_qubits import qubits_at_work, without_idle
from pilot_kernel.primitive.pub.observables import in_paulis, moved
from pilot_kernel.primitive.simulator.aer import basis_of
from pilot_kernel.primitive.simulator.deferred_measurement import Deferred, defer
from pilot_kernel.primitive.simulator.rewrite import Rewritten, rewrite

__all__ = ["for_simulator", "is_mixed"]

_FEW_GATES = frozenset({"stabilizer", "extended_stabilizer"})


@dataclass(frozen=True)
class _Written:
    """A circuit as it is simulated, and what became of its qubits and angles."""

    rewritten: Rewritten
    circuit: QuantumCircuit
    deferred: Deferred
    kept: list[int]


def for_simulator(pubs: Sequence[Any], method: str) -> list[Any]:
    """Write checked PUBs for Aer; PUBs that share a circuit share the work.

    Circuits come back in gates that Aer runs correctly, without idle qubits, and with plain
    parameters; those of estimator PUBs without measurements.

    Args:
        pubs: `SamplerPub`s or `EstimatorPub`s.
        method: Aer's simulation method.

    Raises:
        PubError: A circuit cannot be simulated.
    """
    write = _write_sampled if pubs and isinstance(pubs[0], SamplerPub) else _write_estimated
    written: dict[int, _Written] = {}
    found = []
    for number, pub in enumerate(pubs):
        if id(pub.circuit) not in written:
            written[id(pub.circuit)] = write(pub.circuit, method, number)
        found.append(_rewrite(pub, written[id(pub.circuit)], number))
    return found


def is_mixed(circuit: QuantumCircuit) -> bool:
    """Whether an estimator's circuit, as written here, needs a density matrix."""
    return any(kind_of(step.operation) is Reset for step in circuit.data)


def _write_sampled(circuit: QuantumCircuit, method: str, number: int) -> _Written:
    rewritten = _in_known_gates(circuit, method, number)
    _check_outputs(rewritten, number)
    kept = qubits_at_work(rewritten.circuit)
    smaller = _in_basis(without_idle(rewritten.circuit, kept), method, number)
    return _Written(rewritten, smaller, _as_is(rewritten.circuit), kept)


def _write_estimated(circuit: QuantumCircuit, method: str, number: int) -> _Written:
    if method == "extended_stabilizer":
        raise PubError(f"method={method!r} gives no expectation values; choose another")
    rewritten = _in_known_gates(circuit, method, number)
    if any(isinstance(step.operation, ControlFlowOp) for step in rewritten.circuit.data):
        raise PubError(
            f"PUB {number} has control flow that depends on measurements, and expectation values "
            "of such circuits are not simulated; sample the circuit instead, with measurements in "
            "the bases of the observables"
        )
    deferred = defer(rewritten.circuit)
    if is_mixed(deferred.circuit):
        if method not in ("automatic", "statevector", "density_matrix"):
            deferred = defer(rewritten.circuit, pure=True)
        elif method != "density_matrix":
            rewritten = _in_known_gates(circuit, "density_matrix", number)
            deferred = defer(rewritten.circuit)
    kept = qubits_at_work(deferred.circuit)
    smaller = _in_basis(without_idle(deferred.circuit, kept), method, number)
    return _Written(rewritten, smaller, deferred, kept)


def _as_is(circuit: QuantumCircuit) -> Deferred:
    return Deferred(circuit, list(range(circuit.num_qubits)), frozenset())


def _in_known_gates(circuit: QuantumCircuit, method: str, number: int) -> Rewritten:
    basis_of(method)
    return rewrite(circuit, basis_of("automatic" if method in _FEW_GATES else method), number)


def _in_basis(circuit: QuantumCircuit, method: str, number: int) -> QuantumCircuit:
    """Translated for methods that know too few gates for definitions to end in them."""
    if method not in _FEW_GATES or set(circuit.count_ops()) <= basis_of(method) | {"measure"}:
        return circuit
    try:
        return transpile(circuit, AerSimulator(method=method), optimization_level=0)
    except QiskitError as error:
        raise PubError(
            f"PUB {number} cannot be written for method={method!r}: {error.message}"
        ) from error


def _check_outputs(rewritten: Rewritten, number: int) -> None:
    circuit = rewritten.circuit
    registered = {bit for register in circuit.cregs for bit in register}
    lost = rewritten.measured - registered - rewritten.read
    if lost or not rewritten.measured & registered:
        count = len(lost or rewritten.measured)
        raise PubError(
            f"PUB {number} measures into {count} classical bits that are in no register, so "
            "that no result could hold them; put them into one: "
            "circuit.add_register(ClassicalRegister(bits=circuit.clbits))"
        )
    for register in circuit.cregs:
        places = [circuit.find_bit(bit).index for bit in register]
        if places != list(range(places[0], places[0] + len(places)) if places else ()):
            raise PubError(
                f"PUB {number} has a register {register.name!r} that shares bits with others; "
                "give each its own"
            )


def _rewrite(pub: Any, written: _Written, number: int) -> Any:
    values = written.rewritten.angles.values(pub.parameter_values, pub.circuit.parameters, number)
    if isinstance(pub, SamplerPub):
        return SamplerPub(written.circuit, values, pub.shots)
    deferred, width = written.deferred, pub.circuit.num_qubits
    same = deferred.wires == list(range(width)) and len(written.kept) == width
    if same and not deferred.dephased and deferred.circuit.num_qubits == width:
        observables = in_paulis(pub.observables)
    else:
        observables = moved(pub.observables, deferred.wires, deferred.dephased, written.kept)
    return EstimatorPub(written.circuit, observables, values, pub.precision)
