"""PUBs transpiled for a QPU, once, before they are cut into pieces.

Every complaint is a PubError that says which PUB and what to do about it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2
from qiskit.transpiler import Target, generate_preset_pass_manager
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.conditions import with_evaluable_conditions
from pilot_kernel.primitive.circuit.custom_gates import unrolled
from pilot_kernel.primitive.circuit.gates import UndefinedGateError
from pilot_kernel.primitive.circuit.idle_qubits import qubits_in_use
from pilot_kernel.primitive.device.backend import is_simulated
from pilot_kernel.primitive.pub.observables import in_paulis, laid_out
from pilot_kernel.primitive.pub.state_size import check_state
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["DEFAULT_OPTIMIZATION_LEVEL", "DEFAULT_PRECISION", "for_device"]

DEFAULT_OPTIMIZATION_LEVEL = 2
DEFAULT_PRECISION = 1 / 64
"""Standard error of an estimator PUB that names none, as in Qiskit's own: 4096 shots."""

_SEED = 0  # the same circuit is always transpiled to the same one


@dataclass(frozen=True)
class _Written:
    circuit: QuantumCircuit
    layout: Any


def for_device(
    pubs: Sequence[Any], backend: BackendV2, pilots: Sequence[PilotStatus], level: int | None
) -> list[Any]:
    """Transpile checked PUBs; PUBs that share a circuit share the work.

    A circuit in the device's own gates and couplings is left as it is.

    Args:
        pubs: `SamplerPub`s or `EstimatorPub`s.
        backend: The QPU's backend.
        pilots: The pilots that may get them; without any, their memory is not looked at.
        level: Qiskit's optimization level, 0 to 3; 2 if it is None.

    Raises:
        PubError: A circuit cannot run there, or an exact value is asked for.
    """
    level = DEFAULT_OPTIMIZATION_LEVEL if level is None else level
    if level not in (0, 1, 2, 3):
        raise PubError(f"optimization_level={level!r}: 0, 1, 2 or 3")
    written: dict[int, _Written] = {}
    found = []
    for number, pub in enumerate(pubs):
        _check(pub, number, backend)
        if id(pub.circuit) not in written:
            written[id(pub.circuit)] = _write(pub.circuit, number, backend, level)
            _check_memory(written[id(pub.circuit)].circuit, number, backend, pilots)
        found.append(_rewrite(pub, written[id(pub.circuit)]))
    return found


def _check(pub: Any, number: int, backend: BackendV2) -> None:
    wide, limit = pub.circuit.num_qubits, backend.num_qubits
    if limit is not None and wide > limit and not _idle_beyond(pub.circuit, backend):
        raise PubError(
            f"PUB {number} has {wide} qubits, and {backend.name} has {limit}; cut it to {limit} "
            f"qubits or fewer, as qdreamer_lab.plan_cuts(circuit, max_qubits={limit}) does"
        )
    if isinstance(pub, EstimatorPub) and pub.precision == 0:
        raise PubError(
            f"PUB {number} asks for exact values (precision 0), and {backend.name} only samples; "
            f"give precision=, such as {DEFAULT_PRECISION:.4f} for 4096 shots of each basis"
        )


def _idle_beyond(circuit: QuantumCircuit, backend: BackendV2) -> bool:
    """Whether it was written for a wider device, and an ideal one can run the qubits in use.

    An ideal device has as many qubits as fit into memory, all alike, and idle qubits take none.
    """
    return (
        isinstance(backend, AerSimulator)
        and backend.coupling_map is None
        and circuit.num_qubits > backend.num_qubits >= len(qubits_in_use(circuit))
        and set(circuit.count_ops()) <= {*backend.target.operation_names, "barrier", "delay"}
    )


def _write(circuit: QuantumCircuit, number: int, backend: BackendV2, level: int) -> _Written:
    try:
        circuit = unrolled(circuit, backend.target)
        if is_simulated(backend):  # by Aer, which is wrong about some conditions
            circuit = with_evaluable_conditions(
                circuit, lambda text: PubError(f"PUB {number} {text}")
            )
        if _in_its_terms(circuit, backend) or _idle_beyond(circuit, backend):
            return _Written(circuit, None)  # its observables are in the device's terms too
        transpiled = _pass_manager(backend, level).run(circuit)
    except UndefinedGateError as error:
        raise PubError(f"PUB {number} cannot be written for {backend.name}: {error}") from error
    except QiskitError as error:
        raise PubError(
            f"PUB {number} cannot be written for {backend.name}: {error.message}"
        ) from error
    _check_written(transpiled, number, backend)
    return _Written(transpiled, transpiled.layout)


@lru_cache(maxsize=8)
def _pass_manager(backend: BackendV2, level: int) -> Any:
    return generate_preset_pass_manager(
        optimization_level=level, backend=backend, seed_transpiler=_SEED
    )


def _in_its_terms(circuit: QuantumCircuit, backend: BackendV2) -> bool:
    target = backend.target
    return circuit.num_qubits == target.num_qubits and not any(
        getattr(step.operation, "blocks", ()) or not _supported(step, circuit, target)
        for step in circuit.data
    )


def _check_written(circuit: QuantumCircuit, number: int, backend: BackendV2) -> None:
    """Refuse gates that the transpiler let pass by name, although their angles are not allowed."""
    for step in circuit.data:
        if not getattr(step.operation, "blocks", ()) and not _supported(
            step, circuit, backend.target
        ):
            values = ", ".join(map(str, step.params))
            raise PubError(
                f"PUB {number} cannot be written for {backend.name}: it has no {step.name}"
                f"({values}) there, only other angles"
            )


def _supported(step: CircuitInstruction, circuit: QuantumCircuit, target: Target) -> bool:
    """Whether the device has an instruction there, for these angles too."""
    name, values = step.name, list(step.params)
    if name in ("barrier", "delay"):
        return True
    qubits = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
    if not target.instruction_supported(name, qubits):
        return False
    if name not in target.operation_names:  # it takes anything
        return True
    if target.has_angle_bounds() and target.gate_has_angle_bounds(name):
        numbers = all(isinstance(value, (int, float)) for value in values)
        return numbers and bool(target.supported_angle_bound(name, values))
    theirs = target.operation_from_name(name)
    fixed = [] if isinstance(theirs, type) else theirs.params
    return all(
        isinstance(value, (int, float)) and math.isclose(value, angle, abs_tol=1e-12)
        for value, angle in zip(values, fixed, strict=False)
        if isinstance(angle, (int, float))
    )


def _check_memory(
    circuit: QuantumCircuit, number: int, backend: BackendV2, pilots: Sequence[PilotStatus]
) -> None:
    if pilots and is_simulated(backend):
        check_state(
            *(number, len(qubits_in_use(circuit)), pilots),
            advice=lambda widest: f"{backend.name} is simulated here: cut it to {widest} qubits",
        )


def _rewrite(pub: Any, written: _Written) -> Any:
    if isinstance(pub, SamplerPub):
        return SamplerPub(written.circuit, pub.parameter_values, pub.shots)
    observables = in_paulis(pub.observables)
    if written.layout is not None:
        observables = laid_out(observables, written.layout)
    return EstimatorPub(written.circuit, observables, pub.parameter_values, pub.precision)
