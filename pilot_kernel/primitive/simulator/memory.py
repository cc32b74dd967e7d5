"""Whether a circuit's state fits a worker, asked before anything is submitted."""

from collections.abc import Callable, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Reset
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.gates import kind_of, standard_name
from pilot_kernel.primitive.simulator.prepare import is_mixed
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["check_memory", "check_state"]

_AMPLITUDE_BYTES = 16  # complex128
_FREE_METHODS = frozenset({"matrix_product_state", "stabilizer", "extended_stabilizer"})
_CLIFFORD = frozenset(
    {
        *("id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg"),
        *("cx", "cy", "cz", "swap", "ecr"),
    }
)


def check_memory(pubs: Sequence[Any], method: str, on: Sequence[PilotStatus]) -> None:
    """Refuse a circuit whose state no worker could hold.

    Args:
        pubs: PUBs written for simulators.
        method: Aer's simulation method.
        on: The pilots that may get them.

    Raises:
        PubError: A state is too large; the message says how large, what the limit is, and to how
            many qubits the circuit would have to be cut.
    """
    if method in _FREE_METHODS:
        return
    for number, pub in enumerate(pubs):
        circuit = pub.circuit
        mixed = isinstance(pub, EstimatorPub) and is_mixed(circuit)
        if method == "automatic" and not mixed and _clifford(circuit):
            continue
        check_state(
            *(number, circuit.num_qubits, on),
            power=2 if mixed or method == "density_matrix" else 1,
            advice=lambda widest: (
                f"Cut it to {widest} qubits, as qdreamer_lab.CutEstimator(max_qubits={widest}) "
                "does, or choose another simulation method, such as method='matrix_product_state'"
            ),
        )


def check_state(
    number: int,
    wide: int,
    on: Sequence[PilotStatus],
    *,
    power: int = 1,
    advice: Callable[[int], str],
) -> None:
    """Refuse a state that no worker could hold.

    Args:
        number: The PUB's number.
        wide: Qubits to simulate.
        on: The pilots that may get it.
        power: 1 for a state vector, 2 for a density matrix.
        advice: What to do about it, given how many qubits would fit.

    Raises:
        PubError: The state is too large.
    """
    limit = min(pilot.memory_per_worker_bytes for pilot in on)
    widest = ((limit // _AMPLITUDE_BYTES).bit_length() - 1) // power
    if wide <= widest:
        return
    state = "density matrix" if power == 2 else "state vector"
    raise PubError(
        f"PUB {number} has {wide} qubits: its {state} takes "
        f"{_bytes(_AMPLITUDE_BYTES * 2 ** (power * wide))}, and a worker of "
        f"{' or '.join(sorted({repr(p.name) for p in on}))} has {_bytes(limit)}. {advice(widest)}"
    )


def _clifford(circuit: QuantumCircuit) -> bool:
    """Whether Aer's automatic method takes the stabilizer simulator."""
    return all(
        all(map(_clifford, blocks))
        if (blocks := getattr(step.operation, "blocks", ()))
        else kind_of(step.operation) in (Measure, Reset)
        or standard_name(step.operation) in _CLIFFORD
        for step in circuit.data
    )


def _bytes(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.3g} {units[0]}"
