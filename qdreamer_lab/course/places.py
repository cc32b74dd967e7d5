"""Exercises of the seventh notebook: asking a cluster for nodes, and what a device can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.description import PilotDescription
from qdreamer_lab.course.circuits import bound_circuit
from qdreamer_lab.course.verdict import NotRight, exercise

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_native", "check_request", "wanted_circuit"]

_NODES, _CORES, _MEMORY, _MINUTES, _QUEUE = 2, 8, 32 * 10**9, 30, "debug"
_NATIVE = ("cz", "rz", "sx", "x")
_NEIGHBOURS = ({0, 1}, {1, 2})


def wanted_circuit() -> QuantumCircuit:
    """A Bell pair of the two ends of three qubits, with a turn of the middle one."""
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.ry(0.4, 1)
    return circuit


@exercise
def check_request(keys: object) -> str:
    """Check a request for two nodes of a SLURM cluster: 8 cores and 32 GB each, for half an hour.

    Args:
        keys: A `PilotDescription`, or a dict of its keys.
    """
    asked = _description(keys)
    if asked.scheme != "slurm":
        raise NotRight(f"This asks for {asked.scheme}:// workers; a SLURM cluster is slurm://.")
    if asked.number_of_nodes != _NODES:
        raise NotRight(f"This asks for {asked.number_of_nodes} node(s), and {_NODES} are wanted.")
    if asked.cores_per_node == _NODES * _CORES:
        raise NotRight(
            "cores_per_node counts the cores of one node; yours are those of both together."
        )
    if asked.cores_per_node != _CORES:
        raise NotRight(f"cores_per_node={asked.cores_per_node}: {_CORES} are wanted.")
    memory = asked.memory_per_node_bytes
    if memory is None or not _MEMORY <= memory <= 32 * 2**30:
        text = "nothing" if memory is None else f"{memory / 1e9:g} GB"
        raise NotRight(
            f"memory_per_node_bytes asks for {text} on each node; 32 GB are wanted, in bytes."
        )
    minutes = _minutes(asked.walltime)
    if minutes is None:
        raise NotRight("Without a walltime the cluster decides how long; half an hour is wanted.")
    if minutes != _MINUTES:
        raise NotRight(
            f"walltime={asked.walltime!r} is {minutes:g} minutes to SLURM. Half an hour is "
            '"0:30:00", or 30 as a number.'
        )
    if asked.queue != _QUEUE:
        raise NotRight(f"queue={asked.queue!r}: the queue is called {_QUEUE!r}.")
    if asked.interface is None:
        raise NotRight(
            "interface= is missing. Without it nothing listens beyond this machine, and the nodes "
            "could not reach it."
        )
    return f"{_NODES} jobs of {_CORES} cores each, over within {_MINUTES} minutes."


def _description(keys: object) -> PilotDescription:
    if isinstance(keys, PilotDescription):
        return keys
    if not isinstance(keys, dict):
        raise NotRight(
            f"A PilotDescription, or a dict of its keys, is wanted; this is {type(keys).__name__}."
        )
    named: Mapping[str, object] = {str(key): value for key, value in keys.items()}
    try:
        return PilotDescription.coerce(None, **named)
    except DescriptionError as error:
        reason = str(error).rstrip(".")
        raise NotRight(f"No pilot can be asked for like this: {reason}.") from error


def _minutes(walltime: str | int | None) -> float | None:
    """A walltime as SLURM reads it: minutes, MM:SS, HH:MM:SS or D-HH:MM[:SS]."""
    if walltime is None:
        return None
    days, dash, clock = str(walltime).rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if dash:
        hours, minutes, seconds = [*parts, 0, 0][:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, minutes, seconds = 0, *[*parts, 0][:2]
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


@exercise
def check_native(circuit: object) -> str:
    """Check a form of `wanted_circuit` that a line of three qubits can run.

    Args:
        circuit: Of CZ between neighbours, RZ, SX and X alone; the same up to a global phase.
            Qiskit's `transpile` may have moved qubits; then the circuit says where to.
    """
    given = bound_circuit(circuit, 3)
    for instruction in given.data:
        name = instruction.operation.name
        if name in ("barrier", "delay"):
            continue
        if name == "measure":
            raise NotRight("Your circuit measures. Leave that out; what it does is compared.")
        if name not in _NATIVE:
            raise NotRight(
                f"The device has no gate {name!r}; it has {', '.join(map(repr, _NATIVE))}."
            )
        qubits = {given.find_bit(qubit).index for qubit in instruction.qubits}
        if len(qubits) == 2 and qubits not in _NEIGHBOURS:
            raise NotRight(
                "There is a CZ between qubits 0 and 2, and the device is a line, 0-1-2: a state "
                "has to be swapped past the middle."
            )
    wanted = Operator(wanted_circuit())
    try:
        same = Operator.from_circuit(given).equiv(wanted)
    except QiskitError as error:
        raise NotRight("Your circuit does more than gates.") from error
    if not same:
        if given.count_ops().get("cz", 0) == 0:
            raise NotRight("Without a CZ nothing is entangled, and the ends are to be a Bell pair.")
        ideal = wanted.data[:, 0]
        overlap = abs(ideal.conj() @ Operator.from_circuit(given).data[:, 0]) ** 2
        if overlap > 1 - 1e-9:
            raise NotRight(
                "From |000⟩ your circuit makes the right state, but it is not the same operation: "
                "it differs on other states. A circuit may be part of a larger one."
            )
        raise NotRight(
            f"Your circuit does something else: from |000⟩ it makes a state whose overlap with "
            f"the one wanted is {overlap:.4f}. If you swapped qubits, did you swap them back?"
        )
    cz = given.count_ops().get("cz", 0)
    return f"the same operation, up to a global phase, with {cz} CZ on neighbours."
