"""Parameter values bound by Aer at run time where it does that correctly, else bound before."""

from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit_aer import AerSimulator

from pilot_kernel.primitive.circuit.gates import kind_of
from pilot_kernel.primitive.simulator.aer import BOUND_LATE
from pilot_kernel.primitive.simulator.angles import is_free

__all__ = ["binds_late", "bound_circuits", "experiments"]


def binds_late(circuit: QuantumCircuit) -> bool:
    """Whether Aer may be given the circuit's parameter values at run time."""
    return all(
        kind_of(step.operation) in BOUND_LATE
        and all(isinstance(value, Parameter) or not is_free(value) for value in step.params)
        for step in circuit.data
        if any(map(is_free, step.params)) or hasattr(step.operation, "blocks")
    )


def bound_circuits(circuit: QuantumCircuit, values: BindingsArray) -> list[QuantumCircuit]:
    """The circuit with each parameter set, in order."""
    return list(values.bind_all(circuit).ravel())


def experiments(
    circuit: QuantumCircuit, values: BindingsArray, backend: AerSimulator
) -> tuple[list[dict[str, Any]], Any]:
    """Run a circuit without measurements.

    Returns:
        What it saved, for each parameter set (once, if it has no parameters), and Aer's metadata.

    Raises:
        RuntimeError: Aer could not run it.
    """
    if not circuit.parameters:
        result = backend.run(circuit, shots=1).result()
        count = 1
    elif binds_late(circuit):
        table = values.as_array(tuple(circuit.parameters)).reshape(values.size, -1)
        binds = {p: table[:, place].tolist() for place, p in enumerate(circuit.parameters)}
        result = backend.run(circuit, shots=1, parameter_binds=[binds]).result()
        count = values.size
    else:
        result = backend.run(bound_circuits(circuit, values), shots=1).result()
        count = values.size
    if not result.success or len(result.results) != count:
        raise RuntimeError(f"Aer could not simulate the circuit: {result.status}")
    return [result.data(place) for place in range(count)], result.metadata
